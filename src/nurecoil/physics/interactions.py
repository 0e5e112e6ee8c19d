"""Interactions: the ways in which a neutrino hits a target, one equation each.

dσ/dT = prefactor · Σ_terms (product of couplings) · kernel(T, E) · factor(T)

An interaction knows nothing of models, sources or detectors. Which products of couplings its terms multiply
is said in `channels`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.physics import cross_section
from nurecoil.physics.constants import ELECTRON_MASS
from nurecoil.physics.cross_section import Conventions
from nurecoil.physics.electrons import electrons_freed
from nurecoil.physics.form_factors import FormFactor
from nurecoil.physics.nuclei import Nuclide
from nurecoil.physics.spins import spin_responses

Kernel = Callable[..., Array]  # of T, E, M, conventions and, where it has one, of a shape
Factors = Callable[[Nuclide, FormFactor, Conventions, Array], Array]


@dataclass(frozen=True)
class Interaction:
    """One way in which a neutrino hits a nucleus, or an electron of its atom.

    The prefactor is a function of the mass M of what recoils, in cm² over the unit of the kernels. Those are
    zero where kinematics forbid a recoil: one for all terms, or one for each, which antineutrinos may have in
    another order. The nuclear or atomic factors at recoil energies (n,) have the shape (n, terms), or (n, 1).
    """

    prefactor: Callable[[float], float]
    kernels: tuple[Kernel, ...]
    factors: Factors
    of_antineutrinos: tuple[int, ...] = (0,)
    on_electrons: bool = False

    def mass(self, nuclide: Nuclide) -> float:
        """Return M, the mass of what recoils, in MeV."""
        return ELECTRON_MASS if self.on_electrons else nuclide.mass


def _nucleons(nuclide: Nuclide, form_factor: FormFactor, conventions: Conventions, T: Array) -> Array:
    """Return Z²F_p², ZN F_p F_n and N²F_n²."""
    q = cross_section.momentum_transfer(T, nuclide.mass)
    p, n = nuclide.Z * form_factor.proton(q, nuclide), nuclide.N * form_factor.neutron(q, nuclide)
    return np.stack([p * p, p * n, n * n], axis=-1)


def _charge(nuclide: Nuclide, form_factor: FormFactor, conventions: Conventions, T: Array) -> Array:
    """Return Z² [F_p²]."""
    q = cross_section.momentum_transfer(T, nuclide.mass)
    F = form_factor.proton(q, nuclide) if conventions.magnetic_form_factor else np.ones_like(q)
    return (nuclide.Z * F[:, np.newaxis]) ** 2


def _spins(nuclide: Nuclide, form_factor: FormFactor, conventions: Conventions, T: Array) -> Array:
    """Return half of F^pp, F^pn and F^nn of the spins across q: 1 for a proton alone."""
    return spin_responses(cross_section.momentum_transfer(T, nuclide.mass), nuclide, "transverse") / 2


def _electrons(nuclide: Nuclide, form_factor: FormFactor, conventions: Conventions, T: Array) -> Array:
    """Return Z_eff."""
    return electrons_freed(nuclide.symbol, T)[:, np.newaxis]


def _electron(number: int) -> Kernel:
    return lambda T, E, M, conventions: cross_section.electron_kernels(T, E, M)[number]


INTERACTIONS: Final[Mapping[str, Interaction]] = {
    "vector": Interaction(
        cross_section.vector_prefactor,
        (lambda T, E, M, c: cross_section.vector_kernel(T, E, M, recoil_term=c.vector_recoil_term),),
        _nucleons,
    ),
    "axial": Interaction(
        cross_section.vector_prefactor,
        (lambda T, E, M, c: cross_section.axial_kernel(T, E, M, recoil_term=c.vector_recoil_term),),
        _spins,
    ),
    "magnetic": Interaction(
        cross_section.magnetic_prefactor,
        (lambda T, E, M, c: cross_section.magnetic_kernel(T, E, M, recoil_term=c.magnetic_recoil_term),),
        _charge,
    ),
    "scalar": Interaction(
        cross_section.scalar_prefactor, (lambda T, E, M, c: cross_section.scalar_kernel(T, E, M),), _nucleons
    ),
    "tensor": Interaction(
        cross_section.tensor_prefactor, (lambda T, E, M, c: cross_section.tensor_kernel(T, E, M),), _nucleons
    ),
    # g_L², g_R² and g_L g_R, of which antineutrinos swap the first two
    "electron": Interaction(
        cross_section.electron_prefactor,
        (_electron(0), _electron(1), _electron(2)),
        _electrons,
        (1, 0, 2),
        on_electrons=True,
    ),
    "upscattering": Interaction(
        cross_section.magnetic_prefactor,
        (
            lambda T, E, M, c, m: cross_section.upscattering_kernel(
                T, E, M, m, recoil_term=c.magnetic_recoil_term
            ),
        ),
        _charge,
    ),
    "upscattering-electron": Interaction(
        cross_section.magnetic_prefactor,
        (lambda T, E, M, c, m: cross_section.upscattering_kernel(T, E, M, m),),
        _electrons,
        on_electrons=True,
    ),
    "magnetic-electron": Interaction(
        cross_section.magnetic_prefactor,
        (lambda T, E, M, c: cross_section.magnetic_kernel(T, E, M),),
        _electrons,
        on_electrons=True,
    ),
    "weak-charge": Interaction(lambda M: 0.0, (), _electrons, on_electrons=True),  # an amplitude, no recoils
}

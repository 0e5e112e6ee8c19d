"""Nuclear form factors F(q) of protons and neutrons, all with F(0) = 1.

q is the momentum transfer in MeV, lengths are in fm; they broadcast, and F and radii have the broadcast
shape. Each parametrisation is one function; each `FormFactor` is a choice of parametrisation and of radii,
to be printed with every result.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from nurecoil.arithmetic import Array
from nurecoil.errors import NurecoilError, unknown_name
from nurecoil.physics.constants import HBAR_C_MEV_FM
from nurecoil.physics.nuclei import Nuclide

HELM_SKIN_FM: Final = 0.9
HELM_BINH2021_SKIN_FM: Final = 0.5
KLEIN_NYSTRAND_RANGE_FM: Final = 0.7
FERMI_DIFFUSENESS_FM: Final = 0.52
_LIGHT: Final = 4  # nucleons; without a core, such a nucleus may be smaller than the surface of the others

# What a surface adds to R², over its width squared, and what its width is called
HELM: Final = 3.0, "Helm skin"
FERMI: Final = 1.4 * np.pi**2, "diffuseness"


def helm(q: ArrayLike, diffraction_radius_fm: ArrayLike, skin_fm: ArrayLike) -> Array:
    """Return the Helm form factor, a uniform sphere folded with a Gaussian skin.

    F(q) = 3 j1(q R0)/(q R0) exp(-q² s²/2), of rms radius R² = (3/5) R0² + 3 s²; R0 is the diffraction radius,
    s the skin thickness (R. H. Helm, Phys. Rev. 104 (1956) 1466, Helm:1956zz).

    >>> print(helm([0.0, 50.0], 5.8, 0.9).round(4))
    [1.     0.7795]
    """
    sphere = _uniform_sphere(_phase(q, diffraction_radius_fm))
    return sphere * np.exp(-0.5 * _phase(q, skin_fm) ** 2)


def helm_binh2021_radius_fm(A: ArrayLike, skin_fm: float = HELM_BINH2021_SKIN_FM) -> Array:
    """Return the Helm diffraction radius of Binh et al. (2021) from the mass number.

    R0² = R² - 5 s², R = 1.2 A^(1/3) fm; an error if R0² is not positive.

    >>> print(helm_binh2021_radius_fm(133).round(3))
    6.022
    """
    # a sphere of radius R has the rms radius R sqrt(3/5), and R0² = R² - 5 s² takes 3 s² off its square
    return sphere_radius_fm(np.sqrt(0.6) * mass_number_radius_fm(A), HELM, skin_fm)


def klein_nystrand(q: ArrayLike, radius_fm: ArrayLike, range_fm: ArrayLike) -> Array:
    """Return the Klein-Nystrand form factor, a uniform sphere folded with a Yukawa potential.

    F(q) = 3 j1(q R_A)/(q R_A) / (1 + a² q²), of rms radius R² = (3/5) R_A² + 6 a²; R_A is the radius of
    the sphere, a the range of the potential (S. R. Klein and J. Nystrand, Phys. Rev. C 60 (1999) 014903,
    Klein:1999qj).

    >>> print(klein_nystrand([0.0, 50.0], 6.1, 0.7).round(4))
    [1.     0.7568]
    """
    return _uniform_sphere(_phase(q, radius_fm)) / (1 + _phase(q, range_fm) ** 2)


def symmetrised_fermi(q: ArrayLike, half_density_fm: ArrayLike, diffuseness_fm: ArrayLike) -> Array:
    """Return the form factor of the symmetrised Fermi density, in closed form.

    F(q) = 3/(qc [(qc)² + (πqa)²]) · πqa/sinh(πqa) · [πqa sin(qc)/tanh(πqa) - qc cos(qc)], for the density
    ρ(r) ∝ sinh(c/a)/[cosh(r/a) + cosh(c/a)] of rms radius R² = (3/5) c² + (7/5) (πa)²; c is the
    half-density radius, a > 0 the diffuseness of the surface (D. W. L. Sprung and J. Martorell, J. Phys. A 30
    (1997) 6525; J. Piekarewicz et al., Phys. Rev. C 94 (2016) 034316, Piekarewicz:2016vbn).

    >>> print(symmetrised_fermi([0.0, 50.0], 5.67, 0.52).round(4))
    [1.     0.7762]
    """
    # the bracket is split into sin x - x cos x and (y coth y - 1) sin x, so that nothing cancels as q -> 0
    c, pi_a = _floats(half_density_fm), np.pi * _floats(diffuseness_fm)
    x, y = _phase(q, c), np.abs(_phase(q, pi_a))
    sphere = c**2 * _uniform_sphere(x)
    surface = pi_a**2 * _langevin_ratio(y) * np.sinc(x / np.pi)
    return _over_sinh(y) * (sphere + surface) / (c**2 + pi_a**2)


def sphere_radius_fm(rms_radius_fm: ArrayLike, surface: tuple[float, str], width_fm: float) -> Array:
    """Return the radius [fm] of the sphere that belongs to an rms radius R, with a surface of some width.

    With `HELM` the diffraction radius, R0² = (5/3) (R² - 3 s²) (Helm:1956zz; J. D. Lewin and P. F. Smith,
    Astropart. Phys. 6 (1996) 87, Lewin:1995rx), with `FERMI` the half-density radius of the symmetrised Fermi
    density, c² = (5/3) [R² - (7/5) (πa)²]. An error if the surface alone has that rms radius, or more.

    >>> print(sphere_radius_fm(4.804, HELM, 0.9).round(3), sphere_radius_fm(4.804, FERMI, 0.52).round(3))
    5.866 5.678
    """
    rms, surface_fm2 = _floats(rms_radius_fm), surface[0] * width_fm**2
    good = np.isfinite(rms) & (rms > 0) & (rms**2 > surface_fm2)
    if not np.all(good):
        raise NurecoilError(
            f"rms radius {float(rms[~good].flat[0]):.4g} fm does not fit a {surface[1]} of {width_fm} fm: "
            f"it must be finite and above {np.sqrt(surface_fm2):.4g} fm"
        )
    return _floats(np.sqrt(5 / 3 * (rms**2 - surface_fm2)))


def mass_number_radius_fm(A: ArrayLike) -> Array:
    """Return the liquid-drop radius R = 1.2 A^(1/3) fm of a mass number (Klein:1999qj).

    >>> print(mass_number_radius_fm(125).round(3))
    6.0
    """
    return 1.2 * _floats(np.cbrt(_floats(A)))


@dataclass(frozen=True)
class FormFactor:
    """A choice of form factors for protons and neutrons.

    The description is one line with all conventions, printed with every result. `proton` and `neutron` are
    F(q, nuclide) with q in MeV, of any shape; the result has the shape of q and no unit.
    """

    name: str
    description: str
    proton: Callable[[ArrayLike, Nuclide], Array]
    neutron: Callable[[ArrayLike, Nuclide], Array]


def form_factor(name: str) -> FormFactor:
    """Return a choice of form factors by its name, one of `FORM_FACTOR_NAMES`.

    >>> from nurecoil.physics.nuclei import nuclide
    >>> F = form_factor("helm")
    >>> print(F.proton([0.0, 50.0], nuclide("Cs133")).round(4))
    [1.     0.7754]
    """
    if name not in _FORM_FACTORS:
        raise unknown_name("form factor", name, FORM_FACTOR_NAMES)
    return _FORM_FACTORS[name]


def with_neutrons_shifted(form_factor: FormFactor, shift_fm: float) -> FormFactor:
    """Return form factors with a shift added to the neutron rms radius of each nuclide.

    An error for those that have no such radius.
    """
    if not isinstance(form_factor.neutron, _OfRmsRadius):
        known = ", ".join(
            n for n, choice in _FORM_FACTORS.items() if isinstance(choice.neutron, _OfRmsRadius)
        )
        raise NurecoilError(
            f"form factor {form_factor.name} has no neutron radius that could change: allowed are {known}"
            " (--form-factor)"
        )
    return replace(form_factor, neutron=partial(_shifted, form_factor.neutron, shift_fm))


def _shifted(
    base: Callable[[ArrayLike, Nuclide], Array], shift_fm: float, q: ArrayLike, nuclide: Nuclide
) -> Array:
    radius = (nuclide.neutron_radius_fm or nuclide.charge_radius_fm) + shift_fm
    return base(q, replace(nuclide, neutron_radius_fm=radius))


# No closures: a FormFactor must survive pickling on its way to a process pool.


@dataclass(frozen=True)
class _OfRmsRadius:
    """F(q, nuclide) of a sphere with a surface, from the rms radius of the protons or of the neutrons.

    A neutron radius that is not tabulated is the charge radius; a light nucleus may be surface alone.
    """

    parametrisation: Callable[[ArrayLike, ArrayLike, ArrayLike], Array]
    surface: tuple[float, str]
    width_fm: float
    of_neutrons: bool = False

    def __call__(self, q: ArrayLike, nuclide: Nuclide) -> Array:
        rms_fm = (self.of_neutrons and nuclide.neutron_radius_fm) or nuclide.charge_radius_fm
        alone_fm = rms_fm / np.sqrt(self.surface[0])
        if nuclide.A <= _LIGHT and alone_fm <= self.width_fm:
            return self.parametrisation(q, 0.0, alone_fm)
        sphere_fm = sphere_radius_fm(rms_fm, self.surface, self.width_fm)
        return self.parametrisation(q, sphere_fm, self.width_fm)


def _helm_binh2021(q: ArrayLike, nuclide: Nuclide) -> Array:
    return helm(q, helm_binh2021_radius_fm(nuclide.A), HELM_BINH2021_SKIN_FM)


def _klein_nystrand(q: ArrayLike, nuclide: Nuclide) -> Array:
    return klein_nystrand(q, mass_number_radius_fm(nuclide.A), KLEIN_NYSTRAND_RANGE_FM)


def _point(q: ArrayLike, nuclide: Nuclide) -> Array:
    return np.ones(np.shape(q))


_RMS_RADII: Final = (
    "rms radii: proton from the charge radius, neutron from the tabulated theory value (Ar40, I127, Cs133) "
    "or else the charge radius; H and He, where smaller than the surface, are a surface of their rms radius"
)

_CHOICES: Final = (
    FormFactor(
        "helm-binh2021",
        "Helm as in Binh et al. (2021): R = 1.2 A^(1/3) fm, s = 0.5 fm, R0^2 = R^2 - 5 s^2, "
        "the same for protons and neutrons",
        _helm_binh2021,
        _helm_binh2021,
    ),
    FormFactor(
        "helm",
        f"Helm: s = 0.9 fm, R0^2 = 5/3 (R^2 - 3 s^2); {_RMS_RADII}",
        _OfRmsRadius(helm, HELM, HELM_SKIN_FM),
        _OfRmsRadius(helm, HELM, HELM_SKIN_FM, of_neutrons=True),
    ),
    FormFactor(
        "klein-nystrand",
        "Klein-Nystrand as used by COHERENT: R_A = 1.2 A^(1/3) fm, a = 0.7 fm, "
        "the same for protons and neutrons",
        _klein_nystrand,
        _klein_nystrand,
    ),
    FormFactor(
        "symmetrised-fermi",
        f"symmetrised Fermi: a = 0.52 fm, c^2 = 5/3 (R^2 - 7/5 (pi a)^2); {_RMS_RADII}",
        _OfRmsRadius(symmetrised_fermi, FERMI, FERMI_DIFFUSENESS_FM),
        _OfRmsRadius(symmetrised_fermi, FERMI, FERMI_DIFFUSENESS_FM, of_neutrons=True),
    ),
    FormFactor("point", "point-like nucleus: F = 1 for protons and neutrons", _point, _point),
)
_FORM_FACTORS: Final = {choice.name: choice for choice in _CHOICES}
FORM_FACTOR_NAMES: Final = tuple(_FORM_FACTORS)


def _floats(values: ArrayLike) -> Array:
    """Return an array of floats, of no dimension for a number."""
    return np.asarray(values, dtype=np.float64)


def _phase(q: ArrayLike, length_fm: ArrayLike) -> Array:
    """Return the dimensionless product q L/(hbar c), for q in MeV and L in fm."""
    return _floats(q) * _floats(length_fm) / HBAR_C_MEV_FM


def _uniform_sphere(x: Array) -> Array:
    """Return 3 j1(x)/x, the form factor of a uniform sphere, to 1e-14 also as x -> 0."""
    small = np.abs(x) < 0.3
    z = np.where(small, 1.0, x)
    closed = 3 * (np.sin(z) - z * np.cos(z)) / z**3
    w = np.where(small, x, 0.0) ** 2
    series = 1 - w / 10 * (1 - w / 28 * (1 - w / 54 * (1 - w / 88 * (1 - w / 130))))
    return np.where(small, series, closed)


def _langevin_ratio(y: Array) -> Array:
    """Return 3 (y coth y - 1)/y² for y >= 0, to 1e-13 also as y -> 0."""
    small = y < 0.1
    z = np.where(small, 1.0, y)
    closed = 3 * (z / np.tanh(z) - 1) / z**2
    w = np.where(small, y, 0.0) ** 2
    series = 1 - w / 15 + 2 * w**2 / 315 - w**3 / 1575 + 2 * w**4 / 31185
    return np.where(small, series, closed)


def _over_sinh(y: Array) -> Array:
    """Return y/sinh(y) for y >= 0, without overflow at large y."""
    z = np.where(y > 0, y, 1.0)
    return np.where(y > 0, -2 * z * np.exp(-z) / np.expm1(-2 * z), 1.0)

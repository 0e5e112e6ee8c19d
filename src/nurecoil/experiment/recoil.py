"""Recoil spectra: cross sections averaged over the neutrinos of a source, per nuclide and channel."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from nurecoil.arithmetic import Array
from nurecoil.physics import cross_section
from nurecoil.physics.channels import CHANNELS, STANDARD
from nurecoil.physics.couplings import FLAVOURS, Couplings
from nurecoil.physics.form_factors import FormFactor, with_neutrons_shifted
from nurecoil.physics.interactions import Interaction, Kernel
from nurecoil.physics.nuclei import Nuclide
from nurecoil.physics.products import stacked
from nurecoil.physics.radii import Radius
from nurecoil.physics.shapes import Energies, Masses, Pieces
from nurecoil.physics.weights import Shape, Weight
from nurecoil.sources import Continuum, Flux, Line, flux_integral, inverse_moments

# Of the largest neutrino energy: below, nothing oscillates: 6e-5 of argon's recoils by ν_e above 1 keV,
# 3e-3 of those of 0.05 to 0.2 keV, 4e-3 of those of electrons. Half of it would cost three times the time.
_SLOWEST: Final = 0.1
_PLACES: Final = np.array([0.2, 0.5, 0.8, 0.35])  # E_min/E, where kernels are looked at
_ROUNDING: Final = 1e-12


@dataclass(frozen=True)
class RecoilTemplates:
    """What multiplies products of couplings in a recoil spectrum, or in anything linear in it.

    Attributes
    ----------
    channels : mapping of str to ndarray, shape (n, 3, terms) or (n, 3, terms, K)
        By name of channel: per point (recoil energy or bin), incoming flavour, term, and node of the weight.
        Infinite where the response does not vanish at T -> 0, as the magnetic cross section goes like 1/T.
    nodes : mapping of str to Nodes
        Of the channels with a weight: Nodes, Radii, or the Pieces of a flux.
    """

    channels: Mapping[str, Array]
    nodes: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, channel: str) -> Array:
        """Return the templates of a channel."""
        return self.channels[channel]

    def evaluate(self, couplings: Couplings) -> Array:
        """Return Σ templates · products of couplings · weights, shape (..., n)."""
        counts: Array = np.zeros(1)
        for name, array in self.channels.items():
            infinite = np.isinf(array)
            templates = _flat(np.where(infinite, 0.0, array), array.ndim - 1)
            for terms, weight in CHANNELS[name].products(couplings):
                products = stacked(terms)
                if weight is None:
                    strengths = _flat(products, 2)
                else:
                    at_nodes = weight.at(self.nodes[name])[..., np.newaxis, np.newaxis, :]
                    strengths = _flat(products[..., np.newaxis] * at_nodes, 3)
                counts = counts + strengths @ templates.T
                if infinite.any():  # 0 · ∞ is 0 here
                    counts = np.where((strengths != 0) @ _flat(infinite, 2).T, np.inf, counts)
        return counts

    def each(self, change: Callable[[Array], Array]) -> "RecoilTemplates":
        """Return the templates with the array of each channel changed."""
        return replace(self, channels={name: change(array) for name, array in self.channels.items()})

    def at(self, nodes: Mapping[str, Any]) -> "RecoilTemplates":
        """Return the templates that multiply weights at other nodes, in a range that contains their own."""
        moved = {
            name: common.moved(self[name], self.nodes[name])
            for name, common in nodes.items()
            if name in self.channels
        }
        return RecoilTemplates({**self.channels, **moved}, {**self.nodes, **nodes})

    def scaled(self, factor: float) -> "RecoilTemplates":
        """Return the templates of `factor` times the exposure."""
        return self.each(lambda array: factor * array)


def _flat(array: Array, axes: int) -> Array:
    """Return an array with its last axes as one."""
    return array.reshape(*array.shape[:-axes], -1)


def spread(components: Array, shares: Array | None) -> Array:
    """Return templates (components, n, ...) in the cells of each bin, of shares (components, n, cells)."""
    if shares is None:
        return components
    rest = components.shape[2:]
    shares = shares.reshape(*shares.shape, *(1,) * len(rest))
    cells = np.zeros((*components.shape[:2], shares.shape[2], *rest))
    np.multiply(components[:, :, np.newaxis], shares, out=cells, where=shares != 0)  # no 0 · ∞
    return cells.reshape(len(components), -1, *rest)


def by_flavour(components: Array, flux: Flux, coherence: str | None = None) -> Array:
    """Return templates (components, n, ...) summed over what the components have of each flavour.

    Or, shape (n, 3, ...) as well, of the coherence of each pair of flavours: its real or imaginary part.
    """
    summed = np.zeros((components.shape[1], 3, *components.shape[2:]))
    for component, templates in zip(flux.components, components, strict=True):
        shares = [getattr(c, coherence) for c in component.coherences] if coherence else component.shares
        for flavour, share in enumerate(shares):
            if share:  # no 0 · ∞
                summed[:, flavour] += share * templates
    return summed


def spectra(
    interaction: Interaction,
    nuclide: Nuclide,
    flux: Flux,
    conventions: cross_section.Conventions,
    T: Array,
    form_factors: tuple[FormFactor, ...],
    times: float | Array = 1.0,
) -> Array:
    """Return what multiplies the products of couplings in dσ/dT, averaged over each component of a source.

    Σ_terms ∫dE φ(E) k(T, E) times prefactor and factors, in cm²/MeV (over the unit of a weight, if any), at
    recoil energies T > 0 in MeV, shape (n,), `times` anything: shape (form factors, components, n, terms).
    """
    M = interaction.mass(nuclide)
    integrals = averages(interaction, flux, T, M, conventions)
    averaged = np.moveaxis(interaction.prefactor(M) * integrals * times, 1, 2)
    factors = [interaction.factors(nuclide, form, conventions, T) for form in form_factors]
    return np.array([averaged * factor for factor in factors])


def averages(
    interaction: Interaction,
    flux: Flux,
    T: Array,
    M: float,
    conventions: cross_section.Conventions,
    pieces: Pieces | None = None,
) -> Array:
    """Return ∫dE φ(E) k(T, E) of each component and kernel, shape (components, kernels, n).

    At the nodes of some pieces, shape (components, kernels, n, K).
    """
    found = []
    for c in flux.components:
        if pieces is None and isinstance(c.spectrum, Continuum):
            each = _averages(c.spectrum, interaction.kernels, T, M, conventions)
        else:
            each = [_average(c.spectrum, k, T, M, conventions, pieces) for k in interaction.kernels]
        found.append([each[k] for k in interaction.of_antineutrinos] if c.antineutrino else each)
    return np.array(found)


def _averages(
    spectrum: Continuum,
    kernels: Sequence[Kernel],
    T: Array,
    M: float,
    conventions: cross_section.Conventions,
) -> list[Array]:
    """Return ∫dE φ(E) k(T, E) of each kernel, shape (n,): if of second degree in 1/E, of three moments."""
    E_min = cross_section.neutrino_energy_min(T, M)
    moments, powers = inverse_moments(spectrum, E_min), np.vander(_PLACES, 3, increasing=True)
    found = []
    for kernel in kernels:
        at_places = kernel(T, E_min / _PLACES[:, np.newaxis], M, conventions)
        coefficients, rounding = np.linalg.inv(powers[:3]) @ at_places[:3], _ROUNDING * np.abs(at_places)[2]
        coefficients[np.abs(coefficients) < rounding] = 0.0
        quadratic = (np.abs(powers[3] @ coefficients - at_places[3]) <= rounding).all()
        found.append(
            (coefficients * moments).sum(axis=0)
            if quadratic
            else _average(spectrum, kernel, T, M, conventions, None)
        )
    return found


def _average(
    spectrum: Line | Continuum,
    kernel: Kernel,
    T: Array,
    M: float,
    conventions: cross_section.Conventions,
    pieces: Pieces | None,
) -> Array:
    """Return ∫dE φ(E) k(T, E), shape (n,), or what it is at each node of some pieces, shape (n, K)."""
    column = T[:, np.newaxis]
    if pieces is None:
        E_min = cross_section.neutrino_energy_min(T, M)
        return flux_integral(spectrum, lambda E: kernel(column, E, M, conventions), E_min)
    parts = []
    for piece in pieces.pieces:
        found = np.zeros((T.size, piece.size))
        if isinstance(piece, Masses):
            own = (spectrum.energy_max, M) == (piece.energy, piece.mass)
            for k, m in enumerate(piece.nodes if own else ()):
                E_min = cross_section.upscattering_energy_min(T, M, m)
                at = E_min < piece.energy
                of_mass = partial(lambda T, m, E: kernel(T, E, M, conventions, m), column[at], m)
                found[at, k] = flux_integral(spectrum, of_mass, E_min[at])
        elif isinstance(spectrum, Line) != (piece.low < piece.high):  # of the same kind
            E, dE = piece.rule
            if isinstance(spectrum, Line):
                amount = np.where(spectrum.energy == E, spectrum.neutrinos, 0.0)
            else:
                inside = (spectrum.knots[0] <= E) & (spectrum.knots[-1] >= E)
                amount = np.where(inside, spectrum.density(E) * dE, 0.0)
            found = amount * kernel(column, E, M, conventions)
        parts.append(found)
    return np.concatenate(parts, axis=1)


def pieces_of(
    kind: type[Masses | Energies],
    flux: Flux,
    masses: Sequence[float],
    baseline_m: float,
    at: float | None = None,
    edges: tuple[float, ...] = (),
) -> Pieces:
    """Return the pieces of a flux for a shape, on targets of some masses (MeV), at one `at` if given.

    `edges` are recoils (MeV) at which the response jumps.
    """
    spectra = [c.spectrum for c in flux.components]
    if kind is Masses:
        ends = dict.fromkeys(s.energy_max for s in spectra)
        return Pieces(tuple(Masses(E, M, at, edges) for M in dict.fromkeys(masses) for E in ends))
    lines = dict.fromkeys((s.energy, s.energy) for s in spectra if isinstance(s, Line))
    knots = {E for s in spectra if not isinstance(s, Line) for E in s.knots}
    low = _SLOWEST * max(knots, default=0.0)
    inside = sorted({low, *(E for E in knots if low < E)})
    return Pieces(tuple(Energies(*pair, baseline_m, flux.extent_m) for pair in (*lines, *pairwise(inside))))


def recoil_templates(
    nuclide: Nuclide,
    flux: Flux,
    form_factor: FormFactor,
    conventions: cross_section.Conventions,
    T: ArrayLike,
    channels: tuple[str, ...] = STANDARD,
) -> RecoilTemplates:
    """Return the templates of dσ/dT(T), averaged over the source: Σ over components of ∫dE φ(E) dσ/dT.

    In cm²/MeV, at recoil energies T > 0 in MeV, shape (n,), with one neutrino per component, so three for a
    stopped-pion source; of channels without a weight.
    """
    T = np.atleast_1d(np.asarray(T, dtype=float))
    found = {}
    for name in channels:
        (of_components,) = spectra(CHANNELS[name].interaction, nuclide, flux, conventions, T, (form_factor,))
        found[name] = by_flavour(of_components, flux, CHANNELS[name].coherence)
    return RecoilTemplates(found)


def rates(
    nuclide: Nuclide,
    flux: Flux,
    form_factor: FormFactor,
    conventions: cross_section.Conventions,
    couplings: Couplings,
    T: Array,
    channels: tuple[str, ...],
    baseline_m: float = 0.0,
) -> Array:
    """Return dσ/dT of nuclear recoils, averaged over the source, by incoming flavour: cm²/MeV, shape (3, n).

    At recoil energies T > 0 in MeV, shape (n,), with one neutrino per component; weights at q = √(2MT).
    """
    found = np.zeros((T.size, len(FLAVOURS)))
    q = cross_section.momentum_transfer(T, nuclide.mass)
    for channel in (CHANNELS[name] for name in channels):
        if channel.interaction.on_electrons or not channel.concerns([nuclide.symbol]):
            continue
        for terms, weight in channel.products(couplings):
            if isinstance(weight, Shape):
                of = flux, (nuclide.mass,), baseline_m, float(weight.value)
                pieces = pieces_of(channel.shape or Masses, *of)
                averaged = averages(channel.interaction, flux, T, nuclide.mass, conventions, pieces)
                factor = channel.interaction.factors(nuclide, form_factor, conventions, T)
                factor = channel.interaction.prefactor(nuclide.mass) * factor
                parts = np.moveaxis(averaged @ weight.at(pieces), 1, 2) * factor
            else:
                (parts,) = spectra(channel.interaction, nuclide, flux, conventions, T, (form_factor,))
            at_q = weight(q)[:, np.newaxis] if isinstance(weight, Weight) else 1.0
            if isinstance(weight, Radius):
                moved = with_neutrons_shifted(form_factor, float(weight.shift))
                parts = spectra(channel.interaction, nuclide, flux, conventions, T, (moved,))[0] - parts
            found += (by_flavour(parts, flux, channel.coherence) * stacked(terms)).sum(axis=-1) * at_q
    return found.T


def recoil_energy_max(mass: float, flux: Flux) -> tuple[float, ...]:
    """Return the largest recoil energy (MeV) of a mass (MeV) that each component of a source can give."""
    return tuple(float(cross_section.recoil_energy_max(c.spectrum.energy_max, mass)) for c in flux.components)

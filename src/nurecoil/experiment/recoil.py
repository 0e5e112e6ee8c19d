"""Recoil spectra: cross sections averaged over the neutrinos of a source, per nuclide and channel."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nurecoil.arithmetic import Array
from nurecoil.physics import cross_section
from nurecoil.physics.channels import CHANNELS, STANDARD
from nurecoil.physics.couplings import FLAVOURS, Couplings
from nurecoil.physics.form_factors import FormFactor, with_neutrons_shifted
from nurecoil.physics.interactions import Interaction
from nurecoil.physics.nuclei import Nuclide
from nurecoil.physics.products import stacked
from nurecoil.physics.radii import Radius
from nurecoil.physics.weights import Weight
from nurecoil.sources import Flux, flux_integral


@dataclass(frozen=True)
class RecoilTemplates:
    """What multiplies products of couplings in a recoil spectrum, or in anything linear in it.

    Attributes
    ----------
    channels : mapping of str to ndarray, shape (n, 3, terms) or (n, 3, terms, K)
        By name of channel: per point (recoil energy or bin), incoming flavour, term, and node of the weight.
        Infinite where the response does not vanish at T -> 0, as the magnetic cross section goes like 1/T.
    nodes : mapping of str to Nodes
        Of the channels with a weight, Nodes or Radii.
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
            name: self[name] @ common.of(self.nodes[name])
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


def by_flavour(components: Array, flux: Flux) -> Array:
    """Return templates (components, n, ...) summed over the components of each flavour, (n, 3, ...)."""
    summed = np.zeros((components.shape[1], 3, *components.shape[2:]))
    for component, templates in zip(flux.components, components, strict=True):
        summed[:, FLAVOURS.index(component.flavour)] += templates
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
    M, column = interaction.mass(nuclide), T[:, np.newaxis]
    E_min = cross_section.neutrino_energy_min(T, M)
    kernels = [lambda E, k=kernel: k(column, E, M, conventions) for kernel in interaction.kernels]
    integrals = [[flux_integral(c.spectrum, kernel, E_min) for kernel in kernels] for c in flux.components]
    for number, component in enumerate(flux.components):
        if component.antineutrino:
            integrals[number] = [integrals[number][k] for k in interaction.of_antineutrinos]
    averaged = np.moveaxis(interaction.prefactor(M) * np.array(integrals) * times, 1, 2)
    factors = [interaction.factors(nuclide, form, conventions, T) for form in form_factors]
    return np.array([averaged * factor for factor in factors])


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
        found[name] = by_flavour(of_components, flux)
    return RecoilTemplates(found)


def rates(
    nuclide: Nuclide,
    flux: Flux,
    form_factor: FormFactor,
    conventions: cross_section.Conventions,
    couplings: Couplings,
    T: Array,
    channels: tuple[str, ...],
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
            (parts,) = spectra(channel.interaction, nuclide, flux, conventions, T, (form_factor,))
            at_q = weight(q)[:, np.newaxis] if isinstance(weight, Weight) else 1.0
            if isinstance(weight, Radius):
                moved = with_neutrons_shifted(form_factor, float(weight.shift))
                parts = spectra(channel.interaction, nuclide, flux, conventions, T, (moved,))[0] - parts
            found += (by_flavour(parts, flux) * stacked(terms)).sum(axis=-1) * at_q
    return found.T


def recoil_energy_max(mass: float, flux: Flux) -> tuple[float, ...]:
    """Return the largest recoil energy (MeV) of a mass (MeV) that each component of a source can give."""
    return tuple(float(cross_section.recoil_energy_max(c.spectrum.energy_max, mass)) for c in flux.components)

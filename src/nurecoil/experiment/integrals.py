"""From the signals of an experiment to templates of counts: nuclei · fluence · ∫dT R[bin, T] dσ/dT."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, TypeVar

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.detector.response import Detector
from nurecoil.errors import NurecoilError
from nurecoil.experiment.experiment import Experiment, Signal
from nurecoil.experiment.quadrature import integrate
from nurecoil.experiment.recoil import RecoilTemplates, by_flavour, recoil_energy_max, spectra, spread
from nurecoil.physics.channels import CHANNELS, STANDARD
from nurecoil.physics.cross_section import momentum_transfer
from nurecoil.physics.electrons import binding_energies
from nurecoil.physics.weights import Nodes

T = TypeVar("T")

_LOWEST: Final = 1e-8  # recoil energies that are looked at, of the largest
_STEPS: Final = 600
_NOTHING: Final = 1e-11  # of the largest response, at recoils that the steepest weight, 1/q⁴, prefers


def signal_templates(
    experiment: Experiment, signals: Sequence[Signal], channels: Sequence[str] = STANDARD
) -> list[RecoilTemplates]:
    """Return the templates of each signal; those that differ by efficiency or form factor share integrals.

    The channels are those without a weight for one kind of recoil, or a single one with a weight.
    """
    interaction, weighted = CHANNELS[channels[0]].interaction, CHANNELS[channels[0]].weighted
    if interaction.on_electrons:
        signals = [replace(s, detector=s.detector.of_electrons()) for s in signals]
    try:
        nodes = _nodes(experiment, signals, channels[0]) if weighted else None
        found: dict[int, RecoilTemplates] = {}
        for first in signals:
            shared = first.detector.but_efficiency()
            group = [s for s in signals if id(s) not in found and s.detector.but_efficiency() == shared]
            if group:
                found |= zip(map(id, group), _shared(experiment, group, channels, nodes), strict=True)
    except NurecoilError as error:
        raise NurecoilError(f"experiment {experiment.name}: {error}") from None
    return [found[id(signal)] for signal in signals]


def _shared(
    experiment: Experiment, signals: Sequence[Signal], channels: Sequence[str], nodes: Nodes | None
) -> list[RecoilTemplates]:
    """Return the templates of signals that differ by efficiency or form factor."""
    detector, flux, target = signals[0].detector, experiment.flux, experiment.target
    efficiencies = _distinct([s.detector.efficiency for s in signals])
    form_factors = tuple(_distinct([s.form_factor for s in signals]))
    exposure = experiment.exposure.fluence * experiment.mass_kg
    shapes = [(CHANNELS[name].terms, *((nodes.q.size,) if nodes else ())) for name in channels]
    ends = np.cumsum([0, *(math.prod(shape) for shape in shapes)])
    of_nuclei = list(zip(target.nuclides, target.nuclei_per_kg, strict=True))

    def integrand(root: Array) -> tuple[slice, Array, Array]:
        T = root**2
        bins = detector.reached(T[0], T[-1])
        part = replace(detector, edges=detector.edges[bins.start : bins.stop + 1])
        summed = np.zeros((len(form_factors), len(flux.components), T.size, ends[-1]))
        for nuclide, per_kg in of_nuclei:
            for name, first, last in zip(channels, ends[:-1], ends[1:], strict=True):
                interaction = CHANNELS[name].interaction
                weight = 2 * root * exposure * per_kg
                found = spectra(interaction, nuclide, flux, experiment.conventions, T, form_factors, weight)
                if nodes:
                    q = momentum_transfer(T, interaction.mass(nuclide))
                    found = found[..., np.newaxis] * nodes.interpolation(q)[:, np.newaxis]
                summed[..., first:last] += found.reshape(*found.shape[:3], -1)
        return bins, part.responses(T, efficiencies), np.moveaxis(summed, 2, 0).reshape(T.size, -1)

    splits = _splits(experiment, signals, channels[0])
    shape = len(detector.edges) - 1, len(efficiencies), len(form_factors), len(flux.components), ends[-1]
    counts = integrate(
        integrand, np.sqrt(splits), (*shape[:2], math.prod(shape[2:])), together=nodes is not None
    ).reshape(shape)
    templates = []
    for s in signals:
        place = efficiencies.index(s.detector.efficiency), form_factors.index(s.form_factor)
        energy = counts[:, *place].swapaxes(0, 1)
        cells = by_flavour(spread(energy, s.spread), flux)
        parts = np.split(cells, ends[1:-1], axis=-1)
        of_channel = {
            name: part.reshape(*part.shape[:2], *size)
            for name, part, size in zip(channels, parts, shapes, strict=True)
        }
        templates.append(RecoilTemplates(of_channel, dict.fromkeys(channels, nodes) if nodes else {}))
    return templates


def _top(experiment: Experiment, channel: str) -> float:
    """Return the largest recoil energy (MeV)."""
    interaction = CHANNELS[channel].interaction
    return max(
        end
        for n in experiment.target.nuclides
        for end in recoil_energy_max(interaction.mass(n), experiment.flux)
    )


def _splits(experiment: Experiment, signals: Sequence[Signal], channel: str) -> Array:
    """Return the recoil energies (MeV) between which an integral over them is smooth, ascending from 0."""
    interaction, nuclides = CHANNELS[channel].interaction, experiment.target.nuclides
    found = [s.detector.breakpoints() for s in signals]
    top = _top(experiment, channel)
    if interaction.on_electrons:  # they reach a thousand times above what detectors of nuclei look at
        top = min(top, max(float(T[-1]) for T in found))
        found += [binding_energies(symbol) for symbol in {n.symbol for n in nuclides}]
    found += [np.array(recoil_energy_max(interaction.mass(n), experiment.flux)) for n in nuclides]
    splits = np.concatenate([[0.0, top], *found])
    return np.asarray(np.unique(splits[splits <= top]))


def _nodes(experiment: Experiment, signals: Sequence[Signal], channel: str) -> Nodes:
    """Return the nodes of a weight, from where the response begins to where it ends.

    It begins where what lies below adds nothing to any bin, not even with the weight of a massless mediator.
    """
    masses = [CHANNELS[channel].interaction.mass(n) for n in experiment.target.nuclides]
    top = float(_splits(experiment, signals, channel)[-1])
    T = top * np.geomspace(_LOWEST, 1.0, _STEPS)
    seen = np.zeros(T.size, dtype=bool)
    detectors: list[Detector] = _distinct([s.detector for s in signals])
    for detector in detectors:
        weighed = detector.response(T) / T
        seen |= (weighed > _NOTHING * np.maximum(weighed.max(axis=1, keepdims=True), 1e-300)).any(axis=0)
    first = int(seen.argmax())
    if seen[0]:
        raise NurecoilError(
            "it sees recoils down to T = 0, where those of a light mediator grow without end: it needs a"
            " threshold"
        )
    ends = T[max(first - 1, 0)], T[-1]
    low, high = (
        float(momentum_transfer(end, M)) for end, M in zip(ends, (min(masses), max(masses)), strict=True)
    )
    return Nodes(low, high)


def _distinct(values: Sequence[T]) -> list[T]:
    return [value for number, value in enumerate(values) if value not in values[:number]]

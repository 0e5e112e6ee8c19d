"""From the signals of an experiment to templates of counts: nuclei · fluence · ∫dT R[bin, T] dσ/dT."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Final, TypeVar

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.errors import NurecoilError
from nurecoil.experiment.experiment import Experiment, Signal
from nurecoil.experiment.quadrature import EACH, integrate
from nurecoil.experiment.recoil import RecoilTemplates, by_flavour, recoil_energy_max, spectra, spread
from nurecoil.physics.channels import CHANNELS, STANDARD
from nurecoil.physics.constants import ELECTRON_MASS
from nurecoil.physics.cross_section import momentum_transfer
from nurecoil.physics.electrons import binding_energies
from nurecoil.physics.form_factors import with_neutrons_shifted
from nurecoil.physics.radii import NEUTRON_RADII, Radii
from nurecoil.physics.weights import Nodes

T = TypeVar("T")

_LOWEST: Final = 1e-8  # recoil energies that are looked at, of the largest
_STEPS: Final = 120
_NOTHING: Final = 1e-11  # of the largest response, at recoils that the steepest weight, 1/q⁴, prefers
_MOST_KEPT: Final = 2**22  # numbers of a response, 32 MB


class Integrals:
    """The integrals over recoils, of nuclei or of electrons, that an experiment's templates are made of.

    What its channels have in common, the response above all, is computed once.
    """

    def __init__(self, experiment: Experiment, signals: Sequence[Signal], on_electrons: bool = False) -> None:
        """Take the signals, and what recoils."""
        self.experiment = experiment
        self.signals = signals
        self.on_electrons = on_electrons

    def templates(self, channels: Sequence[str] = STANDARD) -> list[RecoilTemplates]:
        """Return the templates of each signal, of channels without a weight or of one with a weight."""
        found: dict[int, RecoilTemplates] = {}
        try:
            if radius := CHANNELS[channels[0]].radius:
                return self._of_radii(channels[0], Radii(radius))
            nodes = self.nodes if CHANNELS[channels[0]].weighted else None
            for group in self.groups:
                found |= zip(group.places, group.templates(channels, nodes), strict=True)
        except NurecoilError as error:
            raise NurecoilError(f"experiment {self.experiment.name}: {error}") from None
        return [found[place] for place in range(len(self.signals))]

    def _of_radii(self, channel: str, nodes: Radii) -> list[RecoilTemplates]:
        """Return what the vector channel has more at nodes in the neutron radius than at that of each signal.

        At a node it is the radius itself, also where a pull changes the card's, which so has no effect.
        """
        target, elements = self.experiment.target, NEUTRON_RADII[nodes.group][0]
        nuclides = zip(target.nuclides, target.nuclei_per_kg, strict=True)
        found, per_kg = zip(*(pair for pair in nuclides if pair[0].symbol in elements), strict=True)
        experiment = replace(self.experiment, target=replace(target, nuclides=found, nuclei_per_kg=per_kg))
        moved = [with_neutrons_shifted(experiment.signal.form_factor, shift) for shift in nodes.shifts]
        signals = [replace(s, form_factor=F) for s in self.signals for F in (*moved, s.form_factor)]
        counts = np.array([t["vector"] for t in Integrals(experiment, signals).templates(("vector",))])
        counts = counts.reshape(len(self.signals), -1, *counts.shape[1:])
        changes = np.moveaxis(counts[:, :-1] - counts[:, -1:], 1, -1)
        return [RecoilTemplates({channel: change}, {channel: nodes}) for change in changes]

    @cached_property
    def groups(self) -> "list[_Group]":
        """The signals, in groups that differ by efficiency or form factor."""
        signals = self.signals
        if self.on_electrons:
            signals = [replace(s, detector=s.detector.of_electrons()) for s in signals]
        kinds = [s.detector.but_efficiency() for s in signals]
        places = [[n for n, kind in enumerate(kinds) if kind == one] for one in _distinct(kinds)]
        return [_Group(self.experiment, {n: signals[n] for n in some}, self.on_electrons) for some in places]

    @cached_property
    def nodes(self) -> Nodes:
        """The nodes of a weight, from where the response begins to where it ends.

        It begins where what lies below adds nothing to any bin, not even with the weight of a massless
        mediator.
        """
        T = max(group.splits[-1] for group in self.groups) * np.geomspace(_LOWEST, 1.0, _STEPS)
        seen = np.zeros(T.size, dtype=bool)
        for group in self.groups:
            weighed = group.detector.responses(T, group.efficiencies) / T
            largest = np.maximum(weighed.max(axis=-1, keepdims=True), 1e-300)
            seen |= (weighed > _NOTHING * largest).any(axis=(0, 1))
        if seen[0]:
            raise NurecoilError(
                "it sees recoils down to T = 0, where those of a light mediator grow without end: it needs a"
                " threshold"
            )
        masses = self.groups[0].masses
        first = max(int(seen.argmax()) - 2, 0)  # a step more, in which a narrow bin may begin
        low = momentum_transfer(T[first], min(masses))
        return Nodes(float(low), float(momentum_transfer(T[-1], max(masses))))


class _Group:
    """Signals that differ by efficiency or form factor, and so share integrals."""

    def __init__(self, experiment: Experiment, signals: dict[int, Signal], on_electrons: bool) -> None:
        """Take signals by their place among all."""
        self.experiment = experiment
        self.places, self.signals = list(signals), list(signals.values())
        self.detector = self.signals[0].detector
        self.efficiencies = _distinct([s.detector.efficiency for s in self.signals])
        self.form_factors = tuple(_distinct([s.form_factor for s in self.signals]))
        self.masses = [ELECTRON_MASS if on_electrons else n.mass for n in experiment.target.nuclides]
        self.splits = self._splits(on_electrons)
        self._known: dict[bytes, tuple[slice, Array]] = {}

    def templates(self, channels: Sequence[str], nodes: Nodes | None) -> list[RecoilTemplates]:
        """Return the templates of each signal."""
        flux, target, conventions = self.experiment.flux, self.experiment.target, self.experiment.conventions
        exposure = self.experiment.exposure.fluence * self.experiment.mass_kg
        interactions = [CHANNELS[name].interaction for name in channels]
        terms = [CHANNELS[name].terms for name in channels]

        def integrand(root: Array) -> tuple[slice, Array, Array]:
            T, summed = root**2, np.zeros(1)
            for nuclide, per_kg, mass in zip(target.nuclides, target.nuclei_per_kg, self.masses, strict=True):
                weight = 2 * root * exposure * per_kg
                parts = [
                    spectra(i, nuclide, flux, conventions, T, self.form_factors, weight) for i in interactions
                ]
                at_nodes = nodes.interpolation(momentum_transfer(T, mass)) if nodes else np.ones((T.size, 1))
                summed = summed + np.concatenate(parts, axis=-1)[..., np.newaxis] * at_nodes[:, np.newaxis]
            return *self.response(T), np.moveaxis(summed, 2, 0)

        shape = len(self.form_factors), len(flux.components), sum(terms), nodes.q.size if nodes else 1
        counts = integrate(
            integrand,
            np.sqrt(self.splits),
            (len(self.detector.edges) - 1, len(self.efficiencies), *shape),
            nodes.tests() if nodes else EACH,
        )
        templates = []
        for s in self.signals:
            place = self.efficiencies.index(s.detector.efficiency), self.form_factors.index(s.form_factor)
            cells = by_flavour(spread(counts[:, *place].swapaxes(0, 1), s.spread), flux)
            parts = np.split(cells if nodes else cells[..., 0], np.cumsum(terms)[:-1], axis=2)
            of_channel = dict(zip(channels, parts, strict=True))
            templates.append(RecoilTemplates(of_channel, dict.fromkeys(channels, nodes) if nodes else {}))
        return templates

    def response(self, T: Array) -> tuple[slice, Array]:
        """Return the bins that recoils of T (MeV, ascending) reach, and R[bin, efficiency, T] in those."""
        key = T.tobytes()
        if key in self._known:
            return self._known[key]
        bins = self.detector.reached(T[0], T[-1])
        part = replace(self.detector, edges=self.detector.edges[bins.start : bins.stop + 1])
        found = bins, part.responses(T, self.efficiencies)
        if found[1].size * len(self._known) < _MOST_KEPT:
            self._known[key] = found
        return found

    def _splits(self, on_electrons: bool) -> Array:
        """Return the recoil energies (MeV) between which the integrals are smooth, ascending from 0."""
        found = [detector.breakpoints() for detector in _distinct([s.detector for s in self.signals])]
        ends = np.array([recoil_energy_max(mass, self.experiment.flux) for mass in self.masses])
        top = float(ends.max())
        if on_electrons:  # they reach a thousand times above what detectors of nuclei look at
            top = min(top, max(float(T[-1]) for T in found))
            found += [
                binding_energies(symbol) for symbol in {n.symbol for n in self.experiment.target.nuclides}
            ]
        splits = np.concatenate([[0.0, top], ends.ravel(), *found])
        return np.asarray(np.unique(splits[splits <= top]))


def _distinct(values: Sequence[T]) -> list[T]:
    return [value for number, value in enumerate(values) if value not in values[:number]]

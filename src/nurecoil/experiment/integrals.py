"""From the signals of an experiment to templates of counts: nuclei · fluence · ∫dT R[bin, T] dσ/dT."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Final, TypeVar

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.detector.response import Detector
from nurecoil.errors import NurecoilError
from nurecoil.experiment.experiment import Experiment, Signal
from nurecoil.experiment.quadrature import EACH, NODES, between, integrate
from nurecoil.experiment.recoil import (
    RecoilTemplates,
    averages,
    by_flavour,
    pieces_of,
    recoil_energy_max,
    spectra,
    spread,
)
from nurecoil.physics.channels import CHANNELS, STANDARD
from nurecoil.physics.constants import ELECTRON_MASS
from nurecoil.physics.cross_section import momentum_transfer
from nurecoil.physics.electrons import binding_energies
from nurecoil.physics.form_factors import with_neutrons_shifted
from nurecoil.physics.interactions import Interaction
from nurecoil.physics.radii import NEUTRON_RADII, Radii
from nurecoil.physics.shapes import Energies, Masses, Pieces
from nurecoil.physics.weights import Nodes

T = TypeVar("T")

_LOWEST: Final = 1e-8  # recoil energies that are looked at, of the largest
_STEPS: Final = 120
_NOTHING: Final = 1e-11  # of the largest response, at recoils that the steepest weight, 1/q⁴, prefers
_PARTS: Final = 2  # of each panel, in which the response is a polynomial
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
            if (kind := CHANNELS[channels[0]].shape) is not None:
                return self._of_pieces(channels[0], kind)
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

    def _of_pieces(self, channel: str, kind: type[Masses | Energies]) -> list[RecoilTemplates]:
        """Return the templates of each signal at the nodes of a shape, by a rule from kink to kink."""
        experiment, interaction = self.experiment, CHANNELS[channel].interaction
        target, baseline, masses = experiment.target, experiment.exposure.baseline_m, self.groups[0].masses
        if kind is Masses:
            self.require_threshold()
        elif baseline is None:
            raise NurecoilError("its source has no baseline, over which neutrinos could oscillate")
        detectors = [g.detector for g in self.groups if isinstance(g.detector, Detector)]
        edges = tuple(T for detector in detectors for T in detector.jumps())
        pieces = pieces_of(kind, experiment.flux, masses, baseline or 0.0, edges=edges)
        exposure = experiment.exposure.fluence * experiment.mass_kg
        own = np.concatenate([group.panels[0] for group in self.groups])
        found: list[list[Array]] = [[] for _ in self.signals]
        for piece in pieces.pieces:
            counts: list[Any] = [0.0] * len(self.groups)
            for nuclide, per_kg in zip(target.nuclides, target.nuclei_per_kg, strict=True):
                M, conventions = interaction.mass(nuclide), experiment.conventions
                splits = np.unique(np.concatenate([own, np.sqrt(piece.recoils(M))]))
                x, dx = between(splits[splits <= own.max()])
                parts = averages(interaction, experiment.flux, x**2, M, conventions, Pieces((piece,)))
                weight = 2 * x * dx * exposure * per_kg * interaction.prefactor(M)
                for number, group in enumerate(self.groups):
                    forms = [interaction.factors(nuclide, f, conventions, x**2) for f in group.form_factors]
                    factors = np.moveaxis(np.array(forms), -1, 0) * weight  # (terms, forms, n)
                    rows = group.interpolated(x)[:, :, np.newaxis] * factors[:, np.newaxis, np.newaxis]
                    summed = rows.reshape(len(rows), -1, x.size) @ parts  # (components, terms, rows, K)
                    counts[number] += summed.reshape(*summed.shape[:2], *rows.shape[1:-1], -1)
            for of_group, group in zip(counts, self.groups, strict=True):
                for place, signal in zip(group.places, group.signals, strict=True):
                    chosen = np.moveaxis(of_group[(..., *group.chosen(signal), slice(None))], 1, 2)
                    found[place].append(by_flavour(spread(chosen, signal.spread), experiment.flux))
        arrays = [np.concatenate(parts, axis=-1) for parts in found]
        return [RecoilTemplates({channel: array}, {channel: pieces}) for array in arrays]

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
    def seen(self) -> tuple[float, float]:
        """The smallest and the largest recoil (MeV) that is seen, the smallest 0 if all are.

        It begins where what lies below adds nothing to any bin, not even with the weight of a massless
        mediator.
        """
        T = max(group.splits[-1] for group in self.groups) * np.geomspace(_LOWEST, 1.0, _STEPS)
        seen = np.zeros(T.size, dtype=bool)
        for group in self.groups:
            weighed = group.detector.responses(T, group.efficiencies) / T
            largest = np.maximum(weighed.max(axis=-1, keepdims=True), 1e-300)
            seen |= (weighed > _NOTHING * largest).any(axis=(0, 1))
        first = max(int(seen.argmax()) - 2, 0)  # a step more, in which a narrow bin may begin
        return 0.0 if seen[0] else float(T[first]), float(T[-1])

    def require_threshold(self) -> None:
        """Refuse detectors of all recoils."""
        if not self.seen[0]:
            raise NurecoilError(
                "it sees recoils down to T = 0, where those of a light mediator, or of one that makes a heavy"
                " neutrino, grow without end: it needs a threshold"
            )

    @cached_property
    def nodes(self) -> Nodes:
        """The nodes of a weight in q², of all recoils that are seen."""
        self.require_threshold()
        masses = self.groups[0].masses
        ends = zip(self.seen, (min(masses), max(masses)), strict=True)
        return Nodes(*(float(momentum_transfer(T, M)) for T, M in ends))


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
        self._integrated: dict[tuple[Interaction, Nodes | None], Array] = {}

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
        keys = [(interaction, nodes) for interaction in interactions]
        if all(key in self._integrated for key in keys):
            counts = np.concatenate([self._integrated[key] for key in keys], axis=-2)
        else:
            counts = integrate(
                integrand,
                np.sqrt(self.splits),
                (self.detector.bins, len(self.efficiencies), *shape),
                nodes.tests() if nodes else EACH,
            )
            parts = np.split(counts, np.cumsum(terms)[:-1], axis=-2)
            self._integrated |= zip(keys, parts, strict=True)
        templates = []
        for s in self.signals:
            cells = spread(counts[:, *self.chosen(s)].swapaxes(0, 1), s.spread)
            cells = by_flavour(cells, flux, CHANNELS[channels[0]].coherence)
            parts = np.split(cells if nodes else cells[..., 0], np.cumsum(terms)[:-1], axis=2)
            of_channel = dict(zip(channels, parts, strict=True))
            templates.append(RecoilTemplates(of_channel, dict.fromkeys(channels, nodes) if nodes else {}))
        return templates

    def chosen(self, signal: Signal) -> tuple[int, int]:
        """Return which of the efficiencies and form factors a signal has."""
        efficiency, form_factor = signal.detector.efficiency, signal.form_factor
        return self.efficiencies.index(efficiency), self.form_factors.index(form_factor)

    def response(self, T: Array) -> tuple[slice, Array]:
        """Return the bins that recoils of T (MeV, ascending) reach, and R[bin, efficiency, T] in those."""
        key = T.tobytes()
        if key in self._known:
            return self._known[key]
        found = self.detector.reaching(T, self.efficiencies)
        if found[1].size * len(self._known) < _MOST_KEPT:
            self._known[key] = found
        return found

    @cached_property
    def panels(self) -> tuple[Array, Array]:
        """Panels in √T, (p + 1,), and the response at 15 points of each, (p, 15, bins, efficiencies)."""
        ends = np.sqrt(self.splits)
        edges = np.append(np.linspace(ends[:-1], ends[1:], _PARTS, endpoint=False).T.ravel(), ends[-1])
        x = (edges[:-1, np.newaxis] + edges[1:, np.newaxis] + np.diff(edges)[:, np.newaxis] * NODES) / 2
        R = np.moveaxis(self.detector.responses(x.ravel() ** 2, self.efficiencies), -1, 0)
        return edges, R.reshape(*x.shape, *R.shape[1:])

    def interpolated(self, root: Array) -> Array:
        """Return R[bin, efficiency, T] of all bins, at √T (n,), as polynomials in the panels."""
        edges, R = self.panels
        place = np.clip(np.searchsorted(edges, root, side="right") - 1, 0, len(edges) - 2)
        low, high = edges[place], edges[place + 1]
        degree = NODES.size - 1
        known = np.linalg.inv(np.polynomial.legendre.legvander(NODES, degree))
        basis = np.polynomial.legendre.legvander((2 * root - low - high) / (high - low), degree) @ known
        return np.asarray(np.einsum("nk,nkbe->ben", basis, R[place]))

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

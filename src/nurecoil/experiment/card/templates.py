"""From a card of released templates to an experiment: files of arrays read, checked, and put into bins."""

import json
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import Array
from nurecoil.checks import require_ascending
from nurecoil.detector.templates import Efficiencies, TabulatedResponse
from nurecoil.errors import NurecoilError
from nurecoil.experiment import Axis, Component, Experiment, Shape, Signal, Statistics
from nurecoil.experiment.card.building import of_source, rate_pull, shape_pull
from nurecoil.experiment.card.tables import Tables
from nurecoil.experiment.card.template_schema import Run, TemplateBackground, TemplateCard
from nurecoil.experiment.histograms import histogram
from nurecoil.physics.cross_section import Conventions

Ends = tuple[int, int]  # of both pulls, in steps
_NOMINAL: Final = (0, 0)
_SINGLE: Final[tuple[tuple[Ends, Ends], ...]] = (((1, 0), (-1, 0)), ((0, 1), (0, -1)))
_BOTH: Final[tuple[Ends, Ends]] = ((1, 1), (-1, -1))


def build_templates(card: TemplateCard, folder: Path) -> Experiment:
    """Return the experiment of a card; data files that stand beside it are looked up in `folder`."""
    last = max(axis.column for axis in card.templates.axes)
    tables = Tables(card.templates.release, folder, {}, {run.events: last for run in card.templates.runs})
    return _Builder(card, tables).experiment()


@dataclass(frozen=True)
class _Builder:
    """Builds the experiment of one card: bins run over the axes, and then over the runs."""

    card: TemplateCard
    tables: Tables
    files: dict[tuple[str, str | None], "_Arrays"] = field(default_factory=dict)

    def experiment(self) -> Experiment:
        """Return the whole experiment."""
        card, axes = self.card, tuple(self.axes())
        flux = card.source.neutrinos(self.tables)
        nominal = self.signal(_NOMINAL)
        first, second = (shape_pull(name, "the signal") for name in card.templates.pulls)
        given = zip((first, second, first), (*_SINGLE, _BOTH), (None, None, second), strict=True)
        own = [
            Shape(pull, self.signal(up), self.signal(down), step=card.templates.step, also=also)
            for pull, (up, down), also in given
        ]
        rates = [rate_pull(p.name, p.width, "the signal") for p in card.signal_pulls]
        observed = self.joined([self.observed(run) for run in card.templates.runs])
        backgrounds = tuple(self.background(b) for b in card.backgrounds)
        named = {pull.name for b in backgrounds for pull in b.pulls} | {
            p.name for p in (*rates, first, second)
        }
        of_flux, varied = of_source(flux, nominal, named)
        signal = Component("signal", nominal, (*rates, *of_flux), (*varied, *own))
        return Experiment(
            name=card.name,
            title=card.title,
            reference=card.reference,
            target=card.target.material,
            mass_kg=card.target.mass_kg,
            flux=flux,
            exposure=card.source,
            conventions=Conventions(**vars(card.cross_section)),
            axes=axes,
            statistics=Statistics(observed, signal, backgrounds),
            data_hashes=tuple(sorted(self.tables.hashes.items())),
            overlaps=card.overlaps,
        )

    # the signal

    @cached_property
    def energies(self) -> Array:
        """The energies of the templates, keV, which all runs have."""
        name = self.card.templates.energies
        first, *others = [(run.templates, self.arrays(run).get(name, 1)) for run in self.card.templates.runs]
        require_ascending(f"{name} of {first[0]}", tuple(first[1].tolist()))
        for file, energies in others:
            if not np.array_equal(energies, first[1]):
                raise NurecoilError(f"{file}: {name} differs from that of {first[0]}")
        return first[1]

    def signal(self, ends: Ends) -> Signal:
        """Return the signal at some steps of both pulls."""
        found = []
        for run in self.card.templates.runs:
            table = self.at(run, self.card.templates.signal, ends, leading=(self.energies.size,))
            if (table > 1).any():
                raise NurecoilError(f"{run.templates}: an efficiency of {table.max():g} is above 1")
            found.append(run.exposure * table * self.scale(run, table, ends))
        response = TabulatedResponse(tuple(self.energies.tolist()), Efficiencies(self.joined(found)))
        return Signal(response, self.card.target.form_factor)

    def scale(self, run: Run, table: Array, ends: Ends) -> Array:
        """Return what scales the response in each bin to what the Standard Model is expected to give."""
        if not (expected := self.card.templates.expected):
            return np.ones(table.shape[1:])
        counts = self.at(run, expected.signal, ends, release=expected.release)
        response = TabulatedResponse(
            tuple(self.energies.tolist()), Efficiencies(table.reshape(len(table), -1))
        )
        T_kev, recoils = _recoils(self.tables.path(expected.spectrum, expected.release))
        folded = response.responses(1e-3 * T_kev, [response.efficiency])[:, 0] @ recoils
        return np.divide(counts, folded.reshape(counts.shape), out=np.zeros_like(counts), where=counts > 0)

    # arrays

    def arrays(self, run: Run, release: str | None = None) -> "_Arrays":
        """Return the arrays of a run, of a release (the card's unless given)."""
        key = run.templates, release
        if key not in self.files:
            self.files[key] = _Arrays(run.templates, self.tables.path(*key))
        return self.files[key]

    def at(
        self, run: Run, name: str, ends: Ends, leading: tuple[int, ...] = (), release: str | None = None
    ) -> Array:
        """Return an array (leading axes, values of both pulls, axes of the bins) at some steps of pulls."""
        arrays, templates, places = self.arrays(run, release), self.card.templates, []
        grids = [arrays.get(values, 1) for values in templates.pulls.values()]
        for grid, values, end in zip(grids, templates.pulls.values(), ends, strict=True):
            found = np.flatnonzero(np.abs(grid - end * templates.step) < 1e-9)
            if found.size != 1:
                raise NurecoilError(
                    f"{run.templates}: {values} must have the value {end * templates.step:g} once: shapes are"
                    " taken there"
                )
            places.append(int(found[0]))
        array = arrays.get(name, shape=(*leading, *(grid.size for grid in grids), *self.shape(run)))
        return np.asarray(array[(slice(None),) * len(leading) + tuple(places)])

    def shape(self, run: Run) -> tuple[int, ...]:
        """Return the number of bins on each axis."""
        return tuple(self.arrays(run).get(axis.edges, 1).size - 1 for axis in self.card.templates.axes)

    def joined(self, blocks: list[Array]) -> Array:
        """Return blocks (..., *axes) of all runs as one array (..., bins)."""
        axes = len(self.card.templates.axes)
        stacked = np.stack(blocks, axis=-1)
        return stacked.reshape(*stacked.shape[: -axes - 1], -1)

    # bins

    def axes(self) -> Iterator[Axis]:
        """Yield the axes of the bins; edges that differ between runs are numbers."""
        runs = self.card.templates.runs
        for axis in self.card.templates.axes:
            first, *others = [self.arrays(run).get(axis.edges, 1) for run in runs]
            require_ascending(f"{axis.edges} of {runs[0].templates}", tuple(first.tolist()))
            for run, edges in zip(runs[1:], others, strict=True):
                if edges.size != first.size:
                    raise NurecoilError(
                        f"{run.templates}: {axis.edges} has {edges.size} edges, not {first.size}"
                    )
            alike = all(np.array_equal(edges, first) for edges in others)
            shown = first.tolist() if alike else range(first.size)
            yield Axis(axis.key, axis.name, tuple(map(float, shown)))
        named = ", ".join(run.name for run in runs)
        yield Axis("run", f"run ({named})", tuple(map(float, range(len(runs) + 1))))

    def observed(self, run: Run) -> Array:
        """Return the events of a run in bins."""
        axes, arrays = self.card.templates.axes, self.arrays(run)
        edges = {axis.key: tuple(arrays.get(axis.edges, 1).tolist()) for axis in axes}
        try:
            rows = self.tables.read(run.events)
            return histogram(rows, {axis.key: axis.column for axis in axes}, edges)
        except NurecoilError as error:
            raise NurecoilError(f"{run.events}: {error}") from None

    def background(self, card: TemplateBackground) -> Component[Array]:
        """Return a background; if it is given at values of the pulls, they change its counts in each run.

        Its shape stays: of so few counts little is simulated, and a shape of few is noise, which would grow.
        """
        templates, runs = self.card.templates, len(self.card.templates.runs)
        nominal = self.counts(card, _NOMINAL)
        of_runs = nominal.reshape(-1, runs).sum(axis=0)

        def changed(ends: Ends) -> Array:
            ratio = np.ones(runs)
            counts = self.counts(card, ends).reshape(-1, runs).sum(axis=0)
            np.divide(counts, of_runs, out=ratio, where=of_runs > 0)
            return (nominal.reshape(-1, runs) * ratio).ravel()

        shapes = []
        for name, ends in zip(templates.pulls, _SINGLE, strict=True):
            up, down = map(changed, ends)
            if (up != nominal).any() or (down != nominal).any():
                shapes.append(Shape(shape_pull(name, "the signal"), up, down, step=templates.step))
        rate = rate_pull(card.pull, card.width, card.name)
        return Component(card.name, nominal, (rate,), tuple(shapes))

    def counts(self, card: TemplateBackground, ends: Ends) -> Array:
        """Return the counts of a background in all bins."""
        blocks = []
        for run in self.card.templates.runs:
            arrays, shape = self.arrays(run, card.release), self.shape(run)
            if card.runs and run.name not in card.runs:
                blocks.append(np.zeros(shape))
            elif arrays.get(card.template).ndim == len(shape):
                blocks.append(run.exposure * arrays.get(card.template, shape=shape))
            else:
                blocks.append(run.exposure * self.at(run, card.template, ends, release=card.release))
        return self.joined(blocks)


@dataclass(frozen=True)
class _Arrays:
    """The arrays of one file: finite numbers, none negative unless they are axes."""

    name: str
    path: Path
    known: dict[str, Array] = field(default_factory=dict)

    def get(self, array: str, ndim: int | None = None, shape: tuple[int, ...] | None = None) -> Array:
        """Return an array, of so many axes or of a shape if those are given."""
        if array not in self.known:
            self.known[array] = self.read(array)
        found = self.known[array]
        if ndim is not None and found.ndim != ndim:
            raise NurecoilError(f"{self.name}: {array} has the shape {found.shape}: it must have {ndim} axis")
        if shape is not None:
            if found.shape != shape:
                raise NurecoilError(f"{self.name}: {array} has the shape {found.shape}, it must have {shape}")
            if (found < 0).any():
                raise NurecoilError(f"{self.name}: {array} must not be negative, but one is {found.min():g}")
        return found

    def read(self, array: str) -> NDArray[np.float64]:
        """Return an array of the file."""
        try:
            with self.path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
                if array not in file.files:
                    has = ", ".join(file.files)
                    raise NurecoilError(
                        f"{self.name} has no array {array}, but {has}: is it of another version?"
                    )
                given = file[array]
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, TypeError) as error:
            if isinstance(error, NurecoilError):
                raise
            raise NurecoilError(f"{self.name} is no whole file of arrays (.npz): {array}: {error}") from None
        if given.dtype.kind not in "iuf":
            raise NurecoilError(f"{self.name}: {array} has {given.dtype}: it must have real numbers")
        found: NDArray[np.float64] = given.astype(float)
        if not np.isfinite(found).all():
            raise NurecoilError(f"{self.name}: {array} has numbers that are not finite")
        return found


def _recoils(path: Path) -> tuple[Array, Array]:
    """Return recoil energies (keV) in the middle of steps, and the recoils in each step."""
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
        below, energies = (np.array(given[key], dtype=float).ravel() for key in ("coordinate_system", "map"))
        recoils, middles = float(given["rate"]) * np.diff(below), (energies[1:] + energies[:-1]) / 2
        sound = recoils.shape == middles.shape and (np.diff(energies) > 0).all() and (recoils >= 0).all()
    except (ValueError, KeyError, TypeError) as error:
        raise NurecoilError(f"{path.name} is no spectrum of recoils (JSON): {error!r}") from None
    if not sound:
        raise NurecoilError(f"{path.name}: 'map' must ascend, and 'coordinate_system' not descend beside it")
    return middles, recoils

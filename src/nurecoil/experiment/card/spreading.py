"""Where the counts of an energy bin go on the other axes: arrival times, or the template of a release."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import pairwise

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.errors import NurecoilError
from nurecoil.experiment.card import signal_schema
from nurecoil.experiment.card.schema import Card
from nurecoil.experiment.card.tables import Tables
from nurecoil.sources import Flux
from nurecoil.sources.timing import ConstantTimeEfficiency


@dataclass(frozen=True)
class Spreading:
    """Spreads the signal of one card over its axes, per component of the source."""

    card: Card
    flux: Flux
    tables: Tables

    def nominal(self) -> Array | None:
        """Return the spread of the card; None where there is only the energy axis, and nothing masked."""
        if self.card.time:
            return self.in_time(0.0)
        if shares := self.flux.in_time:
            return np.asarray(self.kept * np.array(shares)[:, np.newaxis])
        if self.card.template:
            return self.of_template(self.card.template.table)
        return None if self.kept.all() else np.tile(self.kept, (len(self.flux.components), 1, 1))

    @cached_property
    def kept(self) -> Array:
        """1 in the bins of the likelihood, 0 in masked ones, where there is nothing: (energies, cells)."""
        masked = self.card.data.masked if self.card.data else {}
        axes = [
            [
                float(not any(low <= a and b <= high for low, high in masked.get(axis.key, ())))
                for a, b in pairwise(axis.edges)
            ]
            for axis in self.card.axes
        ]
        kept: Array = reduce(np.multiply.outer, map(np.array, axes))
        return kept.reshape(len(axes[0]), -1)

    def in_time(self, shift: float) -> Array:
        """Return the fraction of each component's counts in each time bin, (components, energies, times)."""
        time = self.card.time
        assert time is not None
        if isinstance(time, signal_schema.TabulatedTime):
            fractions = {
                kind: self.tables.counts(signal_schema.Table(file=file, columns={"time": 0}, weight=1))
                for kind, file in (("prompt", time.prompt_file), ("delayed", time.delayed_file))
            }
        else:
            fractions = time.pulse(shift).fractions(time.edges_us, time.efficiency)
        return self.kept * self.by_component(fractions, time)

    def by_component(self, fractions: Mapping[str, Array], arrivals: signal_schema.Arrivals) -> Array:
        """Return fractions for each component of the source, prompt or delayed, (components, energies, n)."""
        kinds = {name: kind for kind in ("prompt", "delayed") for name in getattr(arrivals, kind)}
        names = [component.name for component in self.flux.components]
        if sorted([*arrivals.prompt, *arrivals.delayed]) != sorted(names):
            raise NurecoilError(f"each of {', '.join(names)} must be named once, as prompt or delayed")
        energies = len(self.card.detector.edges) - 1
        return np.array([np.tile(fractions[kinds[name]], (energies, 1)) for name in names])

    def of_template(self, table: signal_schema.Table) -> Array:
        """Return the template's share of each cell at each energy that is not masked."""
        return self.kept * self.shares(table)

    def shares(self, table: signal_schema.Table) -> Array:
        """Return the template's share of each cell at each energy, the same for all components.

        An energy bin that is empty in the template takes the shares of the last one that is not.
        """
        counts = self.tables.counts(table)
        rows = counts.reshape(len(counts), -1)
        filled = np.flatnonzero(rows.sum(axis=1) > 0)
        if not filled.size:
            raise NurecoilError(f"the template {table.file} is empty")
        before = np.searchsorted(filled, np.arange(len(rows)), side="right") - 1
        rows = rows[filled[np.maximum(before, 0)]]
        return np.asarray(self.inside_window() * (rows / rows.sum(axis=1, keepdims=True)))

    def inside_window(self) -> Array:
        """Return the fraction of each component's arrivals inside the template's time axis."""
        template = self.card.template
        assert template is not None
        if template.window is None:
            return np.ones((len(self.flux.components), 1, 1))
        return np.asarray(self.in_window(template.window).sum(axis=2, keepdims=True))

    def of_pulse(self) -> Array | None:
        """Return the template's shares with the arrival times of each component; None without a window."""
        template = self.card.template
        if template is None or template.window is None:
            return None
        shares = self.shares(template.table)
        shape = [len(axis.edges) - 1 for axis in template.axes]
        time = 2 + [axis.key for axis in template.axes].index("time")
        cells = shares.reshape(*shares.shape[:2], *shape).sum(axis=time, keepdims=True)
        times = self.in_window(template.window)
        times = times / times.sum(axis=2, keepdims=True)
        others = [n for n in range(2, cells.ndim) if n != time]
        return np.asarray(self.kept * (cells * np.expand_dims(times, others)).reshape(shares.shape))

    def in_window(self, window: signal_schema.Window) -> Array:
        """Return the fraction of each component in each bin of the time axis, (components, energies, n)."""
        fractions = window.pulse().fractions(self.tables.edges["time"], ConstantTimeEfficiency())
        return self.by_component(fractions, window)

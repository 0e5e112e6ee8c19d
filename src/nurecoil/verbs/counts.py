"""Counts by bin beside data, as several verbs draw them: stacked components, data, residuals."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.errors import NurecoilError
from nurecoil.experiment import CompiledExperiment
from nurecoil.presentation.document import Figure, Panel, Reference, Series
from nurecoil.presentation.labels import powers
from nurecoil.study.data import Seen, on_axis
from nurecoil.study.result import Result

Components = Mapping[str, Mapping[str, Array]]
"""Counts per bin of the signal and of each background, by experiment."""

_COLOURS = ("grey", "orange", "purple", "green", "sky")  # of backgrounds, the lowest first
SIGNAL, BLACK = "blue", "black"
BEFORE_FIT, AFTER_FIT = r"systematics, $\pm1\sigma$", r"fit, $\pm1\sigma$"


def panels(
    title: str,
    observable: str,
    edges: Sequence[float],
    components: Mapping[str, Array],
    seen: tuple[Array, tuple[Array, Array]] | None,
    other: tuple[str, Array] | None = None,
    error: tuple[str, Array] | None = None,
) -> tuple[Panel, ...]:
    """Return a panel with stacked components, and below it one with residuals where bins were observed.

    Parameters
    ----------
    components
        Counts per bin, the lowest first; what has one number for all bins is not drawn.
    seen
        Observed counts and their errors, down and up.
    other
        What else is expected in all, such as by the Standard Model; drawn dashed.
    error
        A name, and σ of all that is expected; drawn hatched.
    """
    x, bins = np.asarray(edges, dtype=float), len(edges) - 1
    parts = {name: counts for name, counts in components.items() if counts.size == bins}
    sums = np.cumsum([np.zeros(bins), *parts.values()], axis=0)
    names = [name.replace("-", " ") for name in parts]
    colours = [*(_COLOURS[n % len(_COLOURS)] for n in range(len(parts) - 1)), SIGNAL]
    stack = list(zip(names, sums[1:], colours, strict=True))[::-1]  # each in front of those that are higher
    series = [Series(x, y, name, colour, style="filled") for name, y, colour in stack]
    if other is not None:
        series.append(Series(x, other[1], other[0], BLACK, style="dashed steps"))
    if error is not None and error[1].size == bins:
        series.append(Series(x, sums[-1], error[0], BLACK, style="hatched", y_error=error[1]))
    if seen is None or seen[0].size != bins:
        total = f", observed {float(seen[0].sum()):g} in all" if seen is not None else ""
        return (Panel(observable, "counts per bin", tuple(series), title=powers(title) + total),)
    (observed, (down, up)), middles, model = seen, (x[1:] + x[:-1]) / 2, sums[-1]
    empty = (observed == 0) & (model == 0)  # such as bins that are masked
    data = np.where(empty, np.nan, observed)
    series.append(Series(middles, data, "data", BLACK, style="points", y_error=down, y_error_up=up))
    noise = np.where(observed < model, up, down)
    pulls = np.divide(data - model, noise, out=np.full(bins, np.nan), where=noise > 0)
    residual = Series(middles, pulls, "data", BLACK, style="points", y_error=np.ones(bins))
    ends = float(x[0]), float(x[-1])
    return (
        Panel("", "counts per bin", tuple(series), title=powers(title), x_range=ends),
        Panel(
            observable,
            r"residual [$\sigma$]",
            (residual,),
            (Reference(0.0, "y", ""),),
            x_range=ends,
            low=True,
        ),
    )


def added(shifts: Iterable[Array]) -> Array | None:
    """Return independent shifts, added in quadrature; None if there is none."""
    squares = [shift**2 for shift in shifts]
    return np.sqrt(np.sum(squares, axis=0)) if squares else None


@dataclass(frozen=True)
class BesideData:
    """What is expected where something is fitted, to be drawn beside the data.

    Attributes
    ----------
    titles, seen
        Of the experiments, and what they saw.
    components, other
        Counts of each component at the fit; a name, and the counts of another hypothesis.
    shifts
        Independent shifts of all counts by 1σ, see `Question.shifts`.
    """

    titles: Mapping[str, str]
    seen: Mapping[str, Seen]
    components: Components
    other: tuple[str, Components] | None = None
    shifts: Mapping[str, Array] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        experiments: Sequence[CompiledExperiment],
        components: Components,
        other: tuple[str, Components] | None = None,
        shifts: Mapping[str, Array] | None = None,
    ) -> "BesideData":
        """Return it for the experiments of a study."""
        cards = [compiled.experiment for compiled in experiments]
        titles = {card.name: card.title for card in cards}
        return cls(titles, {card.name: Seen.by(card) for card in cards}, components, other, shifts or {})

    def figure(self, title: str, result: Result[Any]) -> Figure:
        """Return the figure of all experiments that have bins."""
        drawn = [panel for name in self.seen for panel in self._panels(name)]
        if not drawn:
            raise NurecoilError(f"{result.question} has no figure: no bins are observed")
        return Figure("counts", title, "", tuple(drawn), subtitle=result.facts)

    def _panels(self, name: str) -> tuple[Panel, ...]:
        seen, parts = self.seen[name], self.components[name]
        if seen.observed is None or not seen.observed.ndim:
            return ()

        def binned(counts: Array) -> Array:
            return on_axis(counts.reshape(seen.observed.shape), 0)  # type: ignore[union-attr]

        backgrounds = [*seen.backgrounds, *(key for key in parts if key not in seen.backgrounds)]
        order = [*(key for key in backgrounds if key != "signal"), "signal"]  # the colours of all figures
        first = seen.along(0)
        assert first.observed is not None
        assert first.errors is not None
        other = self.other and (self.other[0], binned(sum(self.other[1][name].values(), np.zeros(1))))
        own = {key: binned(parts[key]) for key in order}
        axis, error = seen.axes[0], added(map(binned, self.shifts.get(name, ())))
        both = None if error is None else (AFTER_FIT, error)
        data = first.observed, first.errors
        return panels(self.titles[name], axis.name, axis.edges, own, data, other, both)

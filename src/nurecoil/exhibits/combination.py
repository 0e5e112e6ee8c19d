"""What each experiment says of one parameter, and all of them together."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nurecoil.exhibits.labels import axis_label, cl_label, facts
from nurecoil.presentation.document import Bars, Figure, RowChart
from nurecoil.study.result import Result
from nurecoil.verbs.combine import Combination, Measurement

Array = NDArray[np.float64]

_LABELS = {"alone": "one alone", "without": "all but one", "together": "all"}
_COLOURS = {"alone": "blue", "without": "orange", "together": "black"}


def combination_figure(result: Result[Combination]) -> Figure:
    """Return the allowed intervals of each experiment alone, of all without each one, and of all.

    Examples
    --------
    >>> import nurecoil
    >>> names = ["binh2021-csi", "binh2021-lar"]
    >>> pair = [nurecoil.compile_experiment(nurecoil.load_experiment(name)) for name in names]
    >>> model = nurecoil.load_model("scaled-standard-model")
    >>> result = nurecoil.combine(model, pair, {}, ("signal_strength", 0.0, 2.0))
    >>> combination_figure(result).panels[0].rows
    ('binh2021-csi', 'binh2021-lar', 'together')
    """
    values, parameter = result.values, result.values.parameter
    kinds = {"alone": values.alone, "without": values.without, "together": (values.together,)}
    rows = [(kind, found) for kind, several in kinds.items() for found in several]
    unit = parameter.inside
    bars = [_intervals(kind, rows, unit) for kind, several in kinds.items() if several]
    best = np.array([found.profile.best_fit for _, found in rows]) / unit
    bars.append(Bars(np.arange(len(rows)), best, best, "best fit (dashed: of all)", best, colour="white"))
    scanned = values.together.profile.values / unit
    log = parameter.log_scan and bool(scanned[0] > 0)
    chart = RowChart(
        x_label=axis_label(parameter),
        rows=tuple(found.name for _, found in rows),
        bars=tuple(bars),
        lines=(values.together.profile.best_fit / unit,),
        x_log=log,
        x_range=(float(scanned[0]), float(scanned[-1])) if log else _around(bars, scanned),
    )
    title = f"{parameter.name} at {cl_label(values.cl)}"
    return Figure("combination", title, "", (chart,), subtitle=facts(result))


def _around(bars: Sequence[Bars], scanned: Array) -> tuple[float, float]:
    """Return a range that shows all bars, inside the scanned one."""
    low, high = float(min(b.low.min() for b in bars)), float(max(b.high.max() for b in bars))
    room = 0.1 * (high - low)
    return max(low - room, float(scanned[0])), min(high + room, float(scanned[-1]))


def _intervals(kind: str, rows: Sequence[tuple[str, Measurement]], unit: float) -> Bars:
    """Return the intervals of the rows of one kind."""
    pieces = np.array(
        [
            (number, interval.low / unit, interval.high / unit)
            for number, (its, found) in enumerate(rows)
            for interval in found.profile.intervals
            if its == kind
        ]
    )
    numbers, low, high = pieces.T
    return Bars(numbers.astype(np.intp), low, high, _LABELS[kind], colour=_COLOURS[kind])

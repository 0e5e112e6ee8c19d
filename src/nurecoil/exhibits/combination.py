"""What each experiment says of one parameter, and all of them together."""

from collections.abc import Sequence

import numpy as np

from nurecoil.analysis import Combination, Measurement, Result
from nurecoil.document import Bars, Figure, RowChart

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
    bars.append(Bars(np.arange(len(rows)), best, best, "best fit", best, colour="white"))
    scanned = values.together.profile.values / unit
    chart = RowChart(
        x_label=f"${parameter.latex}$ [{parameter.unit}]" if parameter.unit else f"${parameter.latex}$",
        rows=tuple(found.name for _, found in rows),
        bars=tuple(bars),
        lines=(values.together.profile.best_fit / unit,),
        x_log=parameter.log_scan and bool(scanned[0] > 0),
        x_range=(float(scanned[0]), float(scanned[-1])),
    )
    cl = f"{100 * values.cl:g} % CL"
    return Figure("combination", f"{parameter.name} at {cl}", "", (chart,))


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

"""What intervals by toys look like beside those by Wilks' theorem."""

from collections.abc import Sequence

import numpy as np

from nurecoil.exhibits.labels import axis_label, cl_label, curve, facts, level
from nurecoil.inference.intervals import Interval
from nurecoil.presentation.document import Figure, Panel, Series
from nurecoil.study.result import Result
from nurecoil.verbs.feldman_cousins import Calibrated


def feldman_cousins_figure(result: Result[Calibrated]) -> Figure:
    """Return a figure of Δχ² of the data, Wilks' level, the critical values of toys, and both intervals.

    Examples
    --------
    >>> import nurecoil
    >>> csi = nurecoil.compile_experiment(nurecoil.load_experiment("binh2021-csi"))
    >>> model, scan = nurecoil.load_model("scaled-standard-model"), ("signal_strength", 0.0, 4.0)
    >>> result = nurecoil.feldman_cousins(model, [csi], {}, scan, toys=100, rounds=0)
    >>> [series.label for series in feldman_cousins_figure(result).panels[0].series]
    ['data', 'critical value, toys (band: error)', 'allowed by toys', 'allowed by Wilks']
    """
    values, parameter = result.values, result.values.parameter
    found, unit = values.calibration, parameter.inside
    wilks = found.wilks
    panel = Panel(
        x_label=axis_label(parameter),
        y_label=r"$\Delta\chi^2$",
        series=(
            curve(wilks, unit, "data", "black"),
            Series(
                found.values / unit,
                found.critical,
                "critical value, toys (band: error)",
                colour="vermillion",
                y_error=found.critical_error,
            ),
            *_bar(found.intervals, unit, 0.24 * wilks.level, "allowed by toys", "green"),
            *_bar(wilks.intervals, unit, 0.12 * wilks.level, "allowed by Wilks", "blue"),
        ),
        references=(level(wilks, "Wilks"),),
        x_log=found.log,
        y_range=(0.0, 3.0 * max(wilks.level, float(found.critical.max()))),
    )
    title = f"{parameter.name} at {cl_label(found.cl)}, by toys and by Wilks' theorem"
    return Figure("feldman_cousins", title, "", (panel,), subtitle=facts(result))


def _bar(intervals: Sequence[Interval], unit: float, y: float, label: str, colour: str) -> tuple[Series, ...]:
    """Return intervals as one horizontal line with gaps; nothing where nothing is allowed."""
    if not intervals:
        return ()
    x = [end for i in intervals for end in (i.low / unit, i.high / unit, i.high / unit)]
    return (Series(np.array(x), np.array([y, y, np.nan] * len(intervals)), label, colour=colour),)

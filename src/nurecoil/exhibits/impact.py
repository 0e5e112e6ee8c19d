"""What systematics do to a parameter: the ranking of impacts, with the pulls beside it."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nurecoil.exhibits.labels import axis_label, facts
from nurecoil.presentation.document import Bars, Figure, RowChart
from nurecoil.study.result import Result
from nurecoil.verbs.impact import Impacts

Array = NDArray[np.float64]

_HALVES: tuple[Literal["upper"], Literal["lower"]] = ("upper", "lower")


def impact_figure(result: Result[Impacts], most: int = 30) -> Figure:
    """Return the pull plot: nuisance parameters by impact, the largest first, and how far each is pulled.

    Parameters
    ----------
    result
        From `impact`.
    most : int
        At most so many rows; those with the least impact are left out.

    Examples
    --------
    >>> import nurecoil
    >>> csi = nurecoil.compile_experiment(nurecoil.load_experiment("binh2021-csi"))
    >>> model = nurecoil.load_model("scaled-standard-model")
    >>> result = nurecoil.impact(model, [csi], {}, {"signal_strength": 1.0})
    >>> impact_figure(result).panels[0].rows
    ('binh2021-csi_signal', 'binh2021-csi_background')
    """
    values, parameter = result.values, result.values.parameter
    shown = values.rows[:most]
    names, numbers = tuple(row.pull.name for row in shown), np.arange(len(shown))

    def bars(pairs: list[tuple[float, float]], side: int, label: str, colour: str, filled: bool) -> Bars:
        ends = np.array([pair[side] for pair in pairs]) / parameter.inside
        known = np.isfinite(ends)
        zero, half = np.zeros(known.sum()), _HALVES[side]
        return Bars(numbers[known], zero, ends[known], label, colour=colour, filled=filled, half=half)

    after, before = [row.post_fit for row in shown], [row.pre_fit for row in shown]
    impacts = RowChart(
        x_label=f"change of {axis_label(parameter)}",
        rows=names,
        bars=(
            bars(before, 0, r"prior, $-1\sigma$", "sky", False),
            bars(before, 1, r"prior, $+1\sigma$", "orange", False),
            bars(after, 0, r"fitted, $-1\sigma$", "blue", True),
            bars(after, 1, r"fitted, $+1\sigma$", "vermillion", True),
        ),
        lines=(0.0,),
    )
    pulled = np.array([row.pulled for row in shown])
    below, above = np.nan_to_num(np.array([row.error for row in shown])).T  # an unknown error has no bar
    errors = Bars(numbers, pulled - below, pulled + above, "fitted, in prior widths", pulled, colour="black")
    furthest = max(1.3, 1.1 * float(np.abs([errors.low, errors.high]).max()))
    pulls = RowChart(
        x_label=r"(fit − prior) / prior $\sigma$",
        rows=("",) * len(shown),
        bars=(errors,),
        lines=(-1.0, 0.0, 1.0),
        x_range=(-furthest, furthest),
    )
    return Figure(
        "impact",
        f"Impact of systematics on {parameter.name}",
        "Outlined: one nuisance parameter off by its prior width; filled: by its fitted error."
        + (f" The first {most} of {len(values.rows)}." if most < len(values.rows) else ""),
        (impacts, pulls),
        columns=2,
        subtitle=facts(result),
    )

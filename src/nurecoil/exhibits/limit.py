"""What a limit looks like."""

import math

import numpy as np

from nurecoil.exhibits.labels import LEVEL_COLOURS, axis_label, cl_label, curve, facts, level
from nurecoil.inference.intervals import Profile
from nurecoil.presentation.document import Figure, Panel, Reference, Series
from nurecoil.study.result import Result
from nurecoil.verbs.limit import Limit


def limit_figure(result: Result[Limit]) -> Figure:
    """Return a figure of a limit: Δχ², its allowed parts, the levels, and the ends of the largest intervals.

    Examples
    --------
    >>> import nurecoil
    >>> from nurecoil.presentation import figures
    >>> csi = nurecoil.compile_experiment(nurecoil.load_experiment("binh2021-csi"))
    >>> model = nurecoil.load_model("331-beta")
    >>> result = nurecoil.limit(model, [csi], {"beta": 0.0}, ("m_zprime", 1e5, 1e8))  # in MeV
    >>> figure = limit_figure(result)
    >>> figure.title
    'm_zprime at 90 % CL'
    >>> figures.save_as(figure, "limit.png")  # doctest: +SKIP
    """
    parameter, unit = result.values.parameter, result.values.parameter.inside
    profiles = sorted(result.values.profiles.items(), reverse=True)  # the smaller intervals above the larger
    _, largest = profiles[0]
    allowed = [
        _allowed(profile, unit, cl_label(cl) if len(profiles) > 1 else "allowed", colour)
        for (cl, profile), colour in zip(profiles, LEVEL_COLOURS * len(profiles), strict=False)
        if profile.intervals
    ]
    ends = [
        Reference(x / unit, "x", parameter.format(x, 4))
        for interval in largest.intervals  # those of all levels would be too close to one another
        for x, is_open in ((interval.low, interval.open_low), (interval.high, interval.open_high))
        if not is_open
    ]
    panel = Panel(
        x_label=axis_label(parameter),
        y_label=r"$\Delta\chi^2$",
        series=(curve(largest, unit, r"$\Delta\chi^2$", "grey"), *allowed),
        references=(*(level(profile, cl_label(cl)) for cl, profile in profiles), *ends),
        x_log=parameter.log_scan and bool(largest.values[0] > 0),
        y_range=(min(0.0, 1.1 * float(largest.delta_chi2.min())), 4 * largest.level),
    )
    title = f"{parameter.name} at {cl_label(*result.values.profiles)}"
    return Figure("limit", title, "", (panel,), subtitle=facts(result))


def _allowed(profile: Profile, unit: float, label: str, colour: str) -> Series:
    """Return the allowed part of the curve as one series with gaps."""
    pieces = []
    for interval in profile.intervals:
        inside = (profile.values > interval.low) & (profile.values < interval.high)
        low, high = (
            math.nan if is_open else profile.level for is_open in (interval.open_low, interval.open_high)
        )
        x = [interval.low, *profile.values[inside], interval.high, interval.high]
        pieces.append(np.array([x, [low, *profile.delta_chi2[inside], high, math.nan]]))  # NaN: a gap
    x, y = np.concatenate(pieces, axis=1)
    return Series(x / unit, y, label, colour=colour)

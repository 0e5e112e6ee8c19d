"""Results as figures of a `document`: what a limit looks like, for `figures` to draw."""

import math

import numpy as np

from nurecoil.analysis import Limit, Result
from nurecoil.document import Figure, Panel, Reference, Series


def limit_figure(result: Result[Limit]) -> Figure:
    """Return a figure of a limit: Δχ², its allowed parts, the level, and the ends of the intervals.

    Examples
    --------
    >>> import nurecoil
    >>> from nurecoil import figures
    >>> csi = nurecoil.compile_experiment(nurecoil.load_experiment("binh2021-csi"))
    >>> model = nurecoil.load_model("331-beta")
    >>> result = nurecoil.limit(model, [csi], {"beta": 0.0}, ("m_zprime", 1e5, 1e8))  # in MeV
    >>> figure = limit_figure(result)
    >>> figure.title
    'm_zprime at 90 % CL'
    >>> figures.save_as(figure, "limit.png")  # doctest: +SKIP
    """
    profile, parameter = result.values.profile, result.values.parameter
    unit, name = parameter.inside, f"${parameter.latex}$"
    finite = np.where(np.isfinite(profile.delta_chi2), profile.delta_chi2, np.nan)
    curve = Series(profile.values / unit, finite, r"$\Delta\chi^2$", colour="grey")
    ends = [
        Reference(x / unit, "x", parameter.format(x, 4))
        for interval in profile.intervals
        for x, is_open in ((interval.low, interval.open_low), (interval.high, interval.open_high))
        if not is_open
    ]
    cl = f"{100 * result.values.cl:g} % CL"
    level = Reference(profile.level, "y", rf"{cl}: $\Delta\chi^2$ = {profile.level:.3g}")
    panel = Panel(
        x_label=f"{name} [{parameter.unit}]" if parameter.unit else name,
        y_label=r"$\Delta\chi^2$",
        series=(curve, *_allowed_series(result)),
        references=(level, *ends),
        x_log=parameter.log_scan and bool(profile.values[0] > 0),
        y_range=(min(0.0, 1.1 * float(profile.delta_chi2.min())), 4 * profile.level),
    )
    return Figure("limit", f"{parameter.name} at {cl}", "", (panel,))


def _allowed_series(result: Result[Limit]) -> tuple[Series, ...]:
    """Return the allowed part of the curve as one series with gaps, none if nothing is allowed."""
    profile, pieces = result.values.profile, []
    for interval in profile.intervals:
        inside = (profile.values > interval.low) & (profile.values < interval.high)
        low, high = (
            math.nan if is_open else profile.level for is_open in (interval.open_low, interval.open_high)
        )
        x = [interval.low, *profile.values[inside], interval.high, interval.high]
        pieces.append(np.array([x, [low, *profile.delta_chi2[inside], high, math.nan]]))  # NaN: a gap
    if not pieces:
        return ()
    x, y = np.concatenate(pieces, axis=1)
    return (Series(x / result.values.parameter.inside, y, "allowed", colour="blue"),)

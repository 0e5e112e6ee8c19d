"""Allowed intervals of one parameter, as several verbs show them."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.checks import require_whole
from nurecoil.inference.intervals import Interval, Profile
from nurecoil.parameters import Parameter, at_border
from nurecoil.presentation.document import Area, Figure, Panel, Reference, Series, Style
from nurecoil.presentation.labels import axis_label, symbol
from nurecoil.study.result import Result

FEWEST_POINTS, MOST_POINTS = 101, 1_000_000  # a coarser grid can miss a narrow window


def require_curve(points: int) -> None:
    """Refuse a number of points that a curve cannot have."""
    require_whole("points", points, FEWEST_POINTS, MOST_POINTS)


def at_edge(best_fit: float, values: Array) -> bool:
    """Return whether the best fit lies at an end of the scanned values."""
    low, high = values[[0, -1]]
    return math.isfinite(best_fit) and min(best_fit - low, high - best_fit) <= 1e-6 * (high - low)


def edge_note(best_fit: str, what: str) -> str:
    """Return what a best fit at the edge of the scan means for intervals, regions or the like."""
    return (
        f"the best fit{best_fit} lies at the edge of the scanned range: {what} are relative to the best point"
        " inside the range."
    )


# --- as plain data ------------------------------------------------------------------------------------


def profile_record(parameter: Parameter, cl: float, profile: Profile) -> dict[str, object]:
    """Return the best fit and what is allowed at one level."""
    best = at_border([parameter], {parameter.name: profile.best_fit})
    return {"best_fit": best, "chi2": profile.minimum, **level_record(parameter.inside, cl, profile)}


def level_record(unit: float, cl: float, profile: Profile) -> dict[str, object]:
    """Return what is allowed at one level, at the border unit."""
    limits = {"lower_limit": profile.lower_limit, "upper_limit": profile.upper_limit}
    return {
        "cl": cl,
        "level": profile.level,
        **intervals_record(unit, profile.intervals),
        **{name: None if value is None else value / unit for name, value in limits.items()},
    }


def intervals_record(unit: float, intervals: tuple[Interval, ...]) -> dict[str, object]:
    """Return intervals at the border unit; an end at the edge of the scan is said to be open."""
    return {
        "allowed": [[i.low / unit, i.high / unit] for i in intervals],
        "open": [[i.open_low, i.open_high] for i in intervals],
    }


# --- in words -----------------------------------------------------------------------------------------


def best_fit_text(parameter: Parameter, profile: Profile) -> str:
    """Return the best fit and where it lies, if that is no point inside the scan."""
    if math.isinf(profile.best_fit):
        return f"none: {parameter.name} decouples, χ² = {profile.minimum:.2f}"
    edge = ", at the edge of the scan" if at_edge(profile.best_fit, profile.values) else ""
    return f"{parameter.format(profile.best_fit, 4)}{edge}, χ² = {profile.minimum:.2f}"


def interval_text(parameter: Parameter, interval: Interval) -> str:
    """Return one interval in words; an end at the scan's edge is not an end."""
    low, high = parameter.format(interval.low, 4), parameter.format(interval.high, 4)
    if interval.open_low and interval.open_high:
        return f"everything scanned, {low} to {high}"
    if interval.open_high:
        return f"above {low} (scanned up to {high})"
    if interval.open_low:
        return f"below {high} (scanned down to {low})"
    return f"{low} to {high}"


def interval_rows(name: str, parameter: Parameter, intervals: tuple[Interval, ...]) -> list[tuple[str, str]]:
    """Return a row for each interval, of which the first has the name."""
    texts = [interval_text(parameter, interval) for interval in intervals] or ["nothing"]
    return [(name if number == 0 else "", text) for number, text in enumerate(texts)]


# --- in figures ---------------------------------------------------------------------------------------


def curve(profile: Profile, unit: float, label: str, colour: str, style: Style = "solid") -> Series:
    """Return Δχ² of a profile, with gaps where it is infinite."""
    finite = np.where(np.isfinite(profile.delta_chi2), profile.delta_chi2, np.nan)
    return Series(profile.values / unit, finite, label, colour=colour, style=style)


def figure(
    result: Result[Any],
    what: str,
    profile: Profile,
    series: Iterable[Series],
    references: Iterable[Reference],
    top: float,
    areas: tuple[Area, ...] = (),
) -> Figure:
    """Return the figure of curves of Δχ² of a result's parameter, from 0 (or its lowest) up to `top`."""
    parameter: Parameter = result.values.parameter.as_asked
    panel = Panel(
        x_label=axis_label(parameter),
        y_label=r"$\Delta\chi^2$",
        series=tuple(series),
        references=tuple(references),
        x_log=parameter.log_scan and bool(profile.values[0] > 0),
        y_range=(min(0.0, 1.1 * float(profile.delta_chi2.min())), top),
        areas=areas,
    )
    return Figure(result.question, f"{symbol(parameter)} at {what}", "", (panel,), subtitle=result.facts)


def level_line(profile: Profile, what: str) -> Reference:
    """Return the line below which Δχ² is allowed."""
    return Reference(profile.level, "y", rf"{what}: $\Delta\chi^2$ = {profile.level:.3g}")

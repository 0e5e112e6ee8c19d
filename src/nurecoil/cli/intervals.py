"""Allowed intervals of one parameter, as several commands print them."""

import math
from typing import TYPE_CHECKING

from nurecoil.cli.arguments import check_points
from nurecoil.cli.terminal import at_border

if TYPE_CHECKING:
    from nurecoil.inference import Interval, Profile
    from nurecoil.parameters import Parameter

FEWEST_POINTS, MOST_POINTS = 101, 1_000_000  # a coarser grid can miss a narrow window


def check_curve(points: int) -> None:
    """Refuse a number of points that a curve cannot have."""
    check_points(points, FEWEST_POINTS, MOST_POINTS)


def profile_json(parameter: "Parameter", cl: float, profile: "Profile") -> dict[str, object]:
    """Return the best fit and what is allowed at one level."""
    best = at_border([parameter], {parameter.name: profile.best_fit})
    return {"best_fit": best, "chi2": profile.minimum, **level_json(parameter.inside, cl, profile)}


def level_json(unit: float, cl: float, profile: "Profile") -> dict[str, object]:
    """Return what is allowed at one level, at the border unit."""
    limits = {"lower_limit": profile.lower_limit, "upper_limit": profile.upper_limit}
    return {
        "cl": cl,
        "level": profile.level,
        **intervals_json(unit, profile.intervals),
        **{name: None if value is None else value / unit for name, value in limits.items()},
    }


def intervals_json(unit: float, intervals: "tuple[Interval, ...]") -> dict[str, object]:
    """Return intervals at the border unit; an end at the edge of the scan is said to be open."""
    return {
        "allowed": [[i.low / unit, i.high / unit] for i in intervals],
        "open": [[i.open_low, i.open_high] for i in intervals],
    }


def best_fit_text(parameter: "Parameter", profile: "Profile") -> str:
    """Return the best fit and where it lies, if that is no point inside the scan."""
    from nurecoil.verbs.limit import at_edge

    if math.isinf(profile.best_fit):
        return f"none: {parameter.name} decouples, χ² = {profile.minimum:.2f}"
    edge = ", at the edge of the scan" if at_edge(profile) else ""
    return f"{parameter.format(profile.best_fit, 4)}{edge}, χ² = {profile.minimum:.2f}"


def interval_text(parameter: "Parameter", interval: "Interval") -> str:
    """Return one interval in words; an end at the scan's edge is not an end."""
    low, high = parameter.format(interval.low, 4), parameter.format(interval.high, 4)
    if interval.open_low and interval.open_high:
        return f"everything scanned, {low} to {high}"
    if interval.open_high:
        return f"above {low} (scanned up to {high})"
    if interval.open_low:
        return f"below {high} (scanned down to {low})"
    return f"{low} to {high}"


def interval_rows(
    name: str, parameter: "Parameter", intervals: "tuple[Interval, ...]"
) -> list[tuple[str, str]]:
    """Return a row for each interval, of which the first has the name."""
    texts = [interval_text(parameter, interval) for interval in intervals] or ["nothing"]
    return [(name if number == 0 else "", text) for number, text in enumerate(texts)]

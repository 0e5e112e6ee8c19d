"""What a limit hangs on, as a table."""

from nurecoil.inference import Interval
from nurecoil.presentation.document import Table
from nurecoil.study.result import Result
from nurecoil.verbs.limit import Limit, Varied

_SMALL = 0.01  # of an interval: choices that move no end by more are only named


def variations_table(result: Result[Limit]) -> Table:
    """Return a table of what is allowed with each choice made otherwise, and how far the ends have moved."""
    parameter, intervals = result.values.parameter, result.values.profile.intervals
    varied = result.values.variations or ()

    def number(value: float, form: str = ".4g") -> str:
        return f"{value / parameter.inside:{form}}".replace("-", "−")

    def allowed(interval: Interval) -> str:
        low, high = (number(end) for end in (interval.low, interval.high))
        if interval.open_low:
            return "all scanned" if interval.open_high else f"below {high}"
        return f"above {low}" if interval.open_high else f"{low} to {high}"

    def moves(each: Varied) -> str:
        if len(each.intervals) != len(intervals):
            return f"{len(intervals)} → {len(each.intervals)} intervals"
        ends = ["–" if shift is None else number(shift, "+.2g") for shift in each.shifts]
        pairs = zip(ends[::2], ends[1::2], strict=True)
        return "; ".join(map(", ".join, pairs)) or "an end comes or goes"

    rows = [("as asked", "; ".join(map(allowed, intervals)) or "nothing", "")]
    for each in varied:
        if each.size > _SMALL:
            rows.append((each.choice, "; ".join(map(allowed, each.intervals)) or "nothing", moves(each)))
    small = ", ".join(each.choice for each in varied if each.size <= _SMALL)
    return Table(
        title=f"What the limit hangs on: {parameter.name}{f' [{parameter.unit}]' if parameter.unit else ''}",
        columns=("choice, one changed at a time", "allowed", "the ends move by"),
        rows=tuple(rows),
        caption=f"No end moves by {100 * _SMALL:g} % of its interval with: {small}." if small else "",
    )

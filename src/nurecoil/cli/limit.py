"""`nurecoil limit`: the allowed values of a parameter."""

from typing import TYPE_CHECKING, Annotated

import typer

from nurecoil.cli import arguments as given
from nurecoil.cli.answering import answer, convergence, plot_of
from nurecoil.cli.arguments import parse_levels, parse_profiled
from nurecoil.cli.intervals import (
    best_fit_text,
    check_curve,
    interval_rows,
    intervals_json,
    level_json,
    profile_json,
)
from nurecoil.cli.reading import AskedScan, read_scan
from nurecoil.cli.terminal import print_pairs, print_table

if TYPE_CHECKING:
    from nurecoil.inference import Profile
    from nurecoil.parameters import Parameter
    from nurecoil.study.result import Result
    from nurecoil.verbs.limit import Limit
    from nurecoil.verbs.vary import Case

LEVELS = ["90%"]
SUMMARY = "Find the allowed values of a parameter."
HELP = """Find all values of one parameter that experiments allow together.

Nuisance parameters are profiled: fitted anew at each value. With --freeze-at they are held at their best fit
for that value of the scanned parameter, and Δχ² is counted from there, as some papers do.

With --vary the limit is found again with one choice after another made otherwise: priors wider, narrower and
held, bins merged or dropped, other form factors, s_W² and electroweak schemes. The table says what each does
to the ends; docs/validation.md has those of the data releases.

\b
Examples:
  nurecoil limit --model 331-beta --experiment binh2021-csi \\
    --set 'beta=-sqrt(3)' --scan m_zprime=0.1TeV..100TeV
  nurecoil limit --model 331-beta --set beta=0 --scan m_zprime=100GeV..10TeV \\
    --experiment binh2021-csi --experiment binh2021-lar --cl 68% --cl 95% --plot limit.png
  nurecoil limit --model scaled-standard-model --experiment binh2021-csi --scan signal_strength=0..5 --vary
  nurecoil limit --model 331-beta --experiment binh2021-ge --set m_zprime=1TeV \\
    --scan 'beta=-sqrt(3)..sqrt(3)' --prior binh2021-ge_signal=0.3 --json"""


def limit(
    model: given.ModelName,
    experiment: given.Experiments,
    scan: given.Scanned,
    settings: given.Setting = None,
    cl: given.ConfidenceLevels = LEVELS,
    freeze_at: Annotated[
        str | None,
        typer.Option(
            metavar="VALUE",
            help="Hold nuisance parameters at their best fit there.",
            show_default="profile them",
        ),
    ] = None,
    fix: given.Fixed = None,
    prior: given.PriorWidths = None,
    constrain: given.Constrained = None,
    profile: given.ProfiledOver = None,
    points: given.CurvePoints = 2001,
    form_factor: given.FormFactorName = None,
    engine: given.EngineName = "auto",
    vary: Annotated[
        bool,
        typer.Option("--vary", help="Say what the limit hangs on, choice by choice.", show_default=False),
    ] = False,
    as_json: given.AsJson = False,
    plot: given.Plot = None,
) -> None:
    """Print all allowed intervals of one parameter."""
    from nurecoil.exhibits import limit_figure
    from nurecoil.verbs import limit as verb
    from nurecoil.verbs import vary as varying

    check_curve(points)
    asked = read_scan(model, experiment, [scan], settings, fix, prior, constrain, form_factor)
    ((parameter, *_),) = asked.ranges
    over = parse_profiled(asked.model, profile or (), asked.scans)
    frozen = None if freeze_at is None else float(parameter.parse(freeze_at))
    levels = parse_levels(cl)

    def ask(case: "Case") -> "Result[Limit]":
        return verb.limit(
            *(asked.model, case.experiments, case.fixed, asked.scans[0]),
            cl=levels,
            freeze_at=frozen,
            widths=case.widths,
            over=over,
            engine=engine,
            points=points,
        )

    case = varying.Case(tuple(asked.experiments), asked.values, asked.widths)
    answer(
        asked,
        lambda: varying.vary(ask, asked.model, case) if vary else ask(case),
        _json,
        _print,
        as_json,
        [plot_of(plot, limit_figure)],
    )


def _json(asked: AskedScan, result: "Result[Limit]") -> dict[str, object]:
    values, parameter, profile = result.values, result.values.parameter, result.values.profile
    unit = parameter.inside
    return {
        "parameter": parameter.name,
        "unit": parameter.unit,
        **profile_json(parameter, values.cl, profile),
        "levels": [level_json(unit, cl, curve) for cl, curve in values.profiles.items()],
        "curve": {"values": profile.values / unit, "delta_chi2": profile.delta_chi2},
        "variations": values.variations
        and [
            {
                "choice": varied.choice,
                "meaning": varied.meaning,
                **intervals_json(unit, varied.intervals),
                "shifts": [None if shift is None else shift / unit for shift in varied.shifts],
                "converged": varied.converged,
            }
            for varied in values.variations
        ],
    }


def _print(asked: AskedScan, result: "Result[Limit]") -> None:
    parameter, profiles = result.values.parameter, result.values.profiles
    rows, best = [], result.values.profile
    for cl, profile in profiles.items():
        level = f" at {100 * cl:g} % CL" if len(profiles) > 1 else ""
        rows += interval_rows(f"allowed{level}", parameter, profile.intervals)
        rows += _limits(parameter, profile)
    rows.append(("best fit", best_fit_text(parameter, best)))
    rows.append(convergence(result, "the ends of the intervals are not exact"))
    levels = ", ".join(f"{100 * cl:g} %" for cl in profiles)
    bounds = ", ".join(f"{profile.level:.4g}" for profile in profiles.values())
    print_pairs(asked.title(f"{parameter.name} at {levels} CL (Δχ² ≤ {bounds})"), rows)
    if result.values.variations is not None:
        from nurecoil.exhibits import variations_table

        print()
        table = variations_table(result)
        print_table(table.title, table.columns, table.rows)
        print(table.caption)


def _limits(parameter: "Parameter", profile: "Profile") -> list[tuple[str, str]]:
    """Return the one-sided limits, or why there is none."""
    named = (("lower limit", profile.lower_limit), ("upper limit", profile.upper_limit))
    found = [(name, parameter.format(value, 4)) for name, value in named if value is not None]
    if found or not profile.intervals:
        return found
    first, last = profile.intervals[0], profile.intervals[-1]
    if first.open_low and last.open_high:
        return [("limit", "none in the scanned range")]
    return [("limits", f"two-sided interval{'s' if len(profile.intervals) > 1 else ''}")]

"""`nurecoil limit`: the allowed values of a parameter."""

import math
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nurecoil.cli.arguments import (
    AsJson,
    EngineName,
    Experiments,
    FormFactorName,
    ModelName,
    PriorWidths,
    ProfiledOver,
    Setting,
    compile_experiments,
    parse_levels,
    parse_priors,
    parse_profiled,
    parse_scan,
    parse_settings,
    quiet,
    require_finite_counts,
    require_signal,
)
from nurecoil.cli.terminal import at_border, print_basis, print_json, print_pairs
from nurecoil.errors import NurecoilError
from nurecoil.staging import staged_file

if TYPE_CHECKING:
    from nurecoil.analysis import Limit, Result
    from nurecoil.inference import Interval, Profile
    from nurecoil.models import Model
    from nurecoil.parameters import Parameter

FEWEST_POINTS, MOST_POINTS = 101, 1_000_000  # a coarser grid can miss a narrow window
SUMMARY = "Find the allowed values of a parameter."
HELP = """Find all values of one parameter that experiments allow together.

Nuisance parameters are profiled: fitted anew at each value. With --freeze-at they are held at their best fit
for that value of the scanned parameter, and Δχ² is counted from there, as some papers do.

\b
Examples:
  nurecoil limit --model 331-beta --experiment binh2021-csi \\
    --set 'beta=-sqrt(3)' --scan m_zprime=0.1TeV..100TeV
  nurecoil limit --model 331-beta --set beta=0 --scan m_zprime=100GeV..10TeV \\
    --experiment binh2021-csi --experiment binh2021-lar --cl 68% --cl 95% --plot limit.png
  nurecoil limit --model 331-beta --experiment binh2021-ge --set m_zprime=1TeV \\
    --scan 'beta=-sqrt(3)..sqrt(3)' --prior binh2021-ge_signal=0.3 --json"""


def limit(
    model: ModelName,
    experiment: Experiments,
    scan: Annotated[str, typer.Option(metavar="NAME=LOW..HIGH", help="The parameter to find limits of.")],
    settings: Setting = None,
    cl: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CL", help="Confidence level, between 0 and 1; repeat for more.", show_default="90%"
        ),
    ] = None,
    freeze_at: Annotated[
        str | None,
        typer.Option(
            metavar="VALUE",
            help="Hold nuisance parameters at their best fit there.",
            show_default="profile them",
        ),
    ] = None,
    prior: PriorWidths = None,
    profile: ProfiledOver = None,
    points: Annotated[int, typer.Option(metavar="N", help="Points of the curve, at least 101.")] = 2001,
    form_factor: FormFactorName = None,
    engine: EngineName = "numpy",
    as_json: AsJson = False,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw Δχ² to a .png, .svg or .pdf file.", show_default="no plot"),
    ] = None,
) -> None:
    """Print all allowed intervals of one parameter."""
    from nurecoil import analysis, figures
    from nurecoil.exhibits import limit_figure
    from nurecoil.models import load_model

    if plot:
        figures.format_of(plot)  # refuses before anything is computed
    if not FEWEST_POINTS <= points <= MOST_POINTS:
        raise NurecoilError(
            f"points = {points} is not allowed: it must be between {FEWEST_POINTS} and {MOST_POINTS}"
        )
    chosen = load_model(model)
    values = parse_settings(chosen, settings or ())
    compiled = compile_experiments(experiment, form_factor)
    pulls = [pull for each in compiled for pull in each.experiment.statistics.pulls]
    parameter, low, high = parse_scan((*chosen.parameters, *pulls), scan)
    if parameter.name in values:
        raise NurecoilError(f"{parameter.name} is both set and scanned: do one or the other")
    widths = parse_priors(prior or ())
    over = parse_profiled(chosen, profile or ())
    frozen = None if freeze_at is None else float(parameter.parse(freeze_at))
    levels = parse_levels(cl or ("90%",))
    with staged_file(plot) if plot else nullcontext() as target:
        require_signal(compiled)
        for end in (low, high):
            scanned = {} if parameter in pulls else {parameter.name: end}
            require_finite_counts(chosen, compiled, {**values, **scanned})
        with quiet():
            result = analysis.limit(
                chosen,
                compiled,
                values,
                (parameter.name, low, high),
                cl=levels,
                freeze_at=frozen,
                widths=widths,
                over=over,
                engine=engine,
                points=points,
            )
        if target:
            figures.save_as(limit_figure(result), target)
    if as_json:
        print_json(_limit_json(chosen, experiment, result))
    else:
        _print_limit(chosen, experiment, result)
    if plot:
        print(f"Plot: {plot}", file=sys.stderr if as_json else sys.stdout)


def _limit_json(model: "Model", experiments: Sequence[str], result: "Result[Limit]") -> dict[str, object]:
    parameter, profile = result.values.parameter, result.values.profile
    levels = [level_json(cl, curve, parameter.inside) for cl, curve in result.values.profiles.items()]
    return {
        "model": model.name,
        "experiments": list(experiments),
        "parameter": parameter.name,
        "unit": parameter.unit,
        "best_fit": profile.best_fit / parameter.inside,
        "minimum": profile.minimum,
        **levels[0],
        "converged": result.converged,
        "parameters": at_border(model.parameters, result.fixed),
        "notes": list(result.notes),
        "conventions": dict(result.conventions),
        "provenance": dict(result.provenance),
        **({"levels": levels} if len(levels) > 1 else {}),
        "curve": {
            "values": (profile.values / parameter.inside).tolist(),
            "delta_chi2": [x if math.isfinite(x) else None for x in profile.delta_chi2.tolist()],
        },
    }


def level_json(cl: float, profile: "Profile", unit: float) -> dict[str, object]:
    """Return what is allowed at one level, at the border unit; None stands for "open at the upper edge"."""
    return {
        "cl": cl,
        "level": profile.level,
        "allowed": [[i.low / unit, None if i.open_high else i.high / unit] for i in profile.intervals],
        "open": [[interval.open_low, interval.open_high] for interval in profile.intervals],
        "lower_limit": _scaled(profile.lower_limit, unit),
        "upper_limit": _scaled(profile.upper_limit, unit),
    }


def _scaled(value: float | None, unit: float) -> float | None:
    return None if value is None else value / unit


def _print_limit(model: "Model", experiments: Sequence[str], result: "Result[Limit]") -> None:
    parameter, profiles = result.values.parameter, result.values.profiles
    rows, best = [], result.values.profile
    for cl, profile in profiles.items():
        level = f" at {100 * cl:g} % CL" if len(profiles) > 1 else ""
        texts = [interval_text(parameter, interval) for interval in profile.intervals] or ["nothing"]
        rows += [(f"allowed{level}" if number == 0 else "", text) for number, text in enumerate(texts)]
        rows += _limits(parameter, profile)
    rows.append(("best fit", f"{parameter.format(best.best_fit, 4)}, χ² = {best.minimum:.2f}"))
    rows.append(("converged", "yes" if result.converged else "NO: the ends of the intervals are not exact"))
    levels = ", ".join(f"{100 * cl:g} %" for cl in profiles)
    bounds = ", ".join(f"{profile.level:.4g}" for profile in profiles.values())
    title = f"{parameter.name} at {levels} CL (Δχ² ≤ {bounds}): {model.name}, "
    print_pairs(title + " + ".join(experiments), rows)
    print_basis(model.parameters, result.fixed, result.notes, result.conventions)


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

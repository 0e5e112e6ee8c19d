"""`nurecoil combine`: each experiment alone, all together, and all but one."""

import math
from typing import TYPE_CHECKING

from nurecoil.cli import arguments as given
from nurecoil.cli.answering import answer, convergence, plot_of
from nurecoil.cli.arguments import parse_level
from nurecoil.cli.intervals import check_curve, interval_rows, profile_json
from nurecoil.cli.reading import AskedScan, read_scan
from nurecoil.cli.terminal import print_pairs, print_table

if TYPE_CHECKING:
    from nurecoil.study.result import Result
    from nurecoil.verbs.combine import Combination

SUMMARY = "Compare and combine experiments."
HELP = """Find the allowed values of one parameter by each experiment alone, by all together, and by all but
one; and test whether the experiments agree (parameter goodness of fit).

\b
Examples:
  nurecoil combine --model standard-model --experiment coherent-csi-2021 \\
    --experiment coherent-lar-2020 \\
    --set electroweak=radiative --scan sin2_theta_w=0.05..0.5 --cl 68% --plot combination.png"""


def combine(
    model: given.ModelName,
    experiment: given.Experiments,
    scan: given.Scanned,
    settings: given.Setting = None,
    cl: given.ConfidenceLevel = "90%",
    fix: given.Fixed = None,
    prior: given.PriorWidths = None,
    constrain: given.Constrained = None,
    points: given.CurvePoints = 201,
    form_factor: given.FormFactorName = None,
    engine: given.EngineName = "auto",
    as_json: given.AsJson = False,
    plot: given.Plot = None,
) -> None:
    """Print the intervals by experiment, and whether the experiments agree."""
    from nurecoil.exhibits import combination_figure
    from nurecoil.verbs import combine as verb

    check_curve(points)
    asked = read_scan(model, experiment, [scan], settings, fix, prior, constrain, form_factor)
    level = parse_level(cl)
    answer(
        asked,
        lambda: verb.combine(
            *asked.question,
            asked.scans[0],
            cl=level,
            widths=asked.widths,
            engine=engine,
            points=points,
        ),
        _json,
        _print,
        as_json,
        [plot_of(plot, combination_figure)],
    )


def _json(asked: AskedScan, result: "Result[Combination]") -> dict[str, object]:
    values = result.values
    rows = {
        each.name: {
            "experiments": each.experiments,
            **profile_json(values.parameter, values.cl, each.profile),
        }
        for each in (*values.alone, *values.without, values.together)
    }
    return {
        "parameter": values.parameter.name,
        "unit": values.parameter.unit,
        "results": rows,
        "compatibility": vars(values.compatibility),
        "shared": values.shared,
    }


def _print(asked: AskedScan, result: "Result[Combination]") -> None:
    values, parameter = result.values, result.values.parameter
    rows = []
    for each in (*values.alone, *values.without, values.together):
        best = parameter.format(each.profile.best_fit, 4) if math.isfinite(each.profile.best_fit) else "∞"
        for name, text in interval_rows(each.name, parameter, each.profile.intervals):
            rows.append([name, best if name else "", text])
    title = f"{parameter.name} at {100 * values.cl:g} % CL: {asked.model.name}"
    print_table(title, ["experiments", "best fit", "allowed"], rows, right=(1,))
    agree = values.compatibility
    pairs = [
        ("χ²", f"{agree.chi2:.2f} for {agree.dof} degree{'s' * (agree.dof > 1)} of freedom"),
        ("p", f"{agree.p_value:.3g} ({agree.sigma:.2f} σ)"),
        convergence(result, "the ends of the intervals are not exact"),
    ]
    print_pairs("Do the experiments agree? (parameter goodness of fit)", pairs)

"""`nurecoil combine`: each experiment alone, all together, and all but one."""

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from nurecoil.cli.arguments import (
    AsJson,
    ConfidenceLevel,
    Experiments,
    Fixed,
    FormFactorName,
    ModelName,
    Plot,
    PriorWidths,
    Scanned,
    Setting,
    quiet,
)
from nurecoil.cli.limit import interval_text, level_json
from nurecoil.cli.reading import AskedScan, read_scan
from nurecoil.cli.terminal import at_border, print_basis, print_json, print_pairs, print_table
from nurecoil.staging import staged_file

if TYPE_CHECKING:
    from nurecoil.analysis import Combination, Result

SUMMARY = "Compare and combine experiments."
HELP = """Find the allowed values of one parameter by each experiment alone, by all together, and by all but
one; and test whether the experiments agree (parameter goodness of fit).

\b
Examples:
  nurecoil combine --model standard-model --experiment coherent-csi-2021 \\
    --experiment coherent-lar-2020 \\
    --set electroweak=radiative --scan sin2_theta_w=0.05..0.5 --cl 68% --plot combination.png"""


def combine(
    model: ModelName,
    experiment: Experiments,
    scan: Scanned,
    settings: Setting = None,
    cl: ConfidenceLevel = "90%",
    fix: Fixed = None,
    prior: PriorWidths = None,
    points: Annotated[int, typer.Option(metavar="N", help="Points of the curves, at least 101.")] = 201,
    form_factor: FormFactorName = None,
    as_json: AsJson = False,
    plot: Plot = None,
) -> None:
    """Print the intervals by experiment, and whether the experiments agree."""
    from nurecoil import analysis, figures
    from nurecoil.exhibits import combination_figure

    if plot:
        figures.format_of(plot)  # refuses before anything is computed
    asked = read_scan(model, experiment, scan, settings, cl, fix, prior, form_factor, points)
    with staged_file(plot) if plot else nullcontext() as target:
        with quiet():
            result = analysis.combine(
                asked.model,
                asked.experiments,
                asked.values,
                asked.scan,
                cl=asked.cl,
                widths=asked.widths,
                points=points,
            )
        if target:
            figures.save_as(combination_figure(result), target)
    if as_json:
        print_json(_json(asked, result))
    else:
        _print(asked, result)
    if plot:
        print(f"Plot: {plot}", file=sys.stderr if as_json else sys.stdout)


def _json(asked: AskedScan, result: "Result[Combination]") -> dict[str, object]:
    values = result.values
    unit = values.parameter.inside
    rows = {
        each.name: {
            "experiments": list(each.experiments),
            "best_fit": each.profile.best_fit / unit,
            "minimum": each.profile.minimum,
            **level_json(values.cl, each.profile, unit),
        }
        for each in (*values.alone, *values.without, values.together)
    }
    return {
        "model": asked.model.name,
        "experiments": asked.names,
        "parameter": values.parameter.name,
        "unit": values.parameter.unit,
        "results": rows,
        "compatibility": vars(values.compatibility),
        "shared": list(values.shared),
        "converged": result.converged,
        "parameters": at_border(asked.model.parameters, result.fixed),
        "notes": list(result.notes),
        "conventions": dict(result.conventions),
        "provenance": dict(result.provenance),
    }


def _print(asked: AskedScan, result: "Result[Combination]") -> None:
    values, parameter = result.values, result.values.parameter
    rows = []
    for each in (*values.alone, *values.without, values.together):
        best = parameter.format(each.profile.best_fit, 4)
        texts = [interval_text(parameter, interval) for interval in each.profile.intervals]
        rows += [
            [each.name, best, text] if number == 0 else ["", "", text] for number, text in enumerate(texts)
        ]
    title = f"{parameter.name} at {100 * values.cl:g} % CL: {asked.model.name}"
    print_table(title, ["experiments", "best fit", "allowed"], rows, right=(1,))
    agree = values.compatibility
    pairs = [
        ("χ²", f"{agree.chi2:.2f} for {agree.dof} degree{'s' * (agree.dof > 1)} of freedom"),
        ("p", f"{agree.p_value:.3g} ({agree.sigma:.2f} σ)"),
        ("converged", "yes" if result.converged else "NO: the ends of the intervals are not exact"),
    ]
    print_pairs("Do the experiments agree? (parameter goodness of fit)", pairs)
    print_basis(asked.model.parameters, result.fixed, result.notes, result.conventions)

"""`nurecoil impact`: what each systematic does to a parameter."""

import io
import math
import sys
from contextlib import nullcontext, redirect_stdout
from typing import TYPE_CHECKING, Annotated

import typer

from nurecoil.cli.arguments import (
    AsJson,
    Experiments,
    Fixed,
    FormFactorName,
    Free,
    ModelName,
    Plot,
    PriorWidths,
    Setting,
    Starts,
    quiet,
)
from nurecoil.cli.reading import AskedFit, read_fit
from nurecoil.cli.terminal import at_border, print_basis, print_json, print_pairs, print_table
from nurecoil.staging import staged_file

if TYPE_CHECKING:
    from nurecoil.analysis import Impacts, Result
    from nurecoil.parameters import Parameter

SUMMARY = "Rank systematics by what they do to a parameter."
HELP = """Rank nuisance parameters by their impact on a fitted parameter: how far each is pulled from its
prior, how well the data constrain it, and how far the parameter moves when it is off by one standard
deviation, all else fitted.

\b
Examples:
  nurecoil impact --model scaled-standard-model --experiment coherent-lar-2020 \\
    --set electroweak=radiative --free signal_strength=1 --plot pulls.png
  nurecoil impact --model standard-model --experiment coherent-csi-2021 \\
    --free sin2_theta_w=0.24 --fix sns_flux"""


def impact(
    model: ModelName,
    experiment: Experiments,
    free: Free,
    of: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The parameter of interest.", show_default="the first free one"),
    ] = None,
    settings: Setting = None,
    starts: Starts = 5,
    fix: Fixed = None,
    prior: PriorWidths = None,
    form_factor: FormFactorName = None,
    as_json: AsJson = False,
    plot: Plot = None,
) -> None:
    """Print the ranking of systematics, with their pulls."""
    from nurecoil import analysis, figures
    from nurecoil.exhibits import impact_figure

    if plot:
        figures.format_of(plot)  # refuses before anything is computed
    asked = read_fit(model, experiment, free, settings, starts, fix, prior, form_factor)
    with staged_file(plot) if plot else nullcontext() as target:
        with quiet(), redirect_stdout(io.StringIO()):  # Minuit prints there
            result = analysis.impact(
                asked.model,
                asked.experiments,
                asked.values,
                asked.start,
                parameter=of,
                starts=asked.starts,
                widths=asked.widths,
            )
        if target:
            figures.save_as(impact_figure(result), target)
    if as_json:
        print_json(_json(asked, result))
    else:
        _print(asked, result)
    if plot:
        print(f"Plot: {plot}", file=sys.stderr if as_json else sys.stdout)


def _json(asked: AskedFit, result: "Result[Impacts]") -> dict[str, object]:
    values, unit = result.values, result.values.parameter.inside
    return {
        "model": asked.model.name,
        "experiments": asked.names,
        "parameter": values.parameter.name,
        "unit": values.parameter.unit,
        "best_fit": values.best_fit / unit,
        "error": _pair(values.error, unit),
        "chi2": values.minimum,
        "systematics": {
            row.pull.name: {
                "value": row.value,
                "unit": row.pull.unit,
                "pull": row.pulled,
                "error": _pair(row.error),
                "pre_fit": _pair(row.pre_fit, unit),
                "post_fit": _pair(row.post_fit, unit),
            }
            for row in values.rows
        },
        "converged": result.converged,
        "parameters": at_border(asked.model.parameters, result.fixed),
        "notes": list(result.notes),
        "conventions": dict(result.conventions),
        "provenance": dict(result.provenance),
    }


def _pair(values: tuple[float, float], unit: float = 1.0) -> list[float | None]:
    """Return numbers below and above at the border unit; null where there is none."""
    return [value / unit if math.isfinite(value) else None for value in values]


def _print(asked: AskedFit, result: "Result[Impacts]") -> None:
    values, parameter = result.values, result.values.parameter
    best = f"{parameter.format(values.best_fit, 5)} {_errors(parameter, values.error)}"
    pairs = [(parameter.name, best), ("χ²", f"{values.minimum:.2f}")]
    pairs.append(("converged", "yes" if result.converged else "NO"))
    print_pairs(f"Impact of systematics: {asked.model.name}, {' + '.join(asked.names)}", pairs)
    print()
    rows = [
        [
            row.pull.name,
            f"{row.pulled:+.2f}",
            " ".join(f"{sign}{error:.2f}" for sign, error in zip("-+", row.error, strict=True)),
            _change(parameter, row.post_fit),
            _change(parameter, row.pre_fit),
        ]
        for row in values.rows
    ]
    unit = f" [{parameter.unit}]" if parameter.unit else ""
    columns = ["nuisance parameter", "pull", "error", f"impact{unit}", f"before the fit{unit}"]
    print_table("Nuisance parameters, in widths of their priors", columns, rows, right=(1, 2, 3, 4))
    print_basis(asked.model.parameters, result.fixed, result.notes, result.conventions)


def _errors(parameter: "Parameter", error: tuple[float, float]) -> str:
    texts = [parameter.format(e, 2) if math.isfinite(e) else "unknown" for e in error]
    return f"-{texts[0]} +{texts[1]}"


def _change(parameter: "Parameter", changes: tuple[float, float]) -> str:
    """Return the changes for the nuisance parameter moved down and up."""
    return " ".join(f"{change / parameter.inside:+.2g}" for change in changes)

"""`nurecoil impact`: what each systematic does to a parameter."""

import math
from typing import TYPE_CHECKING, Annotated

import typer

from nurecoil.cli import arguments as given
from nurecoil.cli.answering import answer, convergence, plot_of
from nurecoil.cli.reading import AskedFit, read_fit
from nurecoil.cli.terminal import print_pairs, print_table

if TYPE_CHECKING:
    from nurecoil.parameters import Parameter
    from nurecoil.study.result import Result
    from nurecoil.verbs.impact import Impacts

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
    model: given.ModelName,
    experiment: given.Experiments,
    free: given.Free,
    of: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The parameter of interest.", show_default="the first free one"),
    ] = None,
    settings: given.Setting = None,
    starts: given.Starts = 5,
    fix: given.Fixed = None,
    prior: given.PriorWidths = None,
    constrain: given.Constrained = None,
    form_factor: given.FormFactorName = None,
    engine: given.EngineName = "auto",
    as_json: given.AsJson = False,
    plot: given.Plot = None,
) -> None:
    """Print the ranking of systematics, with their pulls."""
    from nurecoil.exhibits import impact_figure
    from nurecoil.verbs import impact as verb

    asked = read_fit(model, experiment, free, settings, starts, fix, prior, constrain, form_factor)
    answer(
        asked,
        lambda: verb.impact(
            *asked.question,
            asked.start,
            parameter=of,
            starts=asked.starts,
            widths=asked.widths,
            engine=engine,
        ),
        _json,
        _print,
        as_json,
        [plot_of(plot, impact_figure)],
    )


def _json(asked: AskedFit, result: "Result[Impacts]") -> dict[str, object]:
    values, parameter, unit = result.values, result.values.parameter, result.values.parameter.inside
    best = {
        "value": values.best_fit / unit,
        "unit": parameter.unit,
        "below": values.error[0] / unit,
        "above": values.error[1] / unit,
    }
    return {
        "parameter": parameter.name,
        "unit": parameter.unit,
        "best_fit": {parameter.name: best},
        "chi2": values.minimum,
        "pulls": {
            row.pull.name: {
                "value": row.value,
                "unit": row.pull.unit,
                "pull": row.pulled,
                "below": row.error[0],
                "above": row.error[1],
                "pre_fit": [change / unit for change in row.pre_fit],
                "post_fit": [change / unit for change in row.post_fit],
            }
            for row in values.rows
        },
    }


def _print(asked: AskedFit, result: "Result[Impacts]") -> None:
    values, parameter = result.values, result.values.parameter
    best = f"{parameter.format(values.best_fit, 5)} {_errors(parameter, values.error)}"
    pairs = [(parameter.name, best), ("χ²", f"{values.minimum:.2f}"), convergence(result)]
    print_pairs(asked.title("Impact of systematics"), pairs)
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
    columns = ["nuisance parameter", "pull", "error", f"impact{unit}", f"pre-fit impact{unit}"]
    title = f"Pull and error in prior widths, and the impact on {parameter.name}"
    print_table(title, columns, rows, right=(1, 2, 3, 4))


def _errors(parameter: "Parameter", error: tuple[float, float]) -> str:
    texts = [parameter.format(e, 2) if math.isfinite(e) else "unknown" for e in error]
    return f"-{texts[0]} +{texts[1]}"


def _change(parameter: "Parameter", changes: tuple[float, float]) -> str:
    """Return the changes for the nuisance parameter moved down and up."""
    return " ".join(f"{change / parameter.inside:+.2g}" for change in changes)

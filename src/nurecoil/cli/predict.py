"""`nurecoil predict`: the expected counts of an experiment at one point of a model."""

from typing import TYPE_CHECKING, Annotated

import typer

from nurecoil.cli.arguments import (
    AsJson,
    FormFactorName,
    ModelName,
    Setting,
    compile_experiments,
    parse_settings,
    require_finite_counts,
)
from nurecoil.cli.terminal import at_border, print_basis, print_json, print_table

if TYPE_CHECKING:
    from nurecoil.analysis import Prediction, Result
    from nurecoil.experiment import CompiledExperiment
    from nurecoil.models import Model

SUMMARY = "Print the expected counts of an experiment."
HELP = """Print the expected counts of an experiment at one point of a model.

The counts include the Standard Model. Parameters without a default must be set; `nurecoil list parameters`
shows them all.

\b
Examples:
  nurecoil predict --model standard-model --experiment binh2021-csi
  nurecoil predict --model 331-beta --experiment binh2021-lar \\
    --set 'beta=-1/sqrt(3)' --set m_zprime=2TeV --set mu_nu=2.9e-11
  nurecoil predict --model standard-model --experiment binh2021-ge \\
    --form-factor klein-nystrand --json"""


def predict(
    model: ModelName,
    experiment: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="See `nurecoil list experiments`; or a card of your own, FILE.toml."
        ),
    ],
    settings: Setting = None,
    form_factor: FormFactorName = None,
    as_json: AsJson = False,
) -> None:
    """Print the expected counts at one point of a model."""
    from nurecoil import analysis
    from nurecoil.models import load_model

    chosen = load_model(model)
    values = parse_settings(chosen, settings or ())
    (compiled,) = compile_experiments([experiment], form_factor)
    require_finite_counts(chosen, [compiled], values)
    result = analysis.predict(chosen, compiled, values)
    if as_json:
        print_json(_prediction_json(chosen, compiled, result))
    else:
        _print_prediction(chosen, compiled, result)


def _prediction_json(
    model: "Model", compiled: "CompiledExperiment", result: "Result[Prediction]"
) -> dict[str, object]:
    return {
        "model": model.name,
        "experiment": compiled.experiment.name,
        "counts": result.values.counts.tolist(),
        "total": result.values.total,
        "standard_model_total": result.values.standard_model_total,
        "standard_model_counts": result.values.standard_model_counts.tolist(),
        "bin_edges": list(result.values.edges),
        "observable": result.values.observable,
        "parameters": at_border(model.parameters, result.fixed),
        "notes": list(result.notes),
        "conventions": dict(result.conventions),
        "provenance": dict(result.provenance),
    }


def _print_prediction(model: "Model", compiled: "CompiledExperiment", result: "Result[Prediction]") -> None:
    bins = zip(result.values.edges[:-1], result.values.edges[1:], strict=True)
    rows = [
        [f"{low:g} to {high:g}", f"{counts:.2f}", f"{standard:.2f}", _ratio(counts, standard)]
        for (low, high), counts, standard in zip(
            bins, result.values.counts.tolist(), result.values.standard_model_counts.tolist(), strict=True
        )
    ]
    total, standard = result.values.total, result.values.standard_model_total
    rows.append(["total", f"{total:.2f}", f"{standard:.2f}", _ratio(total, standard)])
    title = f"Expected counts: {compiled.experiment.title}"
    columns = [result.values.observable, model.name, "Standard Model", "ratio"]
    print_table(title, columns, rows, right=(1, 2, 3), whole=(0,))
    print_basis(model.parameters, result.fixed, result.notes, result.conventions)


def _ratio(counts: float, standard: float) -> str:
    return f"{counts / standard:.4f}" if standard > 0 else "–"

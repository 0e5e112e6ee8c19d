"""`nurecoil predict`: the expected counts of an experiment at one point of a model."""

from typing import TYPE_CHECKING, Annotated

import typer

from nurecoil.cli.answering import answer
from nurecoil.cli.arguments import AsJson, FormFactorName, ModelName, Setting
from nurecoil.cli.reading import Asked, read
from nurecoil.cli.terminal import print_table

if TYPE_CHECKING:
    from nurecoil.study.result import Result
    from nurecoil.verbs.predict import Prediction

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
    from nurecoil.verbs import predict as verb

    asked = read(model, [experiment], settings, form_factor=form_factor)
    asked.check_counts({})
    (compiled,) = asked.experiments
    answer(asked, lambda: verb.predict(asked.model, compiled, asked.values), _json, _print, as_json)


def _json(asked: Asked, result: "Result[Prediction]") -> dict[str, object]:
    return {
        "counts": result.values.counts,
        "total": result.values.total,
        "standard_model_counts": result.values.standard_model_counts,
        "standard_model_total": result.values.standard_model_total,
        "bin_edges": result.values.edges,
        "observable": result.values.observable,
    }


def _print(asked: Asked, result: "Result[Prediction]") -> None:
    bins = zip(result.values.edges[:-1], result.values.edges[1:], strict=True)
    rows = [
        [f"{low:g} to {high:g}", f"{counts:.2f}", f"{standard:.2f}", _ratio(counts, standard)]
        for (low, high), counts, standard in zip(
            bins, result.values.counts.tolist(), result.values.standard_model_counts.tolist(), strict=True
        )
    ]
    total, standard = result.values.total, result.values.standard_model_total
    rows.append(["total", f"{total:.2f}", f"{standard:.2f}", _ratio(total, standard)])
    title = f"Expected counts: {asked.experiments[0].experiment.title}"
    columns = [result.values.observable, asked.model.name, "Standard Model", "ratio"]
    print_table(title, columns, rows, right=(1, 2, 3), whole=(0,))


def _ratio(counts: float, standard: float) -> str:
    return f"{counts / standard:.4f}" if standard > 0 else "–"

"""`nurecoil list`: the models, the experiments and the parameters that there are."""

from typing import TYPE_CHECKING, Annotated

import typer

from nurecoil.errors import unknown_name
from nurecoil.presentation.terminal import print_table

if TYPE_CHECKING:
    from nurecoil.parameters import Parameter

LISTS = ("models", "experiments", "parameters")
SUMMARY = "List models, experiments, parameters."
HELP = """List the models, the experiments and the parameters of each model.

\b
Examples:
  nurecoil list
  nurecoil list parameters"""


def list_(
    what: Annotated[
        str | None, typer.Argument(metavar="[models|experiments|parameters]", help="All three if left out.")
    ] = None,
) -> None:
    """Print what there is."""
    if what is not None and what not in LISTS:
        raise unknown_name("list", what, LISTS)
    for name, show in (
        ("models", _list_models),
        ("experiments", _list_experiments),
        ("parameters", _list_parameters),
    ):
        if what in (None, name):
            show()


def _list_models() -> None:
    from nurecoil.models import load_model, model_names

    models = [load_model(name) for name in model_names()]
    rows = [[model.name, model.title, model.reference] for model in models]
    print_table("Models", ["name", "what it is", "reference"], rows)


def _list_experiments() -> None:
    from nurecoil.experiment.card import experiment_names, read_card

    cards = [read_card(name)[1] for name in experiment_names()]  # their data need not be here
    rows = [[card.name, card.title, card.reference] for card in cards]
    print_table("Experiments", ["name", "what it is", "reference"], rows)


def _list_parameters() -> None:
    from nurecoil.models import load_model, model_names

    columns = ["name", "default", "unit", "allowed", "description and reference"]
    for model in map(load_model, model_names()):
        rows = [
            [p.name, _default(p), p.unit or "–", p.allowed(), f"{p.description}\n[{p.reference}]"]
            for p in model.parameters
        ]
        print_table(f"Parameters of {model.name}", columns, rows, whole=(1,))


def _default(parameter: "Parameter") -> str:
    if parameter.default is None:
        return "must be set"
    if isinstance(parameter.default, str):
        return parameter.default
    return f"{parameter.default / parameter.inside:.6g}"

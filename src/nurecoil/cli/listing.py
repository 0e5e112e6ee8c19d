"""`nurecoil list`: the models, the experiments, the parameters and the pulls that there are."""

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from nurecoil.cli.usage import Command
from nurecoil.errors import NurecoilError, unknown_name
from nurecoil.presentation.terminal import print_table
from nurecoil.quantities import printed

if TYPE_CHECKING:
    from nurecoil.parameters import Parameter

LISTS = ("models", "experiments", "parameters", "pulls")


@click.command("list", Command, short_help="List models, experiments, parameters, pulls.")
@click.argument(
    "what", required=False, metavar=f"[{'|'.join(LISTS)}]", help="Models and experiments if left out."
)
@click.option(
    "models",
    "--model",
    multiple=True,
    metavar="NAME",
    help="Whose parameters: a name, a sum of models, or FILE.py; else those of all.",
)
@click.option(
    "experiments", "--experiment", multiple=True, metavar="NAME", help="Whose pulls: a name or FILE.toml."
)
def listing(what: str | None, models: Sequence[str], experiments: Sequence[str]) -> None:
    """List the models, the experiments, the parameters of each model, and the pulls of experiments.

    Pulls are nuisance parameters, with a Gaussian prior; one name in two experiments is one pull.

    \b
    Examples:
      nurecoil list
      nurecoil list parameters --model u1-prime
      nurecoil list pulls --experiment binh2021-csi
    """
    if what is not None and what not in LISTS:
        raise unknown_name("list", what, LISTS)
    if (what == "pulls") != bool(experiments):
        raise NurecoilError("`list pulls` and --experiment go together: `list pulls --experiment NAME`")
    if models and what != "parameters":
        raise NurecoilError("--model goes with `list parameters`: `list parameters --model NAME`")
    for experiment in experiments:
        _list_pulls(experiment)
    if what in (None, "models"):
        from nurecoil.models import load_model, model_names

        _list_titles("Models", map(load_model, model_names()))
    if what in (None, "experiments"):
        from nurecoil.experiment.card import experiment_names, read_card

        cards = (read_card(name)[1] for name in experiment_names())  # their data need not be here
        _list_titles("Experiments", cards)
    if what == "parameters":
        _list_parameters(models)


def _list_titles(title: str, things: Iterable[Any]) -> None:
    rows = [[each.name, each.title, each.reference] for each in things]
    print_table(title, ["name", "what it is", "reference"], rows)


def _list_parameters(models: Sequence[str]) -> None:
    from nurecoil.models import load_model, model_names

    columns = ["name", "default", "unit", "allowed", "description and reference"]
    for model in map(load_model, models or model_names()):
        rows = [
            [p.name, _default(p), printed(p.unit) or "–", p.allowed(), f"{p.description}\n[{p.reference}]"]
            for p in model.parameters
        ]
        print_table(f"Parameters of {model.name}", columns, rows, whole=(1,))


def _list_pulls(name: str) -> None:
    from nurecoil.experiment.card import load_experiment

    experiment = load_experiment(name)
    rows = [
        [p.name, p.description, f"{p.default:.5g}", _width(p), printed(p.unit) or "–"]
        for p in experiment.statistics.pulls
    ]
    if not rows:
        print(f"{experiment.name} has no pulls.")
        return
    columns = ["name", "what it is", "centre", "width", "unit"]
    print_table(f"Pulls of {experiment.name}", columns, rows, right=(2, 3))


def _width(pull: "Parameter") -> str:
    return "free" if pull.prior_width == math.inf else f"{pull.prior_width:.4g}"


def _default(parameter: "Parameter") -> str:
    if parameter.default is None:
        return "must be set"
    if isinstance(parameter.default, str):
        return parameter.default
    return f"{parameter.default / parameter.inside:.6g}"

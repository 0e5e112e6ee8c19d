"""What a user writes on the command line: the options that commands share, and how their texts are read."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from nurecoil.errors import NurecoilError

if TYPE_CHECKING:
    from nurecoil.experiment import CompiledExperiment
    from nurecoil.models import Model
    from nurecoil.parameters import Parameter, Value

ModelName = Annotated[str, typer.Option("--model", metavar="NAME", help="See `nurecoil list models`.")]
Setting = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Value of a parameter of the model; repeat for more.",
        show_default=False,
    ),
]
FormFactorName = Annotated[
    str | None,
    typer.Option(
        "--form-factor",
        metavar="NAME",
        show_default="the experiment's own",
        help="helm-binh2021, helm, klein-nystrand, symmetrised-fermi or point.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.", show_default=False)]


def parse_settings(model: "Model", settings: Iterable[str]) -> "dict[str, Value]":
    """Return the values, in inside units, that --set gives."""
    from nurecoil.parameters import find

    named = _named("--set", "NAME=VALUE", settings)
    return {name: find(model.parameters, name).parse(text) for name, text in named}


def parse_scan(model: "Model", text: str) -> tuple["Parameter", float, float]:
    """Return the parameter of NAME=LOW..HIGH and its range in the inside unit."""
    from nurecoil.parameters import find
    from nurecoil.quantities import parse_range

    ((name, bounds),) = _named("--scan", "NAME=LOW..HIGH", [text])
    parameter = find(model.parameters, name)
    if parameter.choices:
        raise NurecoilError(f"{name} cannot be scanned: it is a choice, {parameter.allowed()}")
    low, high = parse_range(bounds, parameter.unit, name=name)
    return parameter, low * parameter.inside, high * parameter.inside


def parse_priors(priors: Iterable[str]) -> dict[str, float]:
    """Return the widths of nuisance parameters that --prior gives."""
    from nurecoil.quantities import parse_quantity

    named = _named("--prior", "PULL=WIDTH", priors)
    return {name: parse_quantity(width, "", name=f"prior width of {name}") for name, width in named}


def compile_experiments(names: Sequence[str], form_factor_name: str | None) -> "list[CompiledExperiment]":
    """Return the experiments, with another form factor if one is named."""
    from nurecoil.card import load_experiment
    from nurecoil.experiment import compile_experiment
    from nurecoil.form_factors import form_factor

    experiments = [load_experiment(name) for name in names]
    for name, times in Counter(experiment.name for experiment in experiments).items():
        if times > 1:
            raise NurecoilError(
                f"experiment {name} is given {times} times: its data would count {times} times"
            )
    if form_factor_name is not None:
        other = form_factor(form_factor_name)
        experiments = [replace(experiment, form_factor=other) for experiment in experiments]
    return [compile_experiment(experiment) for experiment in experiments]


def _named(option: str, form: str, texts: Iterable[str]) -> list[tuple[str, str]]:
    """Return (name, value) of each NAME=VALUE, every name at most once."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise NurecoilError(f"{option} '{text}' is not of the form {form}")
        if name in found:
            raise NurecoilError(f"{option} gives {name} twice: {found[name]} and {value}")
        found[name] = value
    return list(found.items())

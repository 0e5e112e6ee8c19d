"""What a user writes on the command line: the options that commands share, and how their texts are read."""

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperCommand

from nurecoil.cli.terminal import Shown
from nurecoil.errors import NurecoilError
from nurecoil.progress import heard_by

if TYPE_CHECKING:
    from nurecoil.experiment import CompiledExperiment
    from nurecoil.models import Model
    from nurecoil.parameters import Parameter, Values

MOST_TOYS = 10_000_000

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
Experiments = Annotated[
    list[str],
    typer.Option(
        "--experiment", metavar="NAME", help="A name or a card, FILE.toml; repeat to combine experiments."
    ),
]
PriorWidths = Annotated[
    list[str] | None,
    typer.Option(
        "--prior",
        metavar="PULL=WIDTH",
        help="Prior width of a nuisance parameter, in its own unit; `nurecoil fit` lists their names.",
        show_default="the experiment's own",
    ),
]
Constrained = Annotated[
    list[str] | None,
    typer.Option(
        "--constrain",
        metavar="NAME=VALUE+-WIDTH",
        help="What else is known of a parameter of the model: a Gaussian prior, profiled; repeat for more.",
        show_default=False,
    ),
]
Fixed = Annotated[
    list[str] | None,
    typer.Option(
        "--fix",
        metavar="PULL",
        help="Hold a nuisance parameter at its central value; repeat for more.",
        show_default=False,
    ),
]
Free = Annotated[
    list[str],
    typer.Option(
        "--free", metavar="NAME=START", help="A parameter to fit, and where to start; repeat for more."
    ),
]
MaybeFree = Annotated[
    list[str] | None,
    typer.Option(
        "--free",
        metavar="NAME=START",
        help="A parameter to fit, and where to start; repeat for more.",
        show_default=False,
    ),
]
Starts = Annotated[
    int,
    typer.Option("--starts", metavar="N", help="Starts in all; the others are spread around the first."),
]
CurvePoints = Annotated[int, typer.Option("--points", metavar="N", help="Points of the curve, at least 101.")]
Scanned = Annotated[
    str, typer.Option("--scan", metavar="NAME=LOW..HIGH", help="The parameter, and the range to look in.")
]
ConfidenceLevels = Annotated[
    list[str],
    typer.Option("--cl", metavar="CL", help="Confidence level, such as 0.9 or 90%; repeat for more."),
]
ConfidenceLevel = Annotated[
    str, typer.Option("--cl", metavar="CL", help="Confidence level, such as 0.9 or 90%.")
]
Truth = Annotated[
    list[str] | None,
    typer.Option(
        "--truth",
        metavar="NAME=VALUE",
        help="Where the data are expected; repeat for more parameters.",
        show_default="the Standard Model",
    ),
]


def _check_format(path: Path | None) -> Path | None:
    """Refuse a plot that cannot be drawn before anything is computed."""
    if path:
        from nurecoil.presentation import figures

        figures.format_of(path)
    return path


Plot = Annotated[
    Path | None,
    typer.Option(
        "--plot",
        metavar="FILE",
        help="Draw to a .png, .svg or .pdf file.",
        show_default="no plot",
        callback=_check_format,
    ),
]
EngineName = Annotated[
    str,
    typer.Option("--engine", metavar="NAME", help="What minimises: auto, numpy, jax or fast."),
]
ProfiledOver = Annotated[
    list[str] | None,
    typer.Option(
        "--profile",
        metavar="NAME=LOW..HIGH",
        help="A parameter of the model to fit at each point, inside a range; repeat for more.",
        show_default=False,
    ),
]
ToysToThrow = Annotated[int, typer.Option("--toys", metavar="N", help="Simulated experiments.")]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="Of the random numbers.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.", show_default=False)]


class Command(TyperCommand):
    """A command that shows how far it is, and refuses an option given twice: the last would silently win."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Look for repetitions, then parse."""
        _, _, given = self.make_parser(ctx).parse_args(list(args))
        for option, times in Counter(given).items():
            flag, repeatable = getattr(option, "is_flag", False), getattr(option, "multiple", False)
            if times > 1 and option.param_type_name == "option" and not (flag or repeatable):
                raise NurecoilError(f"{option.opts[0]} is given {times} times: {self.name} takes it once")
        return super().parse_args(ctx, args)

    def invoke(self, ctx: typer.Context) -> None:  # type: ignore[override]
        """Show how far the command is."""
        shown = Shown(self.name or "nurecoil")
        with heard_by(shown.say, shown.watch):
            super().invoke(ctx)


def check_toys(toys: int, seed: int) -> None:
    """Refuse numbers of toys and seeds that cannot be."""
    if not 0 <= toys <= MOST_TOYS:
        raise NurecoilError(f"toys = {toys} is not allowed: it must be between 0 and {MOST_TOYS}")
    if seed < 0:
        raise NurecoilError(f"seed = {seed} is not allowed: it must be 0 or more")


def check_points(points: int, fewest: int, most: int) -> None:
    """Refuse too few points, or too many."""
    if not fewest <= points <= most:
        raise NurecoilError(f"points = {points} is not allowed: it must be between {fewest} and {most}")


def parse_range_of(
    parameters: "Iterable[Parameter]", name: str, text: str, done: str
) -> tuple["Parameter", float, float]:
    """Return a parameter, and the range LOW..HIGH in the inside unit; `done` is what is done with it."""
    from nurecoil.parameters import find
    from nurecoil.quantities import parse_range

    parameter = find(parameters, name)
    if parameter.choices:
        raise NurecoilError(f"{name} cannot be {done}: it is a choice, {parameter.allowed()}")
    low, high = parse_range(text, parameter.unit, name=name)
    return parameter, low * parameter.inside, high * parameter.inside


def parse_level(text: str) -> float:
    """Return the confidence level that --cl gives: 0.9, 90% or 90."""
    from nurecoil.quantities import parse_quantity

    level = parse_quantity(text, "", name="cl")
    if 50 <= level < 100 and "%" not in text:
        level /= 100
    if not 0 < level < 1:
        raise NurecoilError(
            f"confidence level {text} is not allowed: it must lie between 0 and 1, such as 0.9 or 90%"
        )
    return level


def parse_levels(texts: Iterable[str]) -> list[float]:
    """Return several confidence levels, each once."""
    levels = [parse_level(text) for text in texts]
    for level, times in Counter(levels).items():
        if times > 1:
            raise NurecoilError(f"--cl is given {times} times as {level:g}: once is enough")
    return levels


def parse_profiled(
    model: "Model", texts: Iterable[str], scans: "Iterable[tuple[str, float, float]]"
) -> dict[str, tuple[float, float]]:
    """Return the ranges (inside units) of the parameters that --profile names, none of them scanned."""
    named = named_values("--profile", "NAME=LOW..HIGH", texts)
    found = [parse_range_of(model.parameters, name, text, "profiled over") for name, text in named]
    ranges = {parameter.name: (low, high) for parameter, low, high in found}
    for name, *_ in scans:
        if name in ranges:
            raise NurecoilError(f"{name} is both scanned and profiled: do one of them")
    return ranges


def compile_experiments(names: Sequence[str], form_factor_name: str | None) -> "list[CompiledExperiment]":
    """Return the experiments, with another form factor if one is named."""
    from nurecoil.experiment import compile_experiment
    from nurecoil.experiment.card import load_experiment
    from nurecoil.physics.form_factors import form_factor

    experiments = [load_experiment(name) for name in names]
    if form_factor_name is not None:
        other = form_factor(form_factor_name)
        experiments = [experiment.with_form_factor(other) for experiment in experiments]
    with quiet():
        compiled = [compile_experiment(experiment) for experiment in experiments]
    for each in compiled:
        if not _finite(each.templates["vector"]):
            raise NurecoilError(
                f"experiment {each.experiment.name} expects more events than a number can hold: look at its"
                " mass, protons_on_target, neutrinos_per_proton and baseline"
            )
    return compiled


def quiet() -> AbstractContextManager[None]:
    """Return a context without NumPy's warnings, for results that are checked to be finite afterwards."""
    import numpy as np

    return np.errstate(over="ignore", invalid="ignore", divide="ignore")


def require_signal(experiments: "Iterable[CompiledExperiment]") -> None:
    """Refuse an experiment that no neutrino interaction can reach: it allows everything, or nothing."""
    for compiled in experiments:
        if not compiled.templates["vector"].any():
            axis = compiled.experiment.axes[0]
            raise NurecoilError(
                f"experiment {compiled.experiment.name} expects no signal at all: its efficiency is zero, or"
                f" its bins, {axis.name} from {axis.edges[0]:g} to {axis.edges[-1]:g}, lie beyond the"
                " largest recoil"
            )


def require_finite_counts(
    model: "Model", experiments: "Iterable[CompiledExperiment]", values: "Values"
) -> None:
    """Refuse a point where expected counts, or their squares in a χ², are larger than a number can be."""
    resolved = model.resolve(values)
    with quiet():
        couplings = model.evaluate(resolved)
        bad = [c.experiment.name for c in experiments if not _finite(c.counts(couplings) ** 2)]
    if bad:
        point = ", ".join(
            f"{p.name} = {p.format(float(resolved[p.name]))}" for p in model.parameters if not p.choices
        )
        raise NurecoilError(
            f"the expected counts of {', '.join(bad)} are too large for a number at {point}:"
            " one of these is out of range"
        )


def _finite(numbers: object) -> bool:
    import numpy as np

    return bool(np.isfinite(numbers).all())  # type: ignore[call-overload]


def named_values(option: str, form: str, texts: Iterable[str]) -> list[tuple[str, str]]:
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

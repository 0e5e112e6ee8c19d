"""What a command is asked, read and compiled: at a point, of a fit, of a scan."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

from nurecoil.cli.arguments import (
    compile_experiments,
    named_values,
    parse_range_of,
    require_finite_counts,
    require_signal,
)
from nurecoil.errors import NurecoilError

if TYPE_CHECKING:
    from nurecoil.experiment import CompiledExperiment
    from nurecoil.models import Model
    from nurecoil.parameters import Parameter, Value, Widths

MOST_STARTS = 1000


@dataclass(frozen=True)
class Asked:
    """What is common to all questions.

    Attributes
    ----------
    model, experiments
        What is tested, and by what.
    values
        The parameters that --set gives (inside units).
    widths
        The prior widths that --prior and --fix give, and what --constrain does.
    pulls
        The nuisance parameters of the experiments, and the constrained ones of the model.
    """

    model: "Model"
    experiments: "Sequence[CompiledExperiment]"
    values: "Mapping[str, Value]"
    widths: "Widths"
    pulls: "Sequence[Parameter]"

    @property
    def question(self) -> "tuple[Model, Sequence[CompiledExperiment], Mapping[str, Value]]":
        """The arguments that all functions of `nurecoil.verbs` begin with."""
        return self.model, self.experiments, self.values

    @property
    def names(self) -> list[str]:
        """The names of the experiments."""
        return [compiled.experiment.name for compiled in self.experiments]

    def title(self, what: str) -> str:
        """Return the title of an answer, which names the model and the experiments."""
        return f"{what}: {self.model.name}, {' + '.join(self.names)}"

    @property
    def parameters(self) -> "tuple[Parameter, ...]":
        """Those of the model, then the nuisance parameters."""
        return (*self.model.parameters, *self.pulls)

    def check_counts(self, at: Mapping[str, float]) -> None:
        """Refuse a point where expected counts are larger than a number can be."""
        of_model = {name: width[0] for name, width in self.widths.items() if isinstance(width, tuple)}
        of_model |= {p.name: at[p.name] for p in self.model.parameters if p.name in at}
        require_finite_counts(self.model, self.experiments, {**self.values, **of_model})

    def check_has_no_prior(self, name: str, what: str) -> None:
        """Refuse --fix and --prior of a parameter with which something else is done."""
        if name in self.widths:
            held = "given a prior" if self.widths[name] else "fixed"
            raise NurecoilError(f"{name} is both {what} and {held}: do one or the other")


@dataclass(frozen=True)
class AskedFit(Asked):
    """A fit: where each free parameter starts, and more starts (inside units)."""

    start: Mapping[str, float]
    starts: Sequence[Mapping[str, float]]


@dataclass(frozen=True)
class AskedScan(Asked):
    """A scan: each parameter, and its range (inside units)."""

    ranges: "Sequence[tuple[Parameter, float, float]]"

    @property
    def scans(self) -> list[tuple[str, float, float]]:
        """The names of the parameters and their ranges."""
        return [(parameter.name, low, high) for parameter, low, high in self.ranges]


def read_fit(
    model: str,
    experiments: Sequence[str],
    free: Sequence[str],
    settings: Sequence[str] | None,
    starts: int,
    fix: Sequence[str] | None,
    prior: Sequence[str] | None,
    constrain: Sequence[str] | None,
    form_factor: str | None,
) -> AskedFit:
    """Read what a fit is asked."""
    if not 1 <= starts <= MOST_STARTS:
        raise NurecoilError(f"starts = {starts} is not allowed: it must be between 1 and {MOST_STARTS}")
    asked = read(model, experiments, settings, fix, prior, constrain, form_factor)
    require_signal(asked.experiments)
    first = parse_points("--free", "NAME=START", asked.parameters, free)
    for name in first.keys() & asked.widths.keys():
        raise NurecoilError(
            f"{name} is free, and so has no prior: leave out its --fix, --prior or --constrain"
        )
    asked.check_counts(first)
    return AskedFit(
        **vars(asked),
        start=first,
        starts=_spread([p for p in asked.parameters if p.name in first], first, starts - 1),
    )


def read_scan(
    model: str,
    experiments: Sequence[str],
    scans: Sequence[str],
    settings: Sequence[str] | None,
    fix: Sequence[str] | None,
    prior: Sequence[str] | None,
    constrain: Sequence[str] | None,
    form_factor: str | None,
    option: str = "--scan",
) -> AskedScan:
    """Read what is asked of ranges of parameters, which `option` gives; their corners are checked."""
    asked = read(model, experiments, settings, fix, prior, constrain, form_factor)
    require_signal(asked.experiments)
    what = {"--scan": "scanned", "--free": "free"}[option]
    ranges = [
        parse_range_of(asked.parameters, name, text, what)
        for name, text in named_values(option, "NAME=LOW..HIGH", scans)
    ]
    for parameter, *_ in ranges:
        if parameter.name in asked.values:
            raise NurecoilError(f"{parameter.name} is both set and {what}: do one or the other")
        asked.check_has_no_prior(parameter.name, what)
    for corner in product(*(ends for _, *ends in ranges)):
        asked.check_counts({p.name: x for (p, *_), x in zip(ranges, corner, strict=True)})
    return AskedScan(**vars(asked), ranges=ranges)


def parse_points(
    option: str, form: str, parameters: "Sequence[Parameter]", texts: Sequence[str]
) -> dict[str, float]:
    """Return the value (inside units) of each parameter that an option gives a number."""
    from nurecoil.parameters import find

    found: dict[str, float] = {}
    for name, text in named_values(option, form, texts):
        parameter = find(parameters, name)
        if parameter.choices:
            raise NurecoilError(f"{name} cannot be fitted: it is a choice, {parameter.allowed()}")
        found[name] = float(parameter.parse(text))
    return found


def read(
    model: str,
    experiments: Sequence[str],
    settings: Sequence[str] | None = None,
    fix: Sequence[str] | None = None,
    prior: Sequence[str] | None = None,
    constrain: Sequence[str] | None = None,
    form_factor: str | None = None,
) -> Asked:
    """Read what all questions have in common."""
    values = named_values("--set", "NAME=VALUE", settings or ())
    constraints = named_values("--constrain", "NAME=VALUE+-WIDTH", constrain or ())
    return compile_asked(
        model, experiments, values, _widths(fix or (), prior or ()), form_factor, constraints
    )


def compile_asked(
    model: str,
    experiments: Sequence[str],
    values: Iterable[tuple[str, str]],
    widths: Iterable[tuple[str, str]],
    form_factor: str | None,
    constraints: Iterable[tuple[str, str]] = (),
) -> Asked:
    """Return what is asked, with the texts of values, prior widths and constraints read."""
    from nurecoil.models import load_model
    from nurecoil.parameters import find
    from nurecoil.quantities import parse_quantity

    chosen = load_model(model)
    given = {name: find(chosen.parameters, name).parse(text) for name, text in values}
    compiled = compile_experiments(experiments, form_factor)
    pulls = {pull.name: pull for each in compiled for pull in each.experiment.statistics.pulls}
    of_pulls = {
        find(pulls.values(), name, "nuisance parameter").name: parse_quantity(
            text, "", name=f"prior width of {name}"
        )
        for name, text in widths
    }
    tied = {name: parse_constraint(find(chosen.parameters, name), text) for name, text in constraints}
    extra = [
        replace(find(chosen.parameters, name), default=centre, prior_width=width)
        for name, (centre, width) in tied.items()
    ]
    return Asked(chosen, compiled, given, {**of_pulls, **tied}, (*pulls.values(), *extra))


def parse_constraint(parameter: "Parameter", text: str) -> tuple[float, float]:
    """Return the centre and the width (inside units) that VALUE+-WIDTH gives a parameter of the model.

    >>> from nurecoil.models import load_model
    >>> angle, *_ = load_model("standard-model").parameters
    >>> parse_constraint(angle, "0.23857+-0.00005")
    (0.23857, 5e-05)
    """
    from nurecoil.quantities import parse_quantity

    centre, sign, width = text.replace("±", "+-").partition("+-")
    if not sign or parameter.choices:
        raise NurecoilError(
            f"--constrain {parameter.name}={text}: write NAME=VALUE+-WIDTH, for example"
            " sin2_theta_w=0.23857+-0.00005"
        )
    size = parse_quantity(width, parameter.unit, name=f"the width of {parameter.name}")
    return float(parameter.parse(centre)), size * parameter.inside


def _widths(fixed: Sequence[str], priors: Sequence[str]) -> list[tuple[str, str]]:
    """Return the prior widths that --fix and --prior give."""
    widths = dict(named_values("--prior", "PULL=WIDTH", priors))
    fixed = [name.strip() for name in fixed]
    for name in fixed:
        if "=" in name:
            raise NurecoilError(
                f"--fix {name}: a nuisance parameter is held at its central value, so give its name"
            )
        if name in widths or fixed.count(name) > 1:
            raise NurecoilError(f"{name} has --fix twice, or --fix and --prior: give one of them")
    return [*widths.items(), *((name, "0") for name in fixed)]


def _spread(
    parameters: "Sequence[Parameter]", first: Mapping[str, float], count: int
) -> list[dict[str, float]]:
    """Return further starts, the same ones each time."""
    import numpy as np

    random = np.random.default_rng(1)
    by_name = {p.name: p for p in parameters}
    return [
        {
            name: _another_start(by_name[name], start, float(random.uniform(-1, 1)))
            for name, start in first.items()
        }
        for _ in range(count)
    ]


def _another_start(parameter: "Parameter", start: float, u: float) -> float:
    """Return a start away from the first by u, from -1 to 1.

    A factor of up to 10 where a parameter spans decades, two prior widths where it has one, else as much as
    the start itself, inside the bounds.
    """
    if parameter.log_scan and start > 0:
        moved = start * 10**u
    else:
        moved = start + u * (2 * (parameter.prior_width or 0.0) or abs(start) or 1.0)
    return min(max(moved, parameter.low), parameter.high)

"""What a command is asked, read and compiled: the question of a fit, and the question of a scan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nurecoil.cli.arguments import (
    compile_experiments,
    named_values,
    parse_priors,
    parse_scan,
    parse_settings,
    require_finite_counts,
    require_signal,
)
from nurecoil.cli.limit import FEWEST_POINTS, MOST_POINTS
from nurecoil.errors import NurecoilError

if TYPE_CHECKING:
    from nurecoil.experiment import CompiledExperiment
    from nurecoil.models import Model
    from nurecoil.parameters import Parameter, Value

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
        The prior widths that --prior and --fix give.
    pulls
        The nuisance parameters of the experiments.
    """

    model: "Model"
    experiments: "Sequence[CompiledExperiment]"
    values: "Mapping[str, Value]"
    widths: Mapping[str, float]
    pulls: "Sequence[Parameter]"

    @property
    def names(self) -> list[str]:
        """The names of the experiments."""
        return [compiled.experiment.name for compiled in self.experiments]

    @property
    def parameters(self) -> "tuple[Parameter, ...]":
        """Those of the model, then the nuisance parameters."""
        return (*self.model.parameters, *self.pulls)

    def check_counts(self, at: Mapping[str, float]) -> None:
        """Refuse a point where expected counts are larger than a number can be."""
        of_model = {p.name: at[p.name] for p in self.model.parameters if p.name in at}
        require_finite_counts(self.model, self.experiments, {**self.values, **of_model})


@dataclass(frozen=True)
class AskedFit(Asked):
    """A fit: where each free parameter starts, and more starts (inside units)."""

    start: Mapping[str, float]
    starts: Sequence[Mapping[str, float]]


@dataclass(frozen=True)
class AskedScan(Asked):
    """A scan: its parameter and range (inside units), and the confidence level."""

    scan: tuple[str, float, float]
    cl: float


def read_fit(
    model: str,
    experiments: Sequence[str],
    free: Sequence[str],
    settings: Sequence[str] | None,
    starts: int,
    fix: Sequence[str] | None,
    prior: Sequence[str] | None,
    form_factor: str | None,
) -> AskedFit:
    """Read what a fit is asked."""
    if not 1 <= starts <= MOST_STARTS:
        raise NurecoilError(f"starts = {starts} is not allowed: it must be between 1 and {MOST_STARTS}")
    asked = _read(model, experiments, settings, fix, prior, form_factor)
    first = parse_points("--free", "NAME=START", asked.parameters, free)
    for name in first.keys() & asked.widths.keys():
        raise NurecoilError(f"{name} is free, and so has no prior: leave out its --fix or --prior")
    asked.check_counts(first)
    return AskedFit(
        **vars(asked),
        start=first,
        starts=_spread([p for p in asked.parameters if p.name in first], first, starts - 1),
    )


def read_scan(
    model: str,
    experiments: Sequence[str],
    scan: str,
    settings: Sequence[str] | None,
    cl: str,
    fix: Sequence[str] | None,
    prior: Sequence[str] | None,
    form_factor: str | None,
    points: int,
) -> AskedScan:
    """Read what a scan of one parameter is asked."""
    from nurecoil.quantities import parse_quantity

    if not FEWEST_POINTS <= points <= MOST_POINTS:
        raise NurecoilError(
            f"points = {points} is not allowed: it must be between {FEWEST_POINTS} and {MOST_POINTS}"
        )
    asked = _read(model, experiments, settings, fix, prior, form_factor)
    parameter, low, high = parse_scan(asked.parameters, scan)
    if parameter.name in asked.values:
        raise NurecoilError(f"{parameter.name} is both set and scanned: do one or the other")
    for end in (low, high):
        asked.check_counts({parameter.name: end})
    level = parse_quantity(cl, "", name="cl")
    return AskedScan(**vars(asked), scan=(parameter.name, low, high), cl=level)


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


def _read(
    model: str,
    experiments: Sequence[str],
    settings: Sequence[str] | None,
    fix: Sequence[str] | None,
    prior: Sequence[str] | None,
    form_factor: str | None,
) -> Asked:
    from nurecoil.models import load_model
    from nurecoil.parameters import find

    chosen = load_model(model)
    values = parse_settings(chosen, settings or ())
    widths = _widths(fix or (), prior or ())
    compiled = compile_experiments(experiments, form_factor)
    require_signal(compiled)
    pulls = {pull.name: pull for each in compiled for pull in each.experiment.statistics.pulls}
    for name in widths:
        find(pulls.values(), name, "nuisance parameter")
    return Asked(chosen, compiled, values, widths, tuple(pulls.values()))


def _widths(fixed: Sequence[str], priors: Sequence[str]) -> dict[str, float]:
    """Return the prior widths that --fix and --prior give."""
    widths = parse_priors(priors)
    for name in fixed:
        if "=" in name:
            raise NurecoilError(
                f"--fix {name}: a nuisance parameter is held at its central value, so give its name"
            )
        if name in widths:
            raise NurecoilError(f"{name} has --fix and --prior: give one of them")
        widths[name] = 0.0
    return widths


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

"""What a scan card may say, and how it is read: which model, which experiments, which grid."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from nurecoil.checks import Number, require
from nurecoil.cli.reading import Asked, compile_asked
from nurecoil.errors import NurecoilError
from nurecoil.experiment.card.toml import read_toml

if TYPE_CHECKING:
    from nurecoil.parameters import Parameter
    from nurecoil.scans import Spaced

Written = float | str  # a text has a unit, or is an expression such as "-sqrt(3)"
Count = Annotated[int, Number(2)]


@dataclass(frozen=True)
class Ticks:
    """[scan.<parameter>]: its values, in the order of the sections the slowest first."""

    low: Written | None = None
    high: Written | None = None
    points: Count | None = None
    log: bool = False
    values: tuple[Written, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse both kinds, or none."""
        ranged = [self.low is not None, self.high is not None, self.points is not None]
        require(self.values != (), "values", (), "one or more")
        if self.values is None and not all(ranged):
            raise NurecoilError("it needs 'low', 'high' and 'points', or 'values'")
        if self.values is not None and (any(ranged) or self.log):
            raise NurecoilError("'values' stand alone, without 'low', 'high', 'points' and 'log'")


@dataclass(frozen=True)
class Range:
    """[profile.<parameter>]: where a parameter is fitted at each point."""

    low: Written
    high: Written


@dataclass(frozen=True)
class ScanCard:
    """A scan card."""

    model: str
    experiments: tuple[str, ...]
    scan: Mapping[str, Ticks]
    form_factor: str | None = None
    engine: str = "auto"
    pulls: bool = False
    set: Mapping[str, Written] = field(default_factory=dict)
    prior: Mapping[str, Written] = field(default_factory=dict)
    profile: Mapping[str, Range] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a scan of nothing."""
        require(bool(self.experiments), "experiments", (), "one or more names")
        require(bool(self.scan), "scan", "nothing", "one or more sections [scan.PARAMETER]")


def read_scan_card(path: Path) -> ScanCard:
    """Return a card, checked; experiments that are files are looked for beside it.

    Raises
    ------
    NurecoilError
        If the card cannot be read, and, all at once, for every error in it.
    """
    card, _ = read_toml(path, "scan card", ScanCard)
    beside = [str(path.parent / name) if name.endswith(".toml") else name for name in card.experiments]
    return replace(card, experiments=tuple(beside))


def asked_of(card: ScanCard) -> Asked:
    """Return the model, the experiments and the values of a card."""
    values, widths = (
        [(name, str(number)) for name, number in section.items()] for section in (card.set, card.prior)
    )
    return compile_asked(card.model, card.experiments, values, widths, card.form_factor)


def axes_of(card: ScanCard, parameters: "Iterable[Parameter]") -> "dict[str, Spaced | list[float]]":
    """Return the values of each axis, in inside units."""
    from nurecoil.parameters import find

    parameters = tuple(parameters)
    return {name: _axis(find(parameters, name), ticks) for name, ticks in card.scan.items()}


def ranges_of(card: ScanCard, parameters: "Iterable[Parameter]") -> dict[str, tuple[float, float]]:
    """Return the ranges, in inside units, of the parameters that are profiled over."""
    from nurecoil.parameters import find

    found = {}
    for name, edges in card.profile.items():
        parameter = find(parameters, name)
        found[name] = (float(parameter.parse(str(edges.low))), float(parameter.parse(str(edges.high))))
    return found


def _axis(parameter: "Parameter", ticks: Ticks) -> "Spaced | list[float]":
    from nurecoil.scans import Spaced

    if parameter.choices:
        raise NurecoilError(f"{parameter.name} cannot be scanned: it is a choice, {parameter.allowed()}")
    if ticks.values is not None:
        return [float(parameter.parse(str(value))) for value in ticks.values]
    low, high = (float(parameter.parse(str(end))) for end in (ticks.low, ticks.high))
    try:
        return Spaced(low, high, ticks.points or 0, ticks.log)
    except NurecoilError as error:
        raise NurecoilError(f"scan.{parameter.name}: {error}") from None

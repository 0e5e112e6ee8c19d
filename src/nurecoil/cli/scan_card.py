"""What a scan card may say, and how it is read: which model, which experiments, which grid."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

from nurecoil.checks import Number, require
from nurecoil.errors import NurecoilError
from nurecoil.experiment.card.toml import read_toml
from nurecoil.study.study import Study

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

    def study(self) -> Study:
        """Return what is asked."""
        values: dict[str, Any] = {name: str(value) for name, value in self.set.items()}
        return Study(
            self.model,
            self.experiments,
            prior={name: str(width) for name, width in self.prior.items()},
            profile={name: (str(within.low), str(within.high)) for name, within in self.profile.items()},
            form_factor=self.form_factor,
            engine=self.engine,
            **values,
        )

    def axes(self) -> dict[str, Any]:
        """Return the axes as `Study.scan` takes them; numbers are in the units at the border."""
        return {
            name: {"low": str(ticks.low), "high": str(ticks.high), "points": ticks.points, "log": ticks.log}
            if ticks.values is None
            else [str(value) for value in ticks.values]
            for name, ticks in self.scan.items()
        }


def read_scan_card(path: Path) -> ScanCard:
    """Return a card, all its errors refused at once; experiments that are files are looked for beside it."""
    card, _ = read_toml(path, "scan card", ScanCard)
    beside = [str(path.parent / name) if name.endswith(".toml") else name for name in card.experiments]
    return replace(card, experiments=tuple(beside))

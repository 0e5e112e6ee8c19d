"""Experiments that are fitted together: each alone, and all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nurecoil.experiment import CompiledExperiment, compile_experiment
from nurecoil.experiment.card import load_experiment
from nurecoil.inference.intervals import Profile
from nurecoil.models import Model
from nurecoil.presentation.comparison import load_toml
from nurecoil.study.study import Study

WORDS = load_toml("nurecoil.papers.world", "report.toml")
SCHEME = {"electroweak": "radiative"}  # of all models that leave the Standard Model's couplings alone


@dataclass(frozen=True)
class Group:
    """Experiments that are fitted together, and how they are shown."""

    label: str
    colour: str
    experiments: tuple[CompiledExperiment, ...]

    def study(self, model: str | Model, **values: Any) -> Study:
        """Return the study of a model with them; numbers are inside units."""
        return Study(model, self.experiments, inside_units=True, **values)


def groups(kind: str = "experiments") -> list[Group]:
    """Return each experiment of a kind in `report.toml`, compiled."""
    return [
        Group(each["of"], each["colour"], (compile_experiment(load_experiment(each["name"])),))
        for each in WORDS[kind]
    ]


def together(parts: Sequence[Group], label: str = "all", colour: str = "black") -> Group:
    """Return the experiments of several groups as one."""
    return Group(label, colour, tuple(one for part in parts for one in part.experiments))


def allowed_text(profile: Profile, unit: float = 1.0, digits: int = 3) -> str:
    """Return what is allowed in words, at a unit; what the scan cuts is no end.

    A value is written to as many decimals as the smaller end of an interval has at so many digits.
    """

    def number(x: float) -> str:
        return f"{x / unit:.{digits}g}".replace("-", "−")

    parts = []
    for each in profile.intervals:
        if each.open_low and each.open_high:
            return "no limit"
        if each.open_low or each.open_high:
            parts.append(f"≤ {number(each.high)}" if each.open_low else f"≥ {number(each.low)}")
        else:
            parts.append(f"{number(each.low)} to {number(each.high)}")
    return "; ".join(parts) or "nothing"

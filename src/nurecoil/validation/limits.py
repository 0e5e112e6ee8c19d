"""What the limits of `limits.toml` hang on: each choice changed in turn."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from nurecoil.presentation.comparison import load_toml
from nurecoil.presentation.document import Section, Table
from nurecoil.study.study import Study
from nurecoil.verbs.limit import Limit, limit
from nurecoil.verbs.vary import table, vary, with_prior


@dataclass(frozen=True)
class Asked:
    """One limit, as the command line is asked for it, and what to read from its table."""

    model: str
    experiments: tuple[str, ...]
    settings: tuple[str, ...]
    scan: str
    lesson: str

    @property
    def command(self) -> str:
        """What prints the table, but for further widths."""
        options = [f"--experiment {name}" for name in self.experiments]
        options += [f"--set '{text}'" for text in self.settings]
        return f"nurecoil limit --model {self.model} {' '.join(options)} --scan {self.scan} --vary"


_FILE = load_toml("nurecoil.validation", "limits.toml")
LIMITS = tuple(Asked(**entry) for entry in _FILE["limits"])


def hanging(names: Collection[str], progress: Callable[[str], None]) -> Section | None:
    """Return what the limits hang on whose experiments are all among `names`; None if there are none."""
    blocks: list[str | Table] = []
    for asked in LIMITS:
        if set(asked.experiments) <= set(names):
            progress(f"what {asked.scan.partition('=')[0]} hangs on")
            blocks += [f"{asked.lesson} `{asked.command}`", table(varied(asked))]
    return Section("What a limit hangs on", (_FILE["lead"], *blocks)) if blocks else None


def varied(asked: Asked) -> Limit:
    """Return a limit with its variations."""
    values: dict[str, Any] = dict(text.split("=", 1) for text in asked.settings)
    study = Study(asked.model, asked.experiments, **values)
    name, within = asked.scan.split("=", 1)
    pulls = {pull.name for pull in study.pulls}
    more = [with_prior(study, pull, *width) for pull, width in _FILE["widths"].items() if pull in pulls]
    return vary(study, lambda study: limit(study, name, within), more).values

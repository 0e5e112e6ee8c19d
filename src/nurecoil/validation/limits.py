"""What the limits of `limits.toml` hang on: each choice changed in turn."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from nurecoil.exhibits import variations_table
from nurecoil.experiment import compile_experiment
from nurecoil.experiment.card import load_experiment
from nurecoil.models import load_model
from nurecoil.parameters import find
from nurecoil.presentation.comparison import load_toml
from nurecoil.presentation.document import Section, Table
from nurecoil.quantities import parse_range
from nurecoil.study.result import Result
from nurecoil.verbs.limit import Limit, limit
from nurecoil.verbs.vary import Case, vary, with_prior


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
            blocks += [f"{asked.lesson} `{asked.command}`", variations_table(varied(asked))]
    return Section("What a limit hangs on", (_FILE["lead"], *blocks)) if blocks else None


def varied(asked: Asked) -> Result[Limit]:
    """Return a limit with its variations."""
    model = load_model(asked.model)
    settings = [text.split("=", 1) for text in asked.settings]
    fixed = {name: find(model.parameters, name).parse(value) for name, value in settings}
    name, text = asked.scan.split("=", 1)
    parameter = find(model.parameters, name)
    low, high = (end * parameter.inside for end in parse_range(text, parameter.unit, name=name))
    compiled = tuple(compile_experiment(load_experiment(each)) for each in asked.experiments)
    pulls = {pull.name for each in compiled for pull in each.experiment.statistics.pulls}
    case = Case(compiled, fixed, {})

    def ask(case: Case) -> Result[Limit]:
        return limit(model, case.experiments, case.fixed, (name, low, high), widths=case.widths)

    more = [with_prior(case, pull, *width) for pull, width in _FILE["widths"].items() if pull in pulls]
    return vary(ask, model, case, more)

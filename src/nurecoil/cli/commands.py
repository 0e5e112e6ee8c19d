"""Commands made of verbs: the study's options, the verb's as its annotations tell, and the answer's."""

import inspect
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import click

from nurecoil.cli.answering import AS_JSON, CONVENTIONS, SAVE, answer
from nurecoil.cli.usage import FILE, Command
from nurecoil.cli.workers import WORKERS, executor
from nurecoil.errors import NurecoilError, unknown_name
from nurecoil.experiment.card import experiment_names, load_experiment
from nurecoil.likelihood.engines import ENGINES
from nurecoil.models import load_model, model_names
from nurecoil.physics.form_factors import FORM_FACTOR_NAMES
from nurecoil.presentation.look import Look
from nurecoil.quantities import named_values
from nurecoil.study.study import Study
from nurecoil.verbs.options import Told, Verb

STUDY = {
    "model": Told("See `nurecoil list models`; or a file of your own, FILE.py.", "NAME"),
    "experiment": Told("A name or a card, FILE.toml; repeat to combine experiments.", "NAME", many=True),
    "set": Told("Value of a parameter of the model; repeat for more.", "NAME=VALUE", many=True),
    "point": Told(
        "Values of parameters from a file: NSI as WCxf (.json, .yaml) or in blocks (.slha).", "FILE"
    ),
    "fix": Told("Hold a nuisance parameter at its central value; repeat for more.", "PULL", many=True),
    "prior": Told(
        "Prior width of a nuisance parameter, in its own unit; `nurecoil list pulls` has their names.",
        "PULL=WIDTH",
        many=True,
        shown="the experiment's own",
    ),
    "constrain": Told(
        "What else is known of a parameter of the model: a Gaussian prior, profiled; repeat for more.",
        "NAME=VALUE+-WIDTH",
        many=True,
    ),
    "profile": Told(
        "A parameter of the model to fit at each point, inside a range; repeat for more.",
        "NAME=LOW..HIGH",
        many=True,
    ),
    "form_factor": Told(
        "helm-binh2021, helm, klein-nystrand, symmetrised-fermi or point.",
        "NAME",
        shown="the experiment's own",
    ),
    "engine": Told("What minimises: auto, numpy or fast.", "NAME"),
}
_REQUIRED = inspect.Parameter.empty


@dataclass(frozen=True)
class Option:
    """An option of a command: its name in Python, its type, its default, and what is told of it."""

    name: str
    base: Any
    default: Any
    told: Told

    @property
    def flag(self) -> str:
        """How it is written on the command line."""
        return self.told.flag or f"--{self.name.replace('_', '-')}"

    @property
    def paired(self) -> bool:
        """Whether a value is NAME=..."""
        return "=" in self.told.metavar

    def _complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
        """Return what the beginning of a value may become, in a shell that has the completion installed."""
        with suppress(NurecoilError):
            return [name for name in _known(self, ctx.params) if name.startswith(incomplete)]
        return []

    def parameter(self) -> click.Option:
        """Return what click reads."""
        names, told = [self.name, self.flag], self.told
        if self.base is bool:
            return click.Option(names, is_flag=True, default=self.default, help=told.help)
        default = [self.default] if told.many and isinstance(self.default, str) else self.default
        given: dict[str, Any] = {} if default in (_REQUIRED, None, (), {}) else {"default": default}
        return click.Option(
            names,
            type=int if self.base in (int, int | None) else str,
            required=self.default is _REQUIRED,
            multiple=told.many,
            metavar=told.metavar,
            help=told.help,
            show_default=told.shown or bool(given),
            shell_complete=self._complete,
            **given,
        )


def command_of(name: str) -> Command:
    """Return the command of a verb."""
    verb: Verb = import_module(f"nurecoil.verbs.{name}").COMMAND
    own = list(_arguments(verb))
    needed = [option for option in own if option.default is _REQUIRED]
    held = [_of_study(held) for held in STUDY if held in verb.holds]
    options = (
        *(_of_study(part) for part in ("model", "experiment")),
        *needed,
        _of_study("set"),
        _of_study("point"),
        *(option for option in own if option not in needed),
        *held,
    )
    elsewhere = "executor" in inspect.signature(verb.ask).parameters

    def run(**given: Any) -> None:
        with ExitStack() as stack:
            arguments: dict[str, Any] = {}
            if elsewhere:
                places = {name: given.pop(name) for name in ("workers", "dask", "mpi")}
                pool, is_worker = stack.enter_context(executor(**places))
                if is_worker:
                    return
                arguments["executor"] = pool
            files = {kind: given.pop(kind, None) for kind in ("plot", "output")}
            shown = {how: given.pop(how) for how in ("as_json", "conventions")}
            files["saved"] = given.pop("saved")
            overlay = given.pop("overlay", ())
            shown["look"] = Look(not given.pop("no_title", False), given.pop("width", None), overlay)

            def ask() -> Any:
                for option in own:
                    arguments.update(_read(option, given[option.name]))
                return getattr(_study(given, held), name)(**arguments)

            if verb.accepts and files["output"]:
                verb.accepts(files["output"])
            answer(ask, **files, **shown)

    params = [
        *(option.parameter() for option in options),
        *(WORKERS if elsewhere else ()),
        AS_JSON,
        CONVENTIONS,
        SAVE,
        *_of_files(verb),
    ]
    return Command(name.replace("_", "-"), callback=run, help=verb.help, params=params)


def _known(option: Option, given: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names that a value may be, or begin with."""
    if option.name == "model":
        yield from model_names()
    elif option.name == "experiment":
        yield from experiment_names()
    elif option.name == "engine":
        yield from ENGINES
    elif option.name == "form_factor":
        yield from FORM_FACTOR_NAMES
    elif option.paired or option.name == "fix":
        end = "=" if option.paired else ""
        pulls = (
            pull for name in given.get("experiment") or () for pull in load_experiment(name).statistics.pulls
        )
        model = load_model(given["model"]).parameters if given.get("model") else ()
        for parameter in (*(() if option.name in ("prior", "fix") else model), *pulls):
            yield parameter.name + end


def _of_study(name: str) -> Option:
    told = STUDY[name]
    default = {"model": _REQUIRED, "experiment": _REQUIRED, "engine": "auto"}.get(name)
    return Option(name, str, default, told)


def _of_files(verb: Verb) -> Iterator[click.Option]:
    """Yield the options of the files that the answer is written to."""
    file = partial(click.Option, type=FILE, metavar="FILE")
    if verb.output:
        yield file(["--output"], help=verb.output, show_default="no file")
    if verb.plots:
        yield file(["--plot"], help="Draw to a .png, .svg or .pdf file.", show_default="no plot")
        text = "A CSV file with a curve to lay over the plot: x,y in its units; repeat for more."
        yield file(["--overlay"], multiple=True, help=text)
        text = "Width of the plot: 3.4 for a column of a journal, 7 for two."
        yield click.Option(["--width"], type=float, metavar="INCHES", help=text, show_default="6.2")
        text = "Leave the title of the plot out, as in a paper."
        yield click.Option(["--no-title"], is_flag=True, help=text)


def _arguments(verb: Verb) -> Iterator[Option]:
    """Yield the arguments of a verb that say how they are told."""
    hints = get_type_hints(verb.ask, include_extras=True)
    for name, parameter in inspect.signature(verb.ask).parameters.items():
        hint = hints[name]
        if get_origin(hint) is Annotated:
            base, *rest = get_args(hint)
            told = [each for each in rest if isinstance(each, Told)]
            if told:
                yield Option(name, base, parameter.default, told[-1])


def _read(option: Option, given: Any) -> dict[str, Any]:
    """Return the arguments that an option gives; one NAME=LOW..HIGH gives two."""
    if not option.paired:
        return {option.name: [text.strip() for text in given or ()] if option.told.many else given}
    if option.told.many:
        return {option.name: named_values(option.flag, option.told.metavar, given or ()) or option.default}
    ((name, within),) = named_values(option.flag, option.told.metavar, [given]).items()
    return {option.name: name, "within": within}


def _study(given: Mapping[str, Any], held: Iterable[Option]) -> Study:
    """Return the study that the options give."""
    values = named_values("--set", "NAME=VALUE", given["set"] or ())
    conventions: dict[str, Any] = {"point": given["point"]}
    for option in held:
        conventions |= _read(option, given[option.name])
    for name in conventions.get("fix", ()):
        if "=" in name:
            raise NurecoilError(
                f"--fix {name}: a nuisance parameter is held at its central value, so give its name"
            )
    for name in values:
        if name in inspect.signature(Study).parameters:
            raise unknown_name("parameter", name, ())
    return Study(given["model"], given["experiment"], **(conventions | values))

"""What is asked, of what, under which conventions: a model and experiments, compiled once."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial, wraps
from importlib import import_module
from inspect import Signature, signature
from itertools import product
from pathlib import Path
from types import MethodType
from typing import Annotated, Any, get_args, get_origin

import numpy as np

from nurecoil.arithmetic import unwarned
from nurecoil.checks import require
from nurecoil.errors import NurecoilError, unknown_name
from nurecoil.experiment import CompiledExperiment, Experiment, compile_experiment
from nurecoil.experiment.card import load_experiment
from nurecoil.likelihood.engines import engine as engine_called
from nurecoil.models import Model, load_model
from nurecoil.models.loading import check
from nurecoil.models.nsi_files import read_nsi
from nurecoil.parameters import Parameter, Range, Value, Values, Widths, find, written
from nurecoil.physics.couplings import CONTACT
from nurecoil.physics.form_factors import FormFactor, form_factor
from nurecoil.quantities import parse_quantity, parse_uncertain
from nurecoil.study.arguments import mapping, several
from nurecoil.study.card import StudyCard
from nurecoil.study.data import Seen
from nurecoil.study.question import Question, constraints

_MANY = 8  # ranges: of more, counts are looked at where all are low and all are high, not at 2^n corners
_NARROWEST = 1e-12  # of a constraint's centre
_NO_CONTACT = (
    f" where the mediator violates parity and is lighter than {CONTACT / 1e3:g} GeV: that is no contact"
    " interaction in an atom or at 157 MeV (heavier masses are allowed)"
)

Given = str | Path | Experiment | CompiledExperiment
Within = str | tuple[Any, Any] | Mapping[str, Any]
"""A range as text, "0.2..20 TeV", as a pair of ends, or {"low": end, "high": end}."""


class _Verb:
    """A question of the room `verbs` as a method; its file is read when it is first asked."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, study: "Study | None", owner: type) -> Any:
        ask = getattr(import_module(f"nurecoil.verbs.{self.name}"), self.name)
        if "__signature__" not in vars(ask):
            ask.__signature__ = _for_people(signature(ask))
        return ask if study is None else MethodType(_asked(self.name, ask), study)


def _asked(name: str, ask: Callable[..., Any]) -> Callable[..., Any]:
    """Return a verb whose result knows its question."""

    @wraps(ask)
    def asked(study: Study, *given: Any, **named: Any) -> Any:
        told = signature(ask)
        own = dict(list(told.bind(study, *given, **named).arguments.items())[1:])
        for argument, each in own.items():
            if isinstance(told.parameters[argument].default, bool):
                require(each in (True, False), argument, repr(each), "True or False")
        result = ask(study, *given, **named)
        own.pop("executor", None)  # where it was computed
        return replace(result, card=StudyCard.of(name, study.given, own))

    return asked


def _for_people(told: Signature) -> Signature:
    """Return a signature without what its annotations tell the command line."""
    bare = (
        each.replace(annotation=get_args(each.annotation)[0])
        if get_origin(each.annotation) is Annotated
        else each
        for each in told.parameters.values()
    )
    return told.replace(parameters=tuple(bare))


class Study:
    """A model and experiments, with what is held, known and profiled; ask it by its methods.

    Parameters
    ----------
    model
        Its name, the path of a file that defines one, or a `Model`.
    experiments
        One or several: names, paths of cards, experiments, or compiled ones.
    prior : mapping, optional
        Prior widths by name of pull (each in its own unit) in place of the experiments' own.
    fix : str or sequence of str, optional
        Pulls that are held at their centres.
    constrain : mapping, optional
        What else is known of parameters of the model, "0.2386+-0.0001" or (centre, width): Gaussian priors,
        profiled as pulls are.
    profile : mapping, optional
        Parameters of the model that are fitted at each point, and their ranges, "0..1" or (low, high).
    form_factor : str or FormFactor, optional
        In place of the experiments' own.
    engine : str
        What minimises: "auto", "numpy" or "fast"; see `likelihood.engines`.
    point : path, optional
        A file with values of parameters: NSI, see `nurecoil.read_nsi`.
    inside_units : bool
        Numbers are in the units inside the package (MeV); without it a number of a parameter that has a unit
        is refused, as any unit would be a guess.
    **values
        Values of parameters of the model, as people write them: ``m_zprime="2 TeV"``, ``beta="-sqrt(3)"``.

    Attributes
    ----------
    model, experiments, engine
        The model, the compiled experiments, and what minimises.
    values, widths, over
        What is set, prior widths (0: held; a pair: a constraint), and ranges profiled over (inside units).

    Raises
    ------
    NurecoilError
        For what is unknown, out of bounds, or said twice.

    Examples
    --------
    >>> from nurecoil import Study
    >>> study = Study("331-beta", "binh2021-csi", beta="-sqrt(3)", sin2_theta_w=0.23867)
    >>> study
    <Study of 331-beta with binh2021-csi>
    >>> study.names, [pull.name for pull in study.pulls]
    (['binh2021-csi'], ['binh2021-csi_signal', 'binh2021-csi_background'])
    >>> [parameter.name for parameter in study.parameters][:2]
    ['beta', 'm_zprime']
    >>> limit = study.limit("m_zprime", "0.1..100 TeV")
    >>> f"{limit.values.profile.lower_limit / 1e6:.2f} TeV"
    '1.48 TeV'
    """

    def __init__(
        self,
        model: str | Path | Model,
        experiments: Given | Sequence[Given],
        *,
        prior: Mapping[str, Any] | None = None,
        fix: str | Sequence[str] = (),
        constrain: Mapping[str, Any] | None = None,
        profile: Mapping[str, Within] | None = None,
        form_factor: str | FormFactor | None = None,
        engine: str = "auto",
        point: str | Path | None = None,
        inside_units: bool = False,
        **values: Value,
    ) -> None:
        """Read and check what is given; compile the experiments."""
        usual = {"prior": prior, "fix": fix, "constrain": constrain, "profile": profile, "engine": engine,
            "form_factor": form_factor, "point": point, "inside_units": inside_units}  # fmt: skip
        told = {name: each for name, each in usual.items() if each and (name, each) != ("engine", "auto")}
        self.given = {"model": model, "experiments": experiments, **values, **told}
        self.inside_units = inside_units
        self.model = check(model, "Study") if isinstance(model, Model) else load_model(str(model))
        if point is not None:
            self.model, values = _at_point(self.model, point, values)
        engine_called(engine)
        self.engine = engine
        try:
            self.values: Values = {
                name: self.value(find(self.model.parameters, name), given, infinite=True)
                for name, given in values.items()
            }
        except NurecoilError as error:
            raise NurecoilError(f"{self.model.name}: {error}") from None
        self.experiments = _compiled(experiments, form_factor)
        prior, constrain, profile = (
            mapping(given, name)
            for name, given in (("prior", prior), ("constrain", constrain), ("profile", profile))
        )
        if isinstance(fix, Mapping):
            raise NurecoilError(f"fix = {fix!r} is not allowed: a pull is held at its centre, so give names")
        fixed = tuple(several(fix, "fix"))
        for name in fixed:
            if name in prior or fixed.count(name) > 1:
                raise NurecoilError(f"{name} is fixed twice, or fixed and given a prior: do one of them")
        widths = {name: _width(name, given) for name, given in prior.items()}
        widths |= dict.fromkeys(fixed, 0.0)
        for name in widths:
            if name in [p.name for p in self.model.parameters]:
                raise NurecoilError(
                    f"{name} is no nuisance parameter but one of the model: set it, or constrain it,"
                    f" {name}=VALUE+-WIDTH"
                )
            find(self._own_pulls, name, "nuisance parameter")
        self.widths: Widths = widths | {
            name: self._constraint(find(self.model.parameters, name), given)
            for name, given in constrain.items()
        }
        self.over = {
            name: self._range(find(self.model.parameters, name), within, "profiled over").ends
            for name, within in profile.items()
        }

    predict = _Verb()
    limit = _Verb()
    map = _Verb()
    fit = _Verb()
    sample = _Verb()
    scan = _Verb()
    sensitivity = _Verb()
    significance = _Verb()
    feldman_cousins = _Verb()
    goodness = _Verb()
    combine = _Verb()
    impact = _Verb()
    spectrum = _Verb()
    workspace = _Verb()

    def __repr__(self) -> str:
        """Return a line that says what it is."""
        return f"<Study of {self.model.name} with {' + '.join(self.names)}>"

    @property
    def data(self) -> dict[str, Seen]:
        """What each experiment saw: observed counts, backgrounds and bin edges, as arrays.

        >>> data = Study("standard-model", "binh2021-csi").data["binh2021-csi"]
        >>> float(data.observed), data.axes[0].name
        (134.0, 'PE')
        """
        return {c.experiment.name: Seen.by(c.experiment) for c in self.experiments}

    @property
    def names(self) -> list[str]:
        """The names of the experiments."""
        return [compiled.experiment.name for compiled in self.experiments]

    @property
    def observes(self) -> bool:
        """Whether any of the experiments has observed something: projections alone have not."""
        return any(c.experiment.statistics.observed is not None for c in self.experiments)

    @cached_property
    def _own_pulls(self) -> tuple[Parameter, ...]:
        """The nuisance parameters of the experiments, each once."""
        pulls = (pull for compiled in self.experiments for pull in compiled.experiment.statistics.pulls)
        return tuple({pull.name: pull for pull in pulls}.values())

    @property
    def pulls(self) -> tuple[Parameter, ...]:
        """The nuisance parameters, and the constrained ones of the model with their priors."""
        return (*self._own_pulls, *constraints(self.model, self.widths))

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Those of the model, then the nuisance parameters."""
        return (*self.model.parameters, *self._own_pulls)

    def changed(
        self,
        *,
        experiments: Sequence[CompiledExperiment] | None = None,
        values: Values | None = None,
        widths: Widths | None = None,
    ) -> "Study":
        """Return the study with other experiments, values set or prior widths (inside units)."""
        study = object.__new__(Study)
        study.__dict__ |= {name: held for name, held in vars(self).items() if not name.startswith("_")}
        if experiments is not None:
            study.experiments = tuple(experiments)
        study.values = self.values if values is None else values
        study.widths = self.widths if widths is None else widths
        study.given = {}  # which say it no longer
        return study

    def value(self, parameter: Parameter, given: Value, *, infinite: bool = False) -> Any:
        """Return a value (inside units) as a user gives it: a text with its unit, or a number."""
        if isinstance(given, str):
            return parameter.parse(given)
        if parameter.choices:
            parameter.check(str(given))
        number = self._number(parameter.name, given, parameter.unit)
        parameter.check(number, infinite=infinite)
        return number

    def _number(self, name: str, given: Value, unit: str) -> float:
        """Return what is no text, a number that needs no unit."""
        if not isinstance(given, int | float | np.floating | np.integer) or isinstance(given, bool):
            raise NurecoilError(f"{name} = {given!r} is not a number, and not a text with one")
        if unit and not self.inside_units and given not in (0, np.inf):
            raise NurecoilError(
                f"{name} = {given} has no unit: write it as a text with one, as in '2 {unit}'"
            )
        return float(given)

    def point(self, given: Mapping[str, Value]) -> dict[str, float]:
        """Return values (inside units) of some parameters, of the model or pulls, that are numbers."""
        found = {}
        for name, value in mapping(given, "values").items():
            parameter = find(self.parameters, name)
            parameter.require_number("fitted")
            found[name] = float(self.value(parameter, value, infinite=True))
        return found

    def require_unused(self, name: str, doing: str) -> None:
        """Refuse a parameter that is set, profiled over or has a prior."""
        if name in self.values:
            raise NurecoilError(f"{name} is both set and {doing}: do one or the other")
        if name in self.over:
            raise NurecoilError(f"{name} is both {doing} and profiled: do one of them")
        if name in self.widths:
            held = "given a prior" if self.widths[name] else "fixed"
            raise NurecoilError(f"{name} is both {doing} and {held}: do one or the other")

    def ranges(self, given: Mapping[str, Within], doing: str = "scanned") -> list[Range]:
        """Return ranges of parameters with which nothing else is done, at whose corners counts are finite."""
        found = [
            self._range(find(self.parameters, name), within, doing)
            for name, within in mapping(given, "ranges").items()
        ]
        for name in given:
            self.require_unused(name, doing)
        ends = [each.ends for each in found]
        for corner in product(*ends) if len(found) <= _MANY else zip(*ends, strict=True):
            self.require_counts({each.parameter.name: x for each, x in zip(found, corner, strict=True)})
        return found

    def free(self, start: str | Sequence[str] | Mapping[str, Value]) -> dict[str, float]:
        """Return where the parameters of a fit start (inside units); they have no prior.

        Names alone start at the parameters' defaults.
        """
        found = self.point(start if isinstance(start, Mapping) else self._defaults(start))
        if self.over:
            raise NurecoilError(
                f"a fit profiles over nothing: make {' and '.join(self.over)} free, with a start, instead"
            )
        for name in found.keys() & self.widths.keys():
            raise NurecoilError(f"{name} is free, and so has no prior: do not give it one, and do not fix it")
        for name in found:
            self.require_unused(name, "free")
        self.require_counts(found)
        return found

    def _defaults(self, names: str | Sequence[str]) -> dict[str, str]:
        found = {}
        for name in several(names, "free"):
            parameter = find(self.parameters, name)
            if not isinstance(parameter.default, float | int):
                raise NurecoilError(f"{name} has no default: say where it starts, {{'{name}': VALUE}}")
            found[name] = parameter.format(parameter.default, 17)
        return found

    def question(self, start: Mapping[str, float]) -> Question:
        """Return χ² as a function of some parameters, which start there (inside units)."""
        for compiled in self.experiments:
            if not any(array.any() for array in compiled.templates.channels.values()):
                axis = compiled.experiment.axes[0]
                raise NurecoilError(
                    f"experiment {compiled.experiment.name} expects no signal at all: its efficiency is zero,"
                    f" or its bins, {axis.name} from {axis.edges[0]:g} to {axis.edges[-1]:g}, lie beyond the"
                    " largest recoil"
                )
        tied = {p.name for p in constraints(self.model, self.widths)}
        used = [*self.values, *tied, *self.over, *start]
        for name in (*tied, *self.over):
            if used.count(name) > 1:
                either = "constrained, and set, free or profiled over", "profiled over, and set or free"
                raise NurecoilError(f"{name} is {either[name not in tied]} as well: do one of them")
        return Question.of(
            self.model, self.experiments, self.values, start, self.widths, self.engine, self.over
        )

    def require_nothing_profiled(self, verb: str) -> None:
        """Refuse parameters that are profiled over, for a verb that knows nothing of them."""
        if self.over:
            raise NurecoilError(
                f"{verb} does not profile over parameters of the model, here {', '.join(self.over)}:"
                " constrain or set them"
            )

    def require_counts(self, at: Mapping[str, float]) -> None:
        """Refuse a point where expected counts, or their squares in a χ², are larger than a number can be."""
        tied = {name: width[0] for name, width in self.widths.items() if isinstance(width, tuple)}
        own = {p.name: at[p.name] for p in self.model.parameters if p.name in at}
        middles = {name: 0.5 * (low + high) for name, (low, high) in self.over.items()}
        resolved = self.model.resolve({**self.values, **tied, **middles, **own})
        with unwarned():
            couplings = self.model.evaluate(resolved)
            for name in (c.experiment.name for c in self.experiments if c.experiment.of_weak_charge):
                if couplings.weak_p is None:
                    why = "" if couplings.light_vector is None else _NO_CONTACT
                    raise NurecoilError(
                        f"{name} is a weak charge, of which {self.model.name} says nothing{why}"
                    )
            squares = {c.experiment.name: c.counts(couplings) ** 2 for c in self.experiments}
        bad = [name for name, square in squares.items() if not np.isfinite(square).all()]
        if bad:
            point = written((p for p in self.model.parameters if not p.choices), resolved, 6)
            raise NurecoilError(
                f"the expected counts of {', '.join(bad)} are too large for a number at {point}:"
                " one of these is out of range"
            )

    def _range(self, parameter: Parameter, within: Within, doing: str) -> Range:
        parameter.require_number(doing)
        if isinstance(within, str):
            return Range.parse(parameter, within)
        if isinstance(within, Mapping) and within.keys() == {"low", "high"}:
            within = within["low"], within["high"]
        try:
            ends = () if isinstance(within, Mapping) else tuple(within)
        except TypeError:
            ends = ()
        if len(ends) != 2:
            raise NurecoilError(
                f"the range of {parameter.name}, {within!r}, is not of the form '0.2..20 TeV' or (low, high)"
            )
        low, high = (self.value(parameter, end) for end in ends)
        return Range(parameter, low, high)

    def _constraint(self, parameter: Parameter, given: Any) -> tuple[float, float]:
        """Return the centre and the width of a constraint (inside units)."""
        parameter.require_number("constrained")
        if isinstance(given, str):
            pair = parse_uncertain(given, parameter.unit, name=parameter.name)
            middle, width = (x * parameter.inside for x in pair)
            parameter.check(middle)
        elif isinstance(given, tuple | list) and len(given) == 2:
            middle, name = float(self.value(parameter, given[0])), f"the width of {parameter.name}"
            if isinstance(given[1], str):
                width = parse_quantity(given[1], parameter.unit, name=name) * parameter.inside
            else:
                width = self._number(name, given[1], parameter.unit)
        else:
            raise NurecoilError(
                f"the constraint of {parameter.name}, {given!r}, is not of the form VALUE+-WIDTH, for example"
                " '0.23857+-0.00005'"
            )
        if not (math.isfinite(width) and width > _NARROWEST * abs(middle)):
            raise NurecoilError(
                f"the constraint {parameter.name} = {parameter.format(middle)} +- {parameter.format(width)}"
                " is not allowed: its width must be positive and finite, or hold the parameter by setting it"
            )
        return middle, width


def asked_by(card: StudyCard, **how: Any) -> Any:
    """Return the result of the question that a study card asks; `how` goes before what it says."""
    verbs = [name for name, each in vars(Study).items() if isinstance(each, _Verb)]
    if card.question not in verbs:
        raise unknown_name("question", card.question, verbs)
    study = Study(**card.study)
    ask = getattr(study, card.question)
    known = [name for name in signature(ask).parameters if name != "executor"]
    for name in card.ask:
        if name not in known:
            raise unknown_name(f"argument of {card.question}", name, known)
    given = {**card.ask, **how}
    try:
        signature(ask).bind(**given)
    except TypeError as error:
        raise NurecoilError(f"the card's [ask] does not fit {card.question}: {error}") from None
    return ask(**given)


def _at_point(model: Model, point: str | Path, given: Mapping[str, Value]) -> tuple[Model, dict[str, Value]]:
    """Return a model that tells the notes of a file with NSI too, and the file's values with those given."""
    found, own = read_nsi(point), [p.name for p in model.parameters]
    for name in found.values or ["eps_u_ee"]:
        if name not in own:
            raise NurecoilError(
                f"point = {point} is not allowed: it is for nsi, and {model.name} has no {name}"
            )
    for name in found.values.keys() & given.keys():
        raise NurecoilError(f"{name} is both set and in {point}: do one of them")
    told = replace(model, notes=partial(_with_notes, model, found.notes))  # which workers can be sent
    return told, {**found.values, **given}


def _with_notes(model: Model, more: tuple[str, ...], values: Values) -> tuple[str, ...]:
    return (*more, *model.notes(values))


def _width(name: str, given: Any) -> float:
    """Return the prior width of a pull, in its own unit."""
    if isinstance(given, str):
        return parse_quantity(given, "", name=f"prior width of {name}")
    if isinstance(given, bool) or not isinstance(given, int | float | np.floating):
        raise NurecoilError(f"prior width of {name} = {given!r} is not a number")
    return float(given)


def _compiled(
    experiments: Given | Sequence[Given], other: str | FormFactor | None
) -> tuple[CompiledExperiment, ...]:
    """Return compiled experiments, with another form factor if there is one."""
    asked = several(experiments, "experiments", str | Path | Experiment | CompiledExperiment)
    if not asked:
        raise NurecoilError("at least one experiment is needed")
    form = other if isinstance(other, FormFactor) or other is None else form_factor(str(other))
    found = []
    for given in asked:
        if isinstance(given, str | Path):
            given = load_experiment(given)
        if form is not None and isinstance(given, CompiledExperiment):
            given = given.experiment
        if form is not None and isinstance(given, Experiment):
            given = given.with_form_factor(form)
        if isinstance(given, Experiment):
            with unwarned():
                given = compile_experiment(given)
        if not isinstance(given, CompiledExperiment):
            raise NurecoilError(
                f"{given!r} is no experiment: give a name, the path of a card, or an experiment"
            )
        if not np.isfinite(given.templates["vector"]).all():
            raise NurecoilError(
                f"experiment {given.experiment.name} expects more events than a number can hold: look at its"
                " mass and its source"
            )
        found.append(given)
    return tuple(found)

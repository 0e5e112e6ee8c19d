"""What the page shows of a state: counts beside data, Δχ², and the limit, on curves of few points."""

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline  # type: ignore[import-untyped]

from nurecoil.arithmetic import Array, undisturbed, unwarned
from nurecoil.errors import NurecoilError, unknown_name
from nurecoil.experiment.card import experiment_names
from nurecoil.explorer.state import State
from nurecoil.inference.intervals import threshold
from nurecoil.likelihood import Fitted
from nurecoil.models import load_model, model_names
from nurecoil.parameters import Parameter, Range, Values, find
from nurecoil.quantities import printed
from nurecoil.study.arguments import level
from nurecoil.study.question import Question, standard_model_counts
from nurecoil.study.study import Study

POINTS = 61  # of a curve: milliseconds
_SEEN = 25.0  # Δχ², counts alone: a slider's range ends where the data say so much
_SIZES = np.geomspace(1e-14, 1e4, 91)  # of a change of a parameter, where its range is looked for
_FAR = 10.0  # times as far as to one side
_DECADES = 1e4  # of a slider whose parameter has no bounds to look in
_STUDIES, _QUESTIONS = 16, 64  # that are kept


@dataclass(frozen=True)
class Explorer:
    """Answers what the page asks; of files it knows those that the command named, and no others.

    Attributes
    ----------
    models, experiments
        Files of the user's own beside the names of this package.
    """

    models: tuple[str, ...] = ()
    experiments: tuple[str, ...] = ()

    def choices(self) -> dict[str, object]:
        """Return the names of all models and experiments."""
        return {"models": self._models, "experiments": self._experiments}

    @cached_property  # plugins are looked for once, not at each move
    def _models(self) -> list[str]:
        return list(dict.fromkeys([*self.models, *model_names()]))

    @cached_property
    def _experiments(self) -> list[str]:
        return list(dict.fromkeys([*self.experiments, *experiment_names()]))

    def check(self, state: State) -> State:
        """Return the state if the page may show it."""
        if state.model not in self._models:
            raise unknown_name("model", state.model, self._models)
        for name in state.experiments:
            if name not in self._experiments:
                raise unknown_name("experiment", name, self._experiments)
        if not state.experiments:
            raise NurecoilError("no experiment is chosen: choose one or several")
        return state

    @undisturbed
    def parameters(self, state: State) -> dict[str, object]:
        """Return what the sliders need: each parameter, its value, and a range in which the data feel it."""
        self.check(state)
        model = load_model(state.model)
        study = _study(state.model, state.experiments, _choices(model.parameters, state))
        values = _inside(study, _usual(model.parameters))
        for name, text in state.values.items():
            with suppress(NurecoilError):  # the answer says what is wrong with it
                values |= _inside(study, {name: text})
        return {"parameters": [_slider(study, p, values) for p in model.parameters]}

    @undisturbed
    def answer(self, state: State, *, settled: bool = True) -> dict[str, object]:
        """Return counts by bin beside the data, χ² with pulls profiled, and the curve with its intervals.

        Unless it is settled, fits begin where those of the last answer ended, and look for no other valley.
        """
        self.check(state)
        parameters = load_model(state.model).parameters
        study = _study(state.model, state.experiments, _choices(parameters, state))
        own = {name: text for name, text in state.values.items() if name not in study.values}
        values = _inside(study, own)
        predicted = study.changed(values={**study.values, **values}).predict()
        if not state.scan:
            raise NurecoilError("the address gives no scan: scan=NAME=LOW..HIGH")
        parameter = find(parameters, state.scan)
        parameter.require_number("scanned")
        scanned = Range.parse(parameter, state.within)
        names = tuple(sorted({*values, state.scan}))
        asked = _asked(state.model, state.experiments, tuple(sorted(study.values.items())), names)
        here = {**asked.question.start, **values}
        curve = asked.curve(here, scanned, threshold(level(state.cl)), settled)
        return {
            "experiments": [
                {"name": part.name, "title": part.title, **part.record()} for part in predicted.values.parts
            ],
            "delta_chi2": curve.pop("here") - _standard_chi2(asked.question, state, here),
            "curve": {"name": state.scan, "unit": scanned.parameter.unit, "log": scanned.log, **curve},
            "notes": predicted.notes,
            "commands": state.commands(),
            "python": state.python(),
        }


@lru_cache(_STUDIES)
def _study(model: str, experiments: tuple[str, ...], choices: tuple[tuple[str, str], ...]) -> Study:
    """Return a study of which nothing is set but choices."""
    words: dict[str, Any] = dict(choices)
    return Study(model, experiments, **words)


@lru_cache(_QUESTIONS)
def _asked(
    model: str, experiments: tuple[str, ...], choices: tuple[tuple[str, str], ...], names: tuple[str, ...]
) -> "_Asked":
    """Return χ² as a function of the parameters that the page has moved."""
    study = _study(model, experiments, choices)
    usual = _inside(study, _usual(study.model.parameters))
    needed = [p.name for p in study.model.parameters if p.default is None and not p.choices]
    defaults = {p.name: p.default for p in study.model.parameters}
    start = {name: usual.get(name, defaults[name]) for name in dict.fromkeys([*names, *needed])}
    found = {name: float(value) for name, value in start.items() if value is not None}
    return _Asked(study.question(found))


@cache
def _standard(experiments: tuple[str, ...], electroweak: str) -> Question:
    study = Study("standard-model", experiments, electroweak=electroweak)
    return study.question(study.free("sin2_theta_w"))


@lru_cache(_QUESTIONS)  # most sliders leave it where it is
def _standard_at(experiments: tuple[str, ...], electroweak: str, mixing: float | None) -> float:
    standard = _standard(experiments, electroweak)
    at = standard.start["sin2_theta_w"] if mixing is None else mixing
    return float(standard.profiled([[at]]).chi2[0])


def _standard_chi2(question: Question, state: State, here: Values) -> float:
    """Return χ² of the Standard Model at the same s_W², pulls profiled."""
    values = {**question.values, **here}
    mixing = values.get("sin2_theta_w")
    return _standard_at(state.experiments, str(values.get("electroweak", "tree")), mixing)


def _choices(parameters: Sequence[Parameter], state: State) -> tuple[tuple[str, str], ...]:
    """Return the words of parameters that are choices; the first one where one must be given."""
    words = {p.name: p.choices[-1] for p in parameters if p.choices and p.default is None}
    given = {p.name: state.values[p.name] for p in parameters if p.choices and p.name in state.values}
    return tuple(sorted({**words, **given}.items()))


def _inside(study: Study, texts: dict[str, str] | Values) -> dict[str, float]:
    """Return values (inside units) of the model's parameters that are numbers."""
    found = {}
    for name, text in texts.items():
        parameter = find(study.model.parameters, name)
        if not parameter.choices:
            found[name] = float(study.value(parameter, text, infinite=True))
    return found


def _usual(parameters: Sequence[Parameter]) -> dict[str, str]:
    """Return values of the parameters that have no default: the middles of their sliders."""
    needed = (p for p in parameters if p.default is None and not p.choices)
    return {p.name: p.format(_middle(p, *_bounds(p)), 17) for p in needed}


def _middle(parameter: Parameter, low: float, high: float) -> float:
    return math.sqrt(low * high) if parameter.log_scan and low > 0 else (low + high) / 2


def _bounds(p: Parameter) -> tuple[float, float]:
    """Return a range (inside units) from the bounds alone."""
    if p.log_scan:
        low = max(p.low, (0.1 if p.unit else 1e-6) * p.inside)
        return low, min(p.high, low * _DECADES)
    usual = 2 * abs(p.default) if isinstance(p.default, float) and p.default else p.inside
    low, high = (end if abs(end) <= 2 * p.inside else math.copysign(usual, end) for end in (p.low, p.high))
    return low, high


def _slider(study: Study, p: Parameter, values: Values) -> dict[str, object]:
    """Return a parameter as the page needs it."""
    value = values.get(p.name, study.values.get(p.name, p.default))
    told = {
        "name": p.name,
        "description": p.description,
        "latex": p.latex,
        "unit": p.unit,
        "printed": printed(p.unit),
        "allowed": p.allowed(),
        "choices": p.choices,
        "needed": p.default is None,
    }
    if p.choices:
        return {**told, "value": value}
    low, high = _felt(study, p, values)
    log = p.log_scan and low > 0
    numbers = {"low": low / p.inside, "high": high / p.inside, "log": log}
    default = None if p.default is None else float(p.default) / p.inside
    return {**told, **numbers, "value": _finite(float(value) / p.inside), "default": default}


def _finite(value: float) -> float | str:
    return value if math.isfinite(value) else "inf"


def _felt(study: Study, p: Parameter, values: Values) -> tuple[float, float]:
    """Return the range (inside units) to whose ends, about, the counts alone tell the parameter's effect."""
    low, high = _bounds(p)
    if p.decouples or p.log_scan or not isinstance(p.default, float | int):
        return low, high
    centre = float(p.default)
    sizes, least, most = _changes(study, p, values, centre)
    felt = sizes[most >= _SEEN]
    if felt.size:  # to both sides, beyond a second window too, if that is not far
        both = sizes[(least >= _SEEN) & (sizes <= _FAR * felt[0])]
        size = float((both if both.size else felt)[0])
        return max(p.low, centre - 1.5 * size), min(p.high, centre + 1.5 * size)
    return (low, high) if low <= centre <= high else (min(low, centre), max(high, centre))


def _changes(study: Study, p: Parameter, values: Values, centre: float) -> tuple[Array, Array, Array]:
    """Return sizes of changes of a parameter, and how much counts change to the two sides, as a χ²."""
    ends = np.stack([centre - _SIZES, centre + _SIZES])
    ends = np.where((ends >= p.low) & (ends <= p.high), ends, centre)
    given = {**study.values, **{name: value for name, value in values.items() if name != p.name}}
    chi2 = np.zeros(ends.shape)
    try:
        with unwarned():
            couplings = study.model.evaluate(study.model.resolve({**given, p.name: ends}))
            for compiled in study.experiments:
                standard = standard_model_counts(compiled, study.model.resolve({**given, p.name: centre}))
                back = sum(float(b.nominal.sum()) for b in compiled.experiment.statistics.backgrounds)
                noise = np.maximum(standard + back / standard.size, 1e-9)
                counts = np.broadcast_to(compiled.counts(couplings), (*ends.shape, standard.size))
                chi2 = chi2 + ((counts - counts[:, :1]) ** 2 / noise).sum(axis=-1)
    except NurecoilError:  # where the model does not exist, bounds must do
        chi2[:] = 0.0
    return _SIZES, chi2.min(axis=0), chi2.max(axis=0)


@dataclass
class _Asked:
    """A question, and the fits of its last curve."""

    question: Question
    last: Fitted | None = None

    def curve(self, here: Values, scanned: Range, reach: float, settled: bool) -> dict[str, Any]:
        """Return Δχ² along a parameter (border units), what is allowed, and χ² at the point itself."""
        p, (low, high) = scanned.parameter, scanned.ends
        x = np.geomspace(low, high, POINTS) if scanned.log else np.linspace(low, high, POINTS)
        points = np.tile([float(here[name]) for name in self.question.names], (POINTS + 1, 1))
        points[1:, self.question.names.index(p.name)] = x
        chi2 = self._chi2(points, settled)
        known = np.isfinite(chi2[1:])
        if not np.isfinite(chi2[0]) or known.sum() < 2:
            self.question.profiled(points)  # which says why
        axis, outer = (np.log, math.exp) if scanned.log else (np.asarray, float)
        spline = CubicSpline(axis(x[known]), chi2[1:][known])
        bottoms = spline(spline.derivative().roots(extrapolate=False))
        least = float(np.concatenate([chi2[np.isfinite(chi2)], bottoms]).min())
        allowed = _below(spline, least + reach)
        return {
            "here": float(chi2[0]),
            "x": x[known] / p.inside,
            "y": chi2[1:][known] - least,
            "at": _finite(float(here[p.name]) / p.inside),
            "level": reach,
            "allowed": [[outer(end) / p.inside for end in pair] for pair in allowed],
        }

    def _chi2(self, points: Array, settled: bool) -> Array:
        """Return χ² at points, pulls profiled; infinite where the model does not exist."""
        try:
            if settled or self.last is None:
                self.last = self.question.profiled(points)
            else:
                self.last = self.question.profiled_from(points, self.last)
            return self.last.chi2
        except NurecoilError:
            found = np.full(len(points), np.inf)
            for n, point in enumerate(points):
                with suppress(NurecoilError):
                    found[n] = self.question.chi2(point)[0]
            return found


def _below(curve: Any, reach: float) -> list[tuple[float, float]]:
    """Return the intervals in which a spline is at most `reach`."""
    low, high = curve.x[[0, -1]]
    roots = curve.solve(reach, extrapolate=False)
    ends = [low, *roots[(roots > low) & (roots < high)], high]
    return [(float(a), float(b)) for a, b in pairwise(ends) if curve((a + b) / 2) <= reach]

"""Fits of one experiment, each question with one likelihood: the signal, s_W², and the neutron radius."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nurecoil.experiment import CompiledExperiment
from nurecoil.likelihood import JointLikelihood, term_of
from nurecoil.likelihood.objective import deviance
from nurecoil.models import SCALED_STANDARD_MODEL, STANDARD_MODEL
from nurecoil.study.question import Question
from nurecoil.validation.signal import RADIATIVE, Widths, binned, standard_model
from nurecoil.verbs.fit import BestFit, fit_of
from nurecoil.verbs.limit import limit_of

Array = NDArray[np.float64]

ONE_SIGMA = 0.6826894921370859
TOYS = 2000
_STRENGTHS = np.linspace(0.0, 2.0, 401)  # of a profile, in units of the best fit
_SIN2_SCAN = ("sin2_theta_w", 0.02, 0.6)
_SIN2_STARTS = (0.1, 0.4)


@dataclass(frozen=True)
class EventProfile:
    """Δχ² against the number of signal events."""

    events: Array
    delta_chi2: Array

    def at(self, events: float) -> float:
        """Return Δχ² at a number of events."""
        return float(np.interp(events, self.events, self.delta_chi2))

    @property
    def error(self) -> float:
        """Half the interval Δχ² <= 1."""
        best = int(self.delta_chi2.argmin())
        low = np.interp(-1.0, -self.delta_chi2[: best + 1], self.events[: best + 1])
        high = np.interp(1.0, self.delta_chi2[best:], self.events[best:])
        return float(high - low) / 2


@dataclass(frozen=True)
class SignalFit:
    """The strength of the signal fitted to one experiment.

    Attributes
    ----------
    compiled
        The experiment.
    question
        χ² of the strength, pulls profiled.
    best
        The best fit.
    """

    compiled: CompiledExperiment
    question: Question
    best: BestFit

    @cached_property
    def no_signal(self) -> float:
        """Δχ² of N = 0, all pulls profiled."""
        return float(self.question.chi2([[0.0]])[0]) - self.chi2

    @cached_property
    def profile(self) -> EventProfile:
        """Δχ² against the number N of signal events.

        The signal's shape is held at the best fit, and the backgrounds are profiled.
        """
        rates = {background.pull.name for background in binned(self.compiled).backgrounds}
        return self._profile({name: value for name, value in self.best.pulls.items() if name not in rates})

    @cached_property
    def standard_model(self) -> float:
        """The Standard Model's number of signal events."""
        return float(standard_model(self.compiled).sum())

    @property
    def error(self) -> float:
        """Half the interval Δχ² <= 1 of the profile."""
        return self.profile.error

    @property
    def error_alone(self) -> float:
        """The same with the backgrounds held as well."""
        return self._profile(self.best.pulls).error

    @property
    def chi2(self) -> float:
        """χ² of the best fit."""
        return self.best.fit.minimum

    @property
    def significance(self) -> float:
        """√Δχ² of no signal."""
        return math.sqrt(max(self.no_signal, 0.0))

    @property
    def components(self) -> Mapping[str, Array]:
        """The counts of signal and backgrounds per bin."""
        (components,) = self.best.components.values()
        return components

    @property
    def events(self) -> float:
        """The number of signal events."""
        return float(self.components["signal"].sum())

    @property
    def expected(self) -> Array:
        """All counts per bin."""
        return np.asarray(sum(self.components.values()))

    @property
    def observed(self) -> Array:
        """The observed counts per bin."""
        (observed,) = self.best.observed.values()
        return observed

    def _profile(self, held: Mapping[str, float]) -> EventProfile:
        """Return Δχ² with some pulls held: the same prior at each point, which Δχ² does not see."""
        strengths = _STRENGTHS * self.best.fit.values["signal_strength"]
        chi2 = replace(self.question, pinned=held).chi2(strengths[:, np.newaxis])
        return EventProfile(_STRENGTHS * self.events, chi2 - chi2.min())


@dataclass(frozen=True)
class Measured:
    """A fitted parameter, its symmetric error, and, where it was scanned, its interval at 1σ."""

    value: float
    error: float
    interval: tuple[float, float] | None = None


def fit_signal(compiled: CompiledExperiment, widths: Widths) -> SignalFit:
    """Return the best fit of the signal's strength, and what Δχ² is away from it."""
    start = {"signal_strength": 1.0}
    question = Question.of(SCALED_STANDARD_MODEL, [compiled], RADIATIVE, start, widths)
    return SignalFit(compiled, question, fit_of(question, minos=False).values)


def fit_changed(unchanged: SignalFit, compiled: CompiledExperiment) -> SignalFit:
    """Return the same fit of an experiment with one input changed.

    Its pulls are searched for as those of the unchanged experiment: finding out anew which hops that needs
    takes ten times as long as the fit, and gives the same minima.
    """
    before = unchanged.question.likelihood
    likelihood = replace(before, terms=(term_of(compiled, None, before.widths, before.basis),))
    question = replace(unchanged.question, likelihood=likelihood)
    return SignalFit(compiled, question, fit_of(question, minos=False).values)


def weak_mixing_angle(compiled: CompiledExperiment, likelihood: JointLikelihood) -> tuple[Measured, float]:
    """Return s_W² fitted with all pulls, its interval at 1σ, and its value with couplings at tree level."""
    name, low, high = _SIN2_SCAN
    start, starts = {name: STANDARD_MODEL.resolve({})[name]}, [{name: value} for value in _SIN2_STARTS]
    questions = [
        Question.of(STANDARD_MODEL, [compiled], couplings, start, likelihood=likelihood)
        for couplings in (RADIATIVE, {"electroweak": "tree"})
    ]
    best, tree = (fit_of(question, starts, minos=False).values.fit for question in questions)
    found = limit_of(questions[0], low, high, ONE_SIGMA, points=201).values.profile
    inside = [(i.low, i.high) for i in found.intervals if i.low <= best.values[name] <= i.high]
    measured = Measured(best.values[name], best.errors[name], inside[0] if inside else None)
    return measured, tree.values[name]


def neutron_radius(compiled: CompiledExperiment, likelihood: JointLikelihood) -> Measured | None:
    """Return the mean neutron rms radius (fm), free of its prior, fitted with all other pulls.

    None where the best fit is at a bound of the radius: the data do not measure it.
    """
    (pull,) = (v.pull for v in binned(compiled).variations if v.pull.unit == "fm")
    centre = float(pull.default or 0.0)
    question = Question.of(STANDARD_MODEL, [compiled], RADIATIVE, {pull.name: centre}, likelihood=likelihood)
    best = fit_of(question, minos=False).values.fit
    value = best.values[pull.name]
    at_bound = min(value - pull.low, pull.high - value) < 1e-3 * centre
    return None if at_bound else Measured(value, best.errors[pull.name])


def goodness_of_fit(observed: Array, expected: Array) -> float:
    """Return the fraction of Poisson toys at `expected` with a larger -2 ln L than the observed counts."""
    toys = np.random.default_rng(1).poisson(expected, size=(TOYS, expected.size))
    of_toys, of_data = (
        deviance(expected[np.newaxis], counts, gaussian=False, xp=np)[0]
        for counts in (toys, observed[np.newaxis])
    )
    return float((of_toys > of_data).mean())

"""The fits of the signal of one experiment: what the collaboration's best fit is compared with."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.experiment import CompiledExperiment, Experiment, Statistics, compile_experiment
from nurecoil.experiment.card import load_experiment
from nurecoil.likelihood import terms_of
from nurecoil.models import SCALED_STANDARD_MODEL
from nurecoil.study.question import Question
from nurecoil.validation import signal
from nurecoil.validation.signal import Widths
from nurecoil.verbs.fit import BestFit, fit_of

_STRENGTHS = np.linspace(0.0, 2.0, 401)  # of a profile, in units of the best fit


@dataclass(frozen=True)
class EventProfile:
    """Δχ² against the number of signal events."""

    events: Array
    delta_chi2: Array

    @property
    def error(self) -> float:
        """Half the interval Δχ² <= 1."""
        best = int(self.delta_chi2.argmin())
        low = np.interp(-1.0, -self.delta_chi2[: best + 1], self.events[: best + 1])
        high = np.interp(1.0, self.delta_chi2[best:], self.events[best:])
        return float(high - low) / 2


@dataclass(frozen=True)
class SignalFit:
    """The strength of the signal fitted to one experiment: χ² of it, pulls profiled, and the best fit."""

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
        statistics = self.compiled.experiment.statistics
        rates = {pull.name for b in statistics.backgrounds for pull in (b.pulls if b.formula else b.rates)}
        return self._profile({name: value for name, value in self.best.pulls.items() if name not in rates})

    @cached_property
    def profile_alone(self) -> EventProfile:
        """The same with the backgrounds held as well."""
        return self._profile(self.best.pulls)

    @cached_property
    def standard_model(self) -> float:
        """The Standard Model's number of signal events."""
        return float(signal.standard_model(self.compiled).sum())

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
        return self.best.components[self.compiled.experiment.name]

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
        return self.best.observed[self.compiled.experiment.name]

    def _profile(self, held: Mapping[str, float]) -> EventProfile:
        """Return Δχ² with some pulls held: the same prior at each point, which Δχ² does not see."""
        strengths = _STRENGTHS * self.best.fit.values["signal_strength"]
        chi2 = replace(self.question, pinned=held).chi2(strengths[:, np.newaxis])
        return EventProfile(_STRENGTHS * self.events, chi2 - chi2.min())


@dataclass(frozen=True)
class SignalFits:
    """All fits of the signal of one experiment, of which the main one is compared with the collaboration's.

    That from first principles has all pulls; there are no others, by name, where it is the main one.
    `significance_if` is √Δχ² of no signal with the rate of the largest background "known" exactly, or "free",
    if there is one.
    """

    main: SignalFit
    first_principles: SignalFit
    others: Mapping[str, SignalFit]
    significance_if: Mapping[str, float]

    @property
    def compiled(self) -> CompiledExperiment:
        """The experiment, its signal from first principles."""
        return self.first_principles.compiled

    @property
    def experiment(self) -> Experiment:
        """The experiment, as it was compiled."""
        return self.compiled.experiment

    @property
    def statistics(self) -> Statistics:
        """Its components and data."""
        return self.experiment.statistics


def signal_fits(name: str) -> SignalFits:
    """Fit the signal of an experiment: with the release's template and rates alone, where it has one."""
    compiled = compile_experiment(load_experiment(name)).with_channels(SCALED_STANDARD_MODEL.channels)
    statistics = compiled.experiment.statistics
    widths, others = signal.free_signal(statistics), {}
    main = first_principles = fit_signal(compiled, widths)
    if (template := signal.release_template(name)) is not None:
        fitted, rates = signal.rescaled(compiled, template), signal.rates_alone(statistics)
        others["first principles, all pulls"] = first_principles
        others["template, all pulls"] = fit_signal(fitted, widths)
        others["first principles, rates alone"] = fit_signal(compiled, rates)
        main, widths = fit_signal(fitted, rates), rates
    rates_of_it = [b.rates[0].name for b in signal.largest_background(statistics)]
    unmeasured = signal.without_off_sample(main.compiled)
    significance_if = {
        word: fit_signal(each, {**widths, **dict.fromkeys(rates_of_it, width)}).significance
        for word, each, width in (("known", main.compiled, 0.0), ("free", unmeasured, math.inf))
        if rates_of_it
    }
    return SignalFits(main, first_principles, others, significance_if)


def fit_signal(compiled: CompiledExperiment, widths: Widths) -> SignalFit:
    """Return the best fit of the signal's strength, and what Δχ² is away from it."""
    start = {"signal_strength": 1.0}
    question = Question.of(SCALED_STANDARD_MODEL, [compiled], signal.RADIATIVE, start, widths)
    return SignalFit(compiled, question, fit_of(question, minos=False).values)


def fit_changed(unchanged: SignalFit, compiled: CompiledExperiment) -> SignalFit:
    """Return the same fit of an experiment with one input changed.

    Its pulls are searched for as those of the unchanged experiment: finding out anew which hops that needs
    takes ten times as long as the fit, and gives the same minima.
    """
    before = unchanged.question.likelihood
    likelihood = replace(before, terms=terms_of(compiled, before.widths, before.basis))
    question = replace(unchanged.question, likelihood=likelihood)
    return SignalFit(compiled, question, fit_of(question, minos=False).values)

"""The published quantities of one experiment, computed from its card and its data release."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nurecoil.analysis import BestFit, fit, joint_likelihood, limit, standard_model_counts
from nurecoil.card import load_experiment, read_card
from nurecoil.couplings import strengths
from nurecoil.datasets import file_path
from nurecoil.errors import NurecoilError
from nurecoil.experiment import (
    Background,
    BinnedStatistics,
    CompiledExperiment,
    Experiment,
    compile_experiment,
)
from nurecoil.form_factors import FormFactor, form_factor
from nurecoil.histograms import histogram, read_columns
from nurecoil.models import SCALED_STANDARD_MODEL, STANDARD_MODEL
from nurecoil.parameters import Value
from nurecoil.recoil import RecoilTemplates, recoil_energy_max, recoil_templates

Array = NDArray[np.float64]
Widths = Mapping[str, float]

RADIATIVE: dict[str, Value] = {"electroweak": "radiative"}
CROSS_SECTION_UNIT = 1e-40  # cm²
ONE_SIGMA = 0.6826894921370859
OTHER_FORM_FACTOR = "klein-nystrand"
TOYS = 2000
_SEGMENTS, _POINTS = 24, 8  # of the integral over the recoil energy
_SIN2_SCAN = ("sin2_theta_w", 0.02, 0.6)
_SIN2_STARTS = (0.1, 0.4)


@dataclass(frozen=True)
class SignalFit:
    """The strength of the signal fitted to one experiment.

    Attributes
    ----------
    best
        The best fit.
    profile
        Δχ² against the number N of signal events, the signal's shape held at the best fit, the backgrounds
        profiled.
    no_signal
        Δχ² of N = 0, all pulls profiled.
    error
        Half the interval Δχ² <= 1 of the profile.
    error_alone
        The same with the backgrounds held as well.
    """

    best: BestFit
    profile: "EventProfile"
    no_signal: float
    error: float
    error_alone: float

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
class Measured:
    """A fitted parameter, its symmetric error, and, where it was scanned, its interval at 1σ."""

    value: float
    error: float
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class Result:
    """All that is computed of one experiment.

    Attributes
    ----------
    compiled
        The experiment, its signal from first principles.
    standard_model
        The Standard Model's signal per bin.
    main
        The fit that the collaboration's is compared with.
    others
        Other fits of the signal, by name.
    goodness
        The fraction of Poisson toys at the best fit (not refitted) that lie farther from it than the data.
    significance_if
        √Δχ² of no signal with the rate of the largest background "known" exactly, or "free".
    cross_section, cross_section_other
        The Standard Model's cross section per nucleus, averaged over flux and nuclei, in 1e-40 cm²; the same
        with the Klein-Nystrand form factor.
    sin2_theta_w, neutron_radius
        Fitted with all pulls (the radius in fm, free of its prior; None where the data do not bound it).
    sin2_theta_w_tree
        The best fit of s_W² with couplings at tree level.
    """

    compiled: CompiledExperiment
    standard_model: Array
    main: SignalFit
    others: Mapping[str, SignalFit]
    goodness: float
    significance_if: Mapping[str, float]
    cross_section: float
    cross_section_other: float
    sin2_theta_w: Measured
    sin2_theta_w_tree: float
    neutron_radius: Measured | None

    @property
    def experiment(self) -> Experiment:
        """The experiment."""
        return self.compiled.experiment


def compute(name: str) -> Result:
    """Compute all published quantities of an experiment."""
    compiled = compile_experiment(load_experiment(name))
    standard = standard_model(compiled)
    statistics = binned(compiled)
    fitted, widths, others = compiled, free_signal(statistics), {}
    template = release_template(name, compiled)
    if template is not None:
        fitted = rescaled(compiled, template)
        others["first principles, all pulls"] = fit_signal(compiled, widths)
        others["template, all pulls"] = fit_signal(fitted, widths)
        widths = rates_alone(statistics)
        others["first principles, rates alone"] = fit_signal(compiled, widths)
    main = fit_signal(fitted, widths)
    background = largest_background(statistics).pull.name
    return Result(
        compiled=compiled,
        standard_model=standard,
        main=main,
        others=others,
        goodness=goodness_of_fit(main.observed, main.expected),
        significance_if={
            word: fit_signal(fitted, {**widths, background: width}).significance
            for word, width in (("known", 0.0), ("free", math.inf))
        },
        cross_section=cross_section(compiled.experiment),
        cross_section_other=cross_section(compiled.experiment, form_factor(OTHER_FORM_FACTOR)),
        sin2_theta_w=weak_mixing_angle(compiled),
        sin2_theta_w_tree=weak_mixing_angle(compiled, {"electroweak": "tree"}).value,
        neutron_radius=neutron_radius(compiled),
    )


# --- the signal ---------------------------------------------------------------------------------------


def binned(compiled: CompiledExperiment) -> BinnedStatistics:
    """Return the statistics of an experiment that has bins."""
    statistics = compiled.experiment.statistics
    if not isinstance(statistics, BinnedStatistics):
        raise NurecoilError(f"experiment {compiled.experiment.name} has no bins to validate")
    return statistics


def largest_background(statistics: BinnedStatistics) -> Background:
    """Return the background with the most expected counts."""
    return max(statistics.backgrounds, key=lambda background: float(background.counts.sum()))


def standard_model(compiled: CompiledExperiment) -> Array:
    """Return the Standard Model's signal per bin, with radiative corrections."""
    return standard_model_counts(compiled, RADIATIVE)


def rescaled(compiled: CompiledExperiment, counts: Array) -> CompiledExperiment:
    """Return an experiment whose Standard Model signal is `counts`; pulls change it by the same factors."""
    before = standard_model(compiled)
    if ((before == 0) & (counts != 0)).any():
        raise NurecoilError(f"experiment {compiled.experiment.name} has no signal where one is asked for")
    ratio = counts / np.where(before == 0, 1.0, before)

    def scaled(templates: RecoilTemplates) -> RecoilTemplates:
        vector = templates.vector * ratio[:, np.newaxis, np.newaxis]
        return RecoilTemplates(vector, templates.magnetic * ratio[:, np.newaxis])

    variations = tuple((scaled(up), scaled(down)) for up, down in compiled.variations)
    return replace(compiled, templates=scaled(compiled.templates), variations=variations)


def release_template(name: str, compiled: CompiledExperiment) -> Array | None:
    """Return the signal per bin that the data release itself predicts, or None where it has none."""
    _, card = read_card(name)
    if card.template is None or card.data is None:
        return None
    table = card.template.table
    edges = {k: a.edges for k, a in zip(card.axis_keys, compiled.experiment.axes, strict=True)}
    columns = read_columns(file_path(card.data.release, table.file))
    return histogram(columns, table.columns, edges, table.weight).ravel()


# --- fits ---------------------------------------------------------------------------------------------


def free_signal(statistics: BinnedStatistics) -> Widths:
    """Return the widths with which a free strength takes the place of the signal's own normalisations."""
    return {pull.name: 0.0 for pull in statistics.normalisations}


def rates_alone(statistics: BinnedStatistics) -> Widths:
    """Return the widths that leave only the rates of the backgrounds, and no shape, to be fitted."""
    rates = {background.pull.name for background in statistics.backgrounds}
    return {pull.name: 0.0 for pull in statistics.pulls if pull.name not in rates}


def fit_signal(compiled: CompiledExperiment, widths: Widths) -> SignalFit:
    """Return the best fit of the signal's strength, and Δχ² away from it."""
    best = fit_strength(compiled, widths)
    (components,) = best.components.values()
    strength, events = best.fit.values["signal_strength"], float(components["signal"].sum())
    rates = {background.pull.name for background in binned(compiled).backgrounds}
    shapes = {name: value for name, value in best.pulls.items() if name not in rates}

    def profile(held: Mapping[str, float]) -> EventProfile:
        grid = np.linspace(0.0, 2.0, 401)
        values = _chi2(compiled, widths, grid * strength, held)
        return EventProfile(grid * events, values - values.min())

    backgrounds_profiled = profile(shapes)
    return SignalFit(
        best=best,
        profile=backgrounds_profiled,
        no_signal=no_signal(compiled, widths, best),
        error=backgrounds_profiled.error,
        error_alone=profile(best.pulls).error,
    )


def fit_strength(compiled: CompiledExperiment, widths: Widths) -> BestFit:
    """Return the best fit of the signal's strength."""
    return fit(SCALED_STANDARD_MODEL, [compiled], RADIATIVE, {"signal_strength": 1.0}, widths=widths).values


def no_signal(compiled: CompiledExperiment, widths: Widths, best: BestFit) -> float:
    """Return Δχ² of no signal from the best fit, all pulls profiled."""
    return float(_chi2(compiled, widths, np.zeros(1), {})[0]) - best.fit.minimum


def _chi2(compiled: CompiledExperiment, widths: Widths, scales: Array, held: Mapping[str, float]) -> Array:
    """Return χ² at `scales` of the signal, pulls profiled but those `held`."""
    likelihood = joint_likelihood([compiled], RADIATIVE, widths)
    values = SCALED_STANDARD_MODEL.resolve({**RADIATIVE, "signal_strength": scales})
    return likelihood.profiled(strengths(SCALED_STANDARD_MODEL.evaluate(values)), held).chi2


def weak_mixing_angle(compiled: CompiledExperiment, couplings: Mapping[str, Value] = RADIATIVE) -> Measured:
    """Return s_W² fitted with all pulls, and its interval at 1σ."""
    name, low, high = _SIN2_SCAN
    starts = [{name: start} for start in _SIN2_STARTS]
    start = STANDARD_MODEL.resolve({})[name]
    best = fit(STANDARD_MODEL, [compiled], couplings, {name: start}, starts=starts).values.fit
    found = limit(STANDARD_MODEL, [compiled], couplings, (name, low, high), cl=ONE_SIGMA, points=201)
    inside = [i for i in found.values.profile.intervals if i.low <= best.values[name] <= i.high]
    interval = (inside[0].low, inside[0].high) if inside else None
    return Measured(best.values[name], best.errors[name], interval)


def neutron_radius(compiled: CompiledExperiment) -> Measured | None:
    """Return the mean neutron rms radius (fm), free of its prior, fitted with all other pulls.

    None where the best fit is at a bound of the radius: the data do not measure it.
    """
    (pull,) = (v.pull for v in binned(compiled).variations if v.pull.unit == "fm")
    centre = float(pull.default or 0.0)
    best = fit(STANDARD_MODEL, [compiled], RADIATIVE, {pull.name: centre}).values.fit
    value = best.values[pull.name]
    at_bound = min(value - pull.low, pull.high - value) < 1e-3 * centre
    return None if at_bound else Measured(value, best.errors[pull.name])


def goodness_of_fit(observed: Array, expected: Array) -> float:
    """Return the fraction of Poisson toys at `expected` with a larger -2 ln L than the observed counts."""
    toys = np.random.default_rng(1).poisson(expected, size=(TOYS, expected.size))
    return float((_deviance(toys, expected) > _deviance(observed[np.newaxis], expected)).mean())


def _deviance(counts: Array | NDArray[np.int64], expected: Array) -> Array:
    safe = np.where(expected > 0, expected, 1.0)
    logarithms = np.log(np.where(counts > 0, counts, 1.0) / safe)
    deviance: Array = 2 * (expected - counts + counts * logarithms).sum(axis=1)
    return deviance


# --- the cross section --------------------------------------------------------------------------------


def cross_section(experiment: Experiment, other: FormFactor | None = None) -> float:
    """Return ∫dT dσ/dT in the Standard Model in 1e-40 cm².

    Averaged over the components of the source, and over the nuclides by their number.
    """
    couplings = STANDARD_MODEL.evaluate(STANDARD_MODEL.resolve(RADIATIVE))
    totals = []
    for nuclide in experiment.target.nuclides:
        T, weights = _recoil_grid(recoil_energy_max(nuclide, experiment.flux))
        templates = recoil_templates(
            nuclide, experiment.flux, other or experiment.signal.form_factor, experiment.conventions, T
        )
        totals.append(float(templates.evaluate(couplings) @ weights))
    mean = float(np.average(totals, weights=experiment.target.nuclei_per_kg))
    return mean / len(experiment.flux.components) / CROSS_SECTION_UNIT


def _recoil_grid(ends: Sequence[float]) -> tuple[Array, Array]:
    """Return recoil energies (MeV) and weights of a Gauss-Legendre rule between the spectra's ends."""
    edges = np.unique(np.concatenate([np.linspace(0, max(ends), _SEGMENTS + 1), ends]))
    x, w = np.polynomial.legendre.leggauss(_POINTS)
    half, middle = np.diff(edges)[:, np.newaxis] / 2, (edges[1:] + edges[:-1])[:, np.newaxis] / 2
    return (middle + half * x).ravel(), (half * w).ravel()

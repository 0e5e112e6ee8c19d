"""What the numbers depend on, measured: one input changed at a time, all else kept."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nurecoil.analysis import standard_model_counts
from nurecoil.card import read_card
from nurecoil.card.signal_schema import PulsedTime
from nurecoil.experiment import (
    BinnedStatistics,
    CompiledExperiment,
    Experiment,
    Signal,
    Variation,
    compile_experiment,
)
from nurecoil.fluxes.timing import PulsedSource
from nurecoil.form_factors import form_factor
from nurecoil.nuclei import Material
from nurecoil.validation.compute import OTHER_FORM_FACTOR, Result
from nurecoil.validation.fits import SignalFit, fit_changed
from nurecoil.validation.signal import (
    binned,
    largest_background,
    rescaled,
    standard_model,
)

Array = NDArray[np.float64]

RADIUS_SHIFT_FM = -0.1
PULSE_WIDTHS_US = (0.10, 0.20)


@dataclass(frozen=True)
class Change:
    """What one changed input gives.

    Attributes
    ----------
    label
        What was changed.
    standard_model, events, chi2, significance
        The Standard Model's signal; the best fit of the signal, and χ² there, all pulls profiled; √Δχ² of
        no signal.
    """

    label: str
    standard_model: float
    events: float
    chi2: float
    significance: float


def changes(result: Result) -> tuple[Change, ...]:
    """Return what each changed input gives, the unchanged one first."""
    compiled = result.compiled
    changed = {label: rescaled(compiled, counts) for label, counts in _signals(compiled)}
    changed |= _flat_in_time(compiled)
    unchanged = result.first_principles
    return (
        _change("as in the card", unchanged),
        *(_change(label, fit_changed(unchanged, each)) for label, each in changed.items()),
    )


def _change(label: str, fit: SignalFit) -> Change:
    return Change(
        label=label,
        standard_model=float(standard_model(fit.compiled).sum()),
        events=fit.events,
        chi2=fit.chi2,
        significance=fit.significance,
    )


def _flat_in_time(compiled: CompiledExperiment) -> Iterator[tuple[str, CompiledExperiment]]:
    """Yield the experiment with its largest background flat in time, where it is a product of factors."""
    experiment, statistics = compiled.experiment, binned(compiled)
    if len(experiment.axes) != 2:
        return
    background = largest_background(statistics)
    durations = np.diff(experiment.axes[1].edges)
    energies = background.counts.reshape(experiment.shape).sum(axis=1)
    flat = replace(background, counts=np.outer(energies, durations / durations.sum()).ravel())
    backgrounds = tuple(flat if b is background else b for b in statistics.backgrounds)
    changed = replace(experiment, statistics=replace(statistics, backgrounds=backgrounds))
    yield f"{background.name.replace('-', ' ')} flat in time", replace(compiled, experiment=changed)


def _size(variation: Variation) -> str:
    """Return how far a variation goes: one standard deviation, or its step where that is another."""
    width = variation.pull.prior_width
    if variation.step is None or width is None or math.isclose(variation.step, width):
        return "1σ"
    return f"{100 * variation.step / float(variation.pull.default or 1.0):.0f} %"


def _signals(compiled: CompiledExperiment) -> Iterator[tuple[str, Array]]:
    """Yield the Standard Model's signal with each input changed."""
    experiment = compiled.experiment
    yield "couplings at tree level", standard_model_counts(compiled, {"electroweak": "tree"})
    other = replace(experiment.signal, form_factor=form_factor(OTHER_FORM_FACTOR))
    yield "Klein-Nystrand form factor", _counts(experiment, other)
    nearer = replace(experiment, target=_with_radii_shifted(experiment.target, RADIUS_SHIFT_FM))
    yield f"neutron radii {RADIUS_SHIFT_FM:+g} fm".replace("-", "−"), _counts(nearer, nearer.signal)
    for variation, templates in zip(binned(compiled).variations, compiled.variations, strict=True):
        name = variation.pull.name.removeprefix(f"{experiment.name}_").replace("_", " ")
        size = _size(variation)
        for sign, template in zip("+−", templates, strict=True):
            yield f"{name} {sign}{size}", standard_model(replace(compiled, templates=template))
    yield from _other_times(experiment)
    if experiment.signal.detector.efficiency_at == "true":
        detector = replace(experiment.signal.detector, efficiency_at="observable")
        yield (
            "efficiency at the smeared energy",
            _counts(experiment, replace(experiment.signal, detector=detector)),
        )


def _counts(experiment: Experiment, signal: Signal) -> Array:
    """Return the Standard Model's counts of an experiment with another signal."""
    statistics = experiment.statistics
    assert isinstance(statistics, BinnedStatistics)
    bare = replace(experiment, signal=signal, statistics=replace(statistics, variations=()))
    return standard_model(compile_experiment(bare))


def _with_radii_shifted(target: Material, shift_fm: float) -> Material:
    nuclides = tuple(
        replace(n, neutron_radius_fm=(n.neutron_radius_fm or n.charge_radius_fm) + shift_fm)
        for n in target.nuclides
    )
    return replace(target, nuclides=nuclides)


def _other_times(experiment: Experiment) -> Iterator[tuple[str, Array]]:
    """Yield the signal with other arrival times: another pulse, or nothing lost outside the window."""
    _, card = read_card(experiment.name)
    spread = experiment.signal.spread
    if isinstance(card.time, PulsedTime) and spread is not None:
        for width in PULSE_WIDTHS_US:
            times = _arrivals(experiment, card.time, width)
            changed = np.repeat(times[:, np.newaxis], spread.shape[1], axis=1)
            yield (
                f"beam pulse σ = {width:g} μs",
                _counts(experiment, replace(experiment.signal, spread=changed)),
            )
    if card.template is not None and spread is not None:
        whole = spread / spread.sum(axis=-1, keepdims=True)
        yield (
            "nothing lost outside the time window",
            _counts(experiment, replace(experiment.signal, spread=whole)),
        )


def _arrivals(experiment: Experiment, card: PulsedTime, width_us: float) -> Array:
    """Return the fraction of each component in each time bin with another pulse width."""
    fractions = PulsedSource(card.pulse_mean, width_us).of_each(card.edges_us, card.efficiency())
    kinds = ["prompt" if c.name in card.prompt else "delayed" for c in experiment.flux.components]
    return np.array([fractions[kind] for kind in kinds])

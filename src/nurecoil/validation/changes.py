"""What the numbers depend on, measured: one input changed at a time, all else kept."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.detector.response import Detector
from nurecoil.experiment import CompiledExperiment, Experiment, Shape, Signal, compile_experiment
from nurecoil.experiment.card import read_card
from nurecoil.experiment.card.building import build
from nurecoil.experiment.card.schema import Card
from nurecoil.experiment.card.signal_schema import PulsedTime
from nurecoil.physics.nuclei import Material
from nurecoil.validation.fits import SignalFit, SignalFits, fit_changed
from nurecoil.validation.signal import largest_background, other_form_factor, rescaled, standard_model

RADIUS_SHIFT_FM = -0.1
PULSE_WIDTHS = (2 / 3, 4 / 3)  # of the card's


def changes(fits: SignalFits) -> Mapping[str, SignalFit]:
    """Return the fit of the signal, all pulls profiled, with each input changed, the unchanged one first."""
    compiled, unchanged = fits.compiled, fits.first_principles
    before = standard_model(compiled)
    moved = ((label, counts) for label, counts in _signals(compiled) if not np.allclose(counts, before))
    changed = {label: rescaled(compiled, counts) for label, counts in moved}
    changed |= _flat_in_time(compiled)
    return {"as in the card": unchanged} | {n: fit_changed(unchanged, each) for n, each in changed.items()}


def _flat_in_time(compiled: CompiledExperiment) -> Iterator[tuple[str, CompiledExperiment]]:
    """Yield the experiment with its largest background flat in time, where it is a product of factors."""
    experiment, statistics = compiled.experiment, compiled.experiment.statistics
    if len(experiment.axes) != 2:
        return
    background, *more = largest_background(statistics) or (None,)
    if background is None or more:  # whose factors are those of single bins
        return
    durations = np.diff(experiment.axes[1].edges)
    energies = background.nominal.reshape(experiment.shape).sum(axis=1)
    flat = replace(background, nominal=np.outer(energies, durations / durations.sum()).ravel())
    backgrounds = tuple(flat if b is background else b for b in statistics.backgrounds)
    changed = replace(experiment, statistics=replace(statistics, backgrounds=backgrounds))
    yield f"{background.name.replace('-', ' ')} flat in time", replace(compiled, experiment=changed)


def _size(variation: Shape[Signal]) -> str:
    """Return how far a variation goes: one standard deviation, or its step where that is another."""
    width = variation.pull.prior_width
    if variation.step is None or width is None or math.isclose(variation.step, width):
        return "1σ"
    if not variation.pull.default:
        return f"{variation.step / width:g}σ"
    return f"{100 * variation.step / float(variation.pull.default):.0f} %"


def _signals(compiled: CompiledExperiment) -> Iterator[tuple[str, Array]]:
    """Yield the Standard Model's signal with each input changed."""
    experiment = compiled.experiment
    yield "couplings at tree level", standard_model(compiled, "tree")
    other = other_form_factor(experiment)
    yield (
        f"{other.name.title()} form factor",
        _counts(experiment, replace(experiment.signal, form_factor=other)),
    )
    nearer = replace(experiment, target=_with_radii_shifted(experiment.target, RADIUS_SHIFT_FM))
    yield f"neutron radii {RADIUS_SHIFT_FM:+g} fm".replace("-", "−"), _counts(nearer, nearer.signal)
    for variation, templates in zip(experiment.statistics.signal.shapes, compiled.variations, strict=True):
        pulls = [pull for pull in (variation.pull, variation.also) if pull]
        names = [pull.name.removeprefix(f"{experiment.name}_").replace("_", " ") for pull in pulls]
        name = " and ".join(names)
        size = _size(variation)
        for sign, template in zip("+−", templates, strict=True):
            yield f"{name} {sign}{size}", standard_model(replace(compiled, templates=template))
    for label, spread in _other_times(experiment):
        yield label, _counts(experiment, replace(experiment.signal, spread=spread))
    detector = experiment.signal.detector
    if isinstance(detector, Detector) and detector.efficiency_at == "true" and detector.step:
        detector = replace(detector, efficiency_at="observable")
        signal = replace(experiment.signal, detector=detector)
        yield "efficiency at the smeared energy", _counts(experiment, signal)


def _counts(experiment: Experiment, signal: Signal) -> Array:
    """Return the Standard Model's counts of an experiment with another signal."""
    return standard_model(compile_experiment(experiment.with_signal(signal, ())))


def _with_radii_shifted(target: Material, shift_fm: float) -> Material:
    nuclides = tuple(
        replace(n, neutron_radius_fm=(n.neutron_radius_fm or n.charge_radius_fm) + shift_fm)
        for n in target.nuclides
    )
    return replace(target, nuclides=nuclides)


def _other_times(experiment: Experiment) -> Iterator[tuple[str, Array]]:
    """Yield the spread with other arrival times: another pulse, or nothing lost outside the window."""
    path, card = read_card(experiment.name)
    if not isinstance(card, Card):
        return
    if isinstance(card.time, PulsedTime):
        for factor in PULSE_WIDTHS:
            width = factor * card.time.pulse_width_us
            time = replace(card.time, pulse_width_us=width)
            spread = build(replace(card, time=time), path.parent).signal.spread
            assert spread is not None
            yield f"beam pulse σ = {width:g} μs", spread
    spread = experiment.signal.spread
    if card.template is not None and spread is not None:
        yield "nothing lost outside the time window", spread / spread.sum(axis=-1, keepdims=True)

"""The signal of an experiment, predicted and rescaled, and what may vary with it in a fit."""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.errors import NurecoilError
from nurecoil.experiment import CompiledExperiment, Component, Experiment, Statistics
from nurecoil.experiment.card import read_card
from nurecoil.experiment.card.schema import Card
from nurecoil.experiment.datasets import file_path
from nurecoil.experiment.histograms import histogram, read_columns
from nurecoil.parameters import Value
from nurecoil.physics.form_factors import FormFactor, form_factor
from nurecoil.study.question import standard_model_counts

Widths = Mapping[str, float]

RADIATIVE: dict[str, Value] = {"electroweak": "radiative"}


def other_form_factor(experiment: Experiment) -> FormFactor:
    """Return Klein and Nystrand's form factor, or Helm's where that is the experiment's own."""
    return form_factor("helm" if experiment.signal.form_factor.name == "klein-nystrand" else "klein-nystrand")


def largest_background(statistics: Statistics) -> tuple[Component[Array], ...]:
    """Return the background with the most expected counts, with a part for each pull of its rate.

    None where there is none but formulas, which have no rate.
    """

    def parts(name: str) -> tuple[Component[Array], ...]:
        return tuple(b for b in statistics.backgrounds if b.name == name)

    found = map(parts, dict.fromkeys(b.name for b in statistics.backgrounds if b.rates))
    return max(found, key=lambda each: sum(float(b.nominal.sum()) for b in each), default=())


def expected_error(background: Component[Array]) -> float:
    """Return how well the expected counts of a background are known."""
    width = 1 / math.sqrt(background.off[1]) if background.off else background.rates[0].prior_width or 0.0
    return float(background.nominal.sum()) * width


def standard_model(compiled: CompiledExperiment, electroweak: str = "radiative") -> Array:
    """Return the Standard Model's signal per bin, with radiative corrections unless asked for "tree"."""
    return standard_model_counts(compiled, {"electroweak": electroweak})


def rescaled(compiled: CompiledExperiment, counts: Array) -> CompiledExperiment:
    """Return an experiment whose Standard Model signal is `counts`; pulls change it by the same factors."""
    before = standard_model(compiled)
    if ((before == 0) & (counts != 0)).any():
        raise NurecoilError(f"experiment {compiled.experiment.name} has no signal where one is asked for")
    ratio = counts / np.where(before == 0, 1.0, before)

    def scaled(templates: Array) -> Array:
        return templates * ratio.reshape(-1, *(1,) * (templates.ndim - 1))

    return compiled.with_templates(lambda templates: templates.each(scaled))


def without_off_sample(compiled: CompiledExperiment) -> CompiledExperiment:
    """Return an experiment in which no off sample says how often backgrounds are."""
    statistics = compiled.experiment.statistics
    backgrounds = tuple(replace(b, off=None) for b in statistics.backgrounds)
    experiment = replace(compiled.experiment, statistics=replace(statistics, backgrounds=backgrounds))
    return replace(compiled, experiment=experiment)


def release_template(name: str) -> Array | None:
    """Return the signal per bin that the data release itself predicts, or None where it has none."""
    _, card = read_card(name)
    if not isinstance(card, Card) or card.template is None or card.data is None:
        return None
    table = card.template.table
    edges = {axis.key: axis.edges for axis in card.axes}
    columns, _ = read_columns(file_path(card.data.release or "", table.file))
    return histogram(columns, table.columns, edges, table.weight).ravel()


def free_signal(statistics: Statistics) -> Widths:
    """Return the widths with which a free strength takes the place of the signal's own normalisations."""
    return {pull.name: 0.0 for pull in statistics.signal.rates}


def rates_alone(statistics: Statistics) -> Widths:
    """Return the widths that leave only the rates of the backgrounds, and no shape, to be fitted."""
    rates = {pull.name for background in statistics.backgrounds for pull in background.rates}
    return {pull.name: 0.0 for pull in statistics.pulls if pull.name not in rates}

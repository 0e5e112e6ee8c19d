"""Asimov data: exactly what is expected somewhere, in place of what was observed."""

from collections.abc import Mapping, Sequence

import numpy as np

from nurecoil.analysis.question import Question
from nurecoil.experiment import CompiledExperiment
from nurecoil.likelihood import Data
from nurecoil.models import STANDARD_MODEL, Model
from nurecoil.parameters import Values


def expected_data(
    model: Model,
    experiments: Sequence[CompiledExperiment],
    fixed: Values,
    truth: Mapping[str, float],
    widths: Mapping[str, float] | None,
) -> Data:
    """Return what the experiments expect at a point of the model, their pulls at their centres.

    Parameters
    ----------
    fixed : mapping
        Values of the model's parameters (inside units).
    truth : mapping
        More of them, which replace those of `fixed`, and nuisance parameters off their centres.
    """
    others = {name: value for name, value in fixed.items() if name not in truth}
    at = Question.of(model, experiments, others, truth, widths)
    return at.expected(np.array([truth[p.name] for p in at.free], dtype=float))


def standard_model_data(question: Question, experiments: Sequence[CompiledExperiment]) -> Data:
    """Return what the experiments expect in the Standard Model, at those of its parameters that are set."""
    values = STANDARD_MODEL.resolve(
        {p.name: question.values[p.name] for p in STANDARD_MODEL.parameters if p.name in question.values}
    )
    angle = {"sin2_theta_w": values.pop("sin2_theta_w")}
    return expected_data(STANDARD_MODEL, experiments, values, angle, None)

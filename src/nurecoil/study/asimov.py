"""Where data are expected, other than what was observed: exactly (Asimov data), or simulated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nurecoil.experiment import CompiledExperiment
from nurecoil.likelihood import Data
from nurecoil.models import STANDARD_MODEL, Model
from nurecoil.parameters import Values
from nurecoil.study.question import Question


@dataclass(frozen=True)
class Truth:
    """A point of a model that is true, the nuisance parameters that are not part of it at their centres."""

    question: Question
    point: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        question: Question,
        experiments: Sequence[CompiledExperiment],
        values: Values,
        truth: Mapping[str, float],
        model: Model | None = None,
    ) -> "Truth":
        """Put a truth together, for the likelihood of a question.

        Parameters
        ----------
        values : mapping
            Values of the model's parameters (inside units).
        truth : mapping
            More of them, which replace those of `values`, and nuisance parameters off their centres.
        model : Model, optional
            Which is true; the question's by default.
        """
        others = {name: value for name, value in values.items() if name not in truth}
        likelihood = question.likelihood
        at = Question.of(model or question.model, experiments, others, truth, likelihood=likelihood)
        return cls(at, np.array([truth[p.name] for p in at.free], dtype=float))

    @classmethod
    def standard_model(cls, question: Question, experiments: Sequence[CompiledExperiment]) -> "Truth":
        """Return the Standard Model at those of its parameters that a question sets."""
        values = STANDARD_MODEL.resolve(
            {p.name: question.values[p.name] for p in STANDARD_MODEL.parameters if p.name in question.values}
        )
        angle = {"sin2_theta_w": values.pop("sin2_theta_w")}
        return cls.of(question, experiments, values, angle, STANDARD_MODEL)

    def expected(self) -> Data:
        """Return what is observed on average."""
        return self.question.expected(self.point)

    def simulate(self, sets: int, rng: np.random.Generator) -> Data:
        """Return what may be observed: counts, and centres of the nuisance parameters."""
        return self.question.simulate(self.point, self.question.likelihood.centre, sets, rng)

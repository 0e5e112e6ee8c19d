"""Which parameters fit best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nurecoil.analysis.question import Question
from nurecoil.analysis.result import Result
from nurecoil.errors import NurecoilError
from nurecoil.experiment import CompiledExperiment
from nurecoil.inference.fit import Fit, minimise
from nurecoil.models import Model
from nurecoil.parameters import Parameter, Values

Array = NDArray[np.float64]


@dataclass(frozen=True)
class BestFit:
    """The best fit of parameters and pulls to experiments.

    Attributes
    ----------
    fit
        Values and errors of the fitted parameters, χ² and whether it converged (inside units).
    parameters
        The fitted parameters.
    pulls
        The nuisance parameters at the best fit, by name.
    components
        Counts of the signal and of each background at the best fit: {experiment: {component: counts}}.
    observed
        Observed counts per bin, by experiment.
    """

    fit: Fit
    parameters: tuple[Parameter, ...]
    pulls: Mapping[str, float]
    components: Mapping[str, Mapping[str, Array]]
    observed: Mapping[str, Array]


def fit(
    model: Model,
    experiments: Sequence[CompiledExperiment],
    fixed: Values,
    start: Mapping[str, float],
    *,
    starts: Sequence[Mapping[str, float]] = (),
    widths: Mapping[str, float] | None = None,
) -> Result[BestFit]:
    """Return the best fit of some parameters, pulls profiled.

    Parameters
    ----------
    model, experiments, fixed, widths
        As for `limit`.
    start : mapping
        The parameters to fit and where to start (inside units): of the model, or nuisance parameters.
    starts : sequence of mappings
        More starting points, against local minima; the best fit of all is returned.
    """
    if not start:
        raise NurecoilError("a fit needs at least one free parameter")
    question = Question.of(model, experiments, fixed, start, widths)
    found = minimise(
        lambda x: float(question.profiled_at({n: np.array([v]) for n, v in zip(start, x, strict=True)})[0]),
        start,
        bounds={p.name: (_finite(p.low), _finite(p.high)) for p in question.free},
        starts=starts,
    )
    signals, held = question.point({name: np.array([v]) for name, v in found.values.items()})
    best = question.likelihood.profiled(signals, held)
    names = [pull.name for pull in question.likelihood.pulls]
    components = question.likelihood.components(signals, best.pulls)
    converged = found.converged and bool(best.converged.all())
    notes = () if converged else (f"the fit did not converge: {found.message or 'the pulls did not settle'}",)
    answer = BestFit(
        fit=found,
        parameters=question.free,
        pulls=dict(zip(names, best.pulls[0].tolist(), strict=True)),
        components=components,
        observed={t.name: t.observed for t in question.likelihood.terms},
    )
    return question.result(
        "fit",
        answer,
        converged=converged,
        notes=notes,
        settings={"start": dict(start), "starts": [dict(more) for more in starts]},
    )


def _finite(bound: float) -> float | None:
    return bound if np.isfinite(bound) else None

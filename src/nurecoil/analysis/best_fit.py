"""Which parameters fit best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from nurecoil.analysis.question import Question
from nurecoil.analysis.result import Result
from nurecoil.errors import NurecoilError
from nurecoil.experiment import CompiledExperiment
from nurecoil.inference.fit import Fit, minimise
from nurecoil.likelihood import Profiled
from nurecoil.models import Model
from nurecoil.parameters import Parameter, Values

Array = NDArray[np.float64]


@dataclass(frozen=True)
class BestFit:
    """The best fit of parameters and pulls to experiments.

    Attributes
    ----------
    fit
        Values and errors (Hesse and MINOS) of the fitted parameters, χ², whether it converged (inside units).
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
    engine: str = "numpy",
    minos: bool = True,
) -> Result[BestFit]:
    """Return the best fit of some parameters, pulls profiled.

    A parameter that spans decades is fitted by its logarithm, so that no scale is too far off.

    Parameters
    ----------
    model, experiments, fixed, widths, engine
        As for `limit`.
    start : mapping
        The parameters to fit and where to start (inside units): of the model, or nuisance parameters.
    starts : sequence of mappings
        More starting points, against local minima; the best fit of all is returned.
    minos : bool
        Find asymmetric errors too: where χ², all else fitted, is higher by 1.

    Examples
    --------
    >>> import nurecoil
    >>> csi = nurecoil.compile_experiment(nurecoil.load_experiment("binh2021-csi"))
    >>> model = nurecoil.load_model("scaled-standard-model")
    >>> found = fit(model, [csi], {}, {"signal_strength": 1.0}).values.fit
    >>> value, (below, above) = found.values["signal_strength"], found.minos["signal_strength"]
    >>> f"{value:.3f} -{below:.3f} +{above:.3f}"
    '0.685 -0.212 +0.328'
    """
    return fit_of(Question.of(model, experiments, fixed, start, widths, engine), starts, minos)


def fit_of(
    question: Question, starts: Sequence[Mapping[str, float]] = (), minos: bool = True
) -> Result[BestFit]:
    """Return the same for a question."""
    start = question.start
    if not start:
        raise NurecoilError("a fit needs at least one free parameter")

    @lru_cache(maxsize=1)  # MIGRAD asks for the value and then for the slopes of the same point
    def profiled(point: tuple[float, ...]) -> Profiled:
        return question.profiled([point])

    found = minimise(
        lambda x: float(profiled(tuple(x)).chi2[0]),
        start,
        gradient=lambda x: question.slopes([x], profiled(tuple(x)).pulls)[0],
        bounds={p.name: (_finite(p.low), _finite(p.high)) for p in question.free},
        starts=starts,
        logarithmic=[p.name for p in question.free if p.log_scan and p.low > 0],
        minos=minos,
    )
    point = [[found.values[name] for name in start]]
    best = question.profiled(point)
    names = [pull.name for pull in question.likelihood.pulls]
    components = question.components(point, best.pulls)
    converged = found.converged and bool(best.converged.all())
    notes = () if converged else (_trouble(question, found),)
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


def _trouble(question: Question, found: Fit) -> str:
    """Return why a fit is not to be trusted."""
    if not found.flat:
        return f"the fit did not converge: {'the pulls did not settle' if found.converged else found.message}"
    where = ", ".join(
        f"{p.name} = {p.format(found.values[p.name], 2)}" for p in question.free if p.name in found.flat
    )
    return f"there is no best fit: χ² is flat around {where}, so that the data set only a limit"


def _finite(bound: float) -> float | None:
    return bound if np.isfinite(bound) else None

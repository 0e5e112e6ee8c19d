"""Which values of one parameter are allowed."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import undisturbed
from nurecoil.errors import NurecoilError
from nurecoil.experiment import CompiledExperiment
from nurecoil.inference.intervals import Interval, Profile, profiles, threshold
from nurecoil.models import Model
from nurecoil.parameters import Parameter, Values, Widths
from nurecoil.progress import in_steps
from nurecoil.study.curve import EXPECTED, Curve
from nurecoil.study.question import Question
from nurecoil.study.remarks import on_mixing_angle
from nurecoil.study.result import Result

Array = NDArray[np.float64]

_FLAT = 1e-6  # in χ²


@dataclass(frozen=True)
class Varied:
    """What one choice, made otherwise, does to a limit (inside units).

    Attributes
    ----------
    choice, meaning
        What was changed, and how, in words.
    intervals, converged
        What is then allowed, and whether that limit converged.
    shifts
        How far the ends of all intervals move, low and high of the first, then of the next; None for an end
        that is the scan's. Empty where intervals or ends come or go.
    size
        The largest of them, in widths of the interval, or as a logarithm where the scan is in it.
    """

    choice: str
    meaning: str
    intervals: tuple[Interval, ...]
    converged: bool
    shifts: tuple[float | None, ...] = ()
    size: float = math.inf


@dataclass(frozen=True)
class Limit:
    """The allowed intervals of one parameter.

    Attributes
    ----------
    parameter, cl, profile
        The scanned parameter, the confidence level, and Δχ² with its intervals (inside units).
    further
        The same curve with the intervals of further confidence levels.
    variations
        What each choice does to it, from `vary`, the largest first; None where that was not asked.
    """

    parameter: Parameter
    cl: float
    profile: Profile
    further: Mapping[float, Profile] = field(default_factory=dict)
    variations: tuple[Varied, ...] | None = None

    @property
    def profiles(self) -> Mapping[float, Profile]:
        """Δχ² with its intervals by confidence level, in the order in which they were asked for."""
        return {self.cl: self.profile, **self.further}


@undisturbed
def limit(
    model: Model,
    experiments: Sequence[CompiledExperiment],
    fixed: Values,
    scan: tuple[str, float, float],
    *,
    cl: float | Sequence[float] = 0.9,
    freeze_at: float | None = None,
    widths: Widths | None = None,
    over: Mapping[str, tuple[float, float]] | None = None,
    engine: str = "auto",
    points: int = 2001,
) -> Result[Limit]:
    """Return all intervals of one parameter that the experiments allow together.

    Parameters
    ----------
    model, experiments
        What is tested, and by what.
    fixed : mapping
        Values of the other parameters (inside units).
    scan : (name, low, high)
        The parameter and its range (inside units): of the model, or a nuisance parameter of an experiment,
        which is then free of its prior.
    cl : float or sequence of float
        Confidence level, or several; Δχ² follows from Wilks' theorem with one degree of freedom.
    freeze_at : float, optional
        None profiles the pulls at every point. A value of the scanned parameter holds them at their best
        fit there, and counts Δχ² from that point: what the seed did, at m_Z' = 3 TeV.
    widths : mapping, optional
        Prior widths by name of pull, in place of the experiments' own; 0 holds a pull at its centre. Of a
        parameter of the model, (centre, width): what else is known of it, profiled as pulls are.
    over : mapping, optional
        More parameters of the model, and their ranges (inside units), that are fitted at each point.
    engine : str
        What minimises: "auto", "numpy", "jax" or "fast"; see `likelihood.engines`.
    points : int
        Points of the scan; the intervals' ends do not depend on it.

    Examples
    --------
    >>> import nurecoil
    >>> csi = nurecoil.compile_experiment(nurecoil.load_experiment("binh2021-csi"))
    >>> model = nurecoil.load_model("331-beta")
    >>> fixed = {"beta": -(3**0.5), "sin2_theta_w": 0.23867}
    >>> result = limit(model, [csi], fixed, ("m_zprime", 1e5, 1e8))
    >>> f"{result.values.profile.lower_limit / 1e6:.2f} TeV"
    '1.48 TeV'
    """
    name, low, high = scan
    question = Question.of(model, experiments, fixed, {name: low}, widths, engine, over)
    result = limit_of(question, low, high, cl, freeze_at, points)
    return replace(result, notes=(*result.notes, *on_mixing_angle(experiments, result.fixed)))


def limit_of(
    question: Question,
    low: float,
    high: float,
    cl: float | Sequence[float],
    freeze_at: float | None = None,
    points: int = 2001,
) -> Result[Limit]:
    """Return the same for a question with one free parameter."""
    parameter, over = question.free[0], question.over
    check_range(parameter, low, high)
    several = (cl,) if isinstance(cl, int | float) else tuple(cl)
    if not several:
        raise NurecoilError("a limit needs at least one confidence level")
    levels = [threshold(each) for each in several]
    reference = None
    profiled = Curve(question)
    chi2: Callable[[Array], Array] = profiled
    if freeze_at is not None:
        if over:
            raise NurecoilError(
                f"nuisance parameters cannot be frozen while {', '.join(over)} is profiled over: do one of"
                " them"
            )
        parameter.check(freeze_at)
        chi2, reference = question.frozen_at(freeze_at)
    log = parameter.log_scan and low > 0
    with in_steps(EXPECTED) as profiled.begin:
        curves = profiles(
            chi2,
            low,
            high,
            levels,
            log=log,
            points=points,
            reference=reference,
            noise=question.likelihood.noise,
            at_infinity=profiled.at_infinity if freeze_at is None else None,
        )
    notes = _edge_notes(parameter, curves[0]) if freeze_at is None else ()
    where = "" if freeze_at is None else f"{parameter.name} = {parameter.format(freeze_at)}"
    return question.result(
        "limit",
        Limit(parameter, several[0], curves[0], dict(zip(several[1:], curves[1:], strict=True))),
        converged=profiled.converged and all(curve.converged for curve in curves),
        notes=notes + profiled.notes,
        nuisances=f"frozen at their best fit for {where}, Δχ² counted from there" if where else "profiled",
        settings={
            "scan": [parameter.name, low, high],
            "cl": several,
            "freeze_at": freeze_at,
            "points": points,
        },
    )


def check_range(parameter: Parameter, low: float, high: float) -> None:
    """Refuse a range that is reversed, empty, infinite or out of the parameter's bounds."""
    if not low < high:
        raise NurecoilError(
            f"the range of {parameter.name}, {parameter.format(low)} to {parameter.format(high)}, is reversed"
            " or empty: write LOW..HIGH with LOW below HIGH"
        )
    parameter.check([low, high])


def at_edge(curve: Profile) -> bool:
    """Return whether the best fit lies at an end of the scan."""
    low, high = curve.values[0], curve.values[-1]
    return math.isfinite(curve.best_fit) and min(curve.best_fit - low, high - curve.best_fit) <= 1e-6 * (
        high - low
    )


def _edge_notes(parameter: Parameter, curve: Profile) -> tuple[str, ...]:
    if math.isinf(curve.best_fit):
        return (f"χ² is lowest where {parameter.name} decouples: the intervals are relative to that point.",)
    if np.ptp(curve.delta_chi2) < _FLAT:
        return (f"χ² does not depend on {parameter.name}: every value is allowed.",)
    if not at_edge(curve):
        return ()
    return (
        f"the best fit, {parameter.format(curve.best_fit, 4)}, lies at the edge of the scanned range: the"
        " intervals are relative to the best point inside the range.",
    )

"""Which values of two parameters are allowed together."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import undisturbed
from nurecoil.errors import NurecoilError
from nurecoil.experiment import CompiledExperiment
from nurecoil.inference.contours import Contours, Surface, contours
from nurecoil.inference.intervals import threshold
from nurecoil.models import STANDARD_MODEL, Model
from nurecoil.parameters import Parameter, Values, Widths
from nurecoil.progress import Progress, in_steps
from nurecoil.study.minima import held_at
from nurecoil.study.neighbours import Neighbours
from nurecoil.study.question import Question
from nurecoil.study.result import Result
from nurecoil.verbs.limit import check_range

Array = NDArray[np.float64]
Scan = tuple[str, float, float]


@dataclass(frozen=True, eq=False)
class Map:
    """The profile of two parameters: Δχ² on a grid, the best fit, and the allowed regions.

    Attributes
    ----------
    parameters : two Parameters
    log : pair of bool
        Whether the grid is spaced in the logarithm of each parameter.
    values : two 1-D arrays
        The grid: n1 and n2 values (inside units).
    delta_chi2, converged : ndarray, shape (n1, n2)
        Δχ² from the best fit, and whether the pulls converged.
    best_fit : ndarray, shape (2,)
        The best fit inside the range (inside units); no point of the grid.
    minimum : float
        χ² there.
    contours : mapping
        Level of Δχ² and allowed regions, with their boundaries (inside units), by confidence level.
    standard_model : ndarray, shape (2,), or None
        The Standard Model's point (inside units), if it lies in the plane and in the range.
    """

    parameters: tuple[Parameter, Parameter]
    log: tuple[bool, bool]
    values: tuple[Array, Array]
    delta_chi2: Array
    converged: NDArray[np.bool_]
    best_fit: Array
    minimum: float
    contours: Mapping[float, Contours]
    standard_model: Array | None


@undisturbed
def profile_map(
    model: Model,
    experiments: Sequence[CompiledExperiment],
    fixed: Values,
    scans: Sequence[Scan],
    *,
    cl: Sequence[float] = (0.68, 0.9),
    widths: Widths | None = None,
    over: Mapping[str, tuple[float, float]] | None = None,
    engine: str = "auto",
    points: int = 101,
    log: tuple[bool, bool] | None = None,
    progress: Progress = in_steps,
) -> Result[Map]:
    """Return the map of Δχ² of two parameters, pulls profiled, and all regions that are allowed.

    Parameters
    ----------
    model, experiments, fixed, widths, over, engine
        As for `limit`.
    scans : two of (name, low, high)
        The parameters and their ranges (inside units): of the model, or nuisance parameters, which are then
        free of their priors.
    cl : sequence of float
        Confidence levels; Δχ² follows from Wilks' theorem with two degrees of freedom.
    points : int
        Points on each axis; the contours are polished and do not depend on them, unless a region is so small
        that no point sees it.
    log : pair of bool, optional
        Space the points in the logarithm; by default where the parameter is usually scanned so.
    progress : callable
        Shows how far it is, see `nurecoil.progress`.

    Raises
    ------
    NurecoilError
        For an unknown parameter, one that is set as well, a range that is reversed or out of bounds, or a
        confidence level that is not between 0 and 1.

    Examples
    --------
    >>> import nurecoil
    >>> csi = nurecoil.compile_experiment(nurecoil.load_experiment("binh2021-csi"))
    >>> model = nurecoil.load_model("331-beta")
    >>> scans = ("beta", -1.7, 1.7), ("m_zprime", 1e5, 1e7)
    >>> result = profile_map(model, [csi], {}, scans, cl=[0.9], points=51)
    >>> [region.open for region in result.values.contours[0.9].regions]
    [True]
    """
    if len(scans) != 2 or scans[0][0] == scans[1][0]:
        raise NurecoilError(
            f"a map has two different parameters, not {', '.join(name for name, *_ in scans) or 'none'}"
        )
    if not cl:
        raise NurecoilError("a map needs at least one confidence level")
    levels = [threshold(level, dof=2) for level in cl]
    low, high = (np.array([scan[end] for scan in scans], dtype=float) for end in (1, 2))
    starts = {name: start for name, start, _ in scans}
    question = Question.of(model, experiments, fixed, starts, widths, engine, over)
    first, second = question.free
    for parameter, start, stop in zip(question.free, low, high, strict=True):
        check_range(parameter, float(start), float(stop))
    log = log or (first.log_scan and low[0] > 0, second.log_scan and low[1] > 0)

    known = Neighbours.across(question, low, high, np.array(log))

    def chi2(x: Array) -> tuple[Array, NDArray[np.bool_]]:
        profiled = known.fits(x)
        return profiled.chi2, profiled.converged

    def minimise(starts: Array) -> tuple[Array, NDArray[np.bool_]]:
        fitted = question.fitted(starts, low, high)
        inside = ((fitted.points >= low) & (fitted.points <= high)).all(axis=1)  # where pulls may leave
        found = np.broadcast_to(fitted.points, starts.shape)  # of pulls alone there is one minimum
        return found, np.broadcast_to(fitted.converged & inside, len(starts))

    at_infinity = _at_infinity(question, low, high)
    surface = contours(
        chi2,
        minimise,
        low,
        high,
        levels,
        log=log,
        points=(points, points),
        noise=question.likelihood.noise,
        at_infinity=at_infinity,
        progress=progress,
    )
    answer = Map(
        parameters=(first, second),
        log=log,
        values=surface.values,
        delta_chi2=surface.delta_chi2,
        converged=surface.converged,
        best_fit=surface.best_fit,
        minimum=surface.minimum,
        contours=dict(zip(cl, surface.contours, strict=True)),
        standard_model=_standard_model(question, low, high),
    )
    failures = _failures(surface, cl)
    return question.result(
        "profile_map",
        answer,
        converged=not failures,
        notes=(*failures, *_best_fit_notes(answer, surface.unique, at_infinity)),
        settings={
            "scans": [list(scan) for scan in scans],
            "cl": list(cl),
            "points": points,
            "log": list(log),
        },
    )


def _standard_model(question: Question, low: Array, high: Array) -> Array | None:
    """Return the point of the defaults: the Standard Model, if all that is new stands at its default."""
    own = {parameter.name for parameter in STANDARD_MODEL.parameters}
    for parameter in question.model.parameters:
        new = parameter.name not in own and not parameter.choices
        if new and question.values.get(parameter.name, parameter.default) != parameter.default:
            return None
    if any(not isinstance(parameter.default, int | float) for parameter in question.free):
        return None
    point = np.array([parameter.default for parameter in question.free], dtype=float)
    return point if ((low <= point) & (point <= high)).all() else None


def _failures(surface: Surface, cl: Sequence[float]) -> list[str]:
    """Return in sentences what did not converge."""
    failures = []
    if not surface.fitted:
        failures.append("the best fit did not converge: Δχ² may be counted from too high a point.")
    if bad := int((~surface.converged).sum()):
        failures.append(f"the pulls did not converge at {bad} of {surface.converged.size} grid points.")
    for level, found in zip(cl, surface.contours, strict=True):
        at = f"at {100 * level:g} % CL"
        if found.unconverged:
            failures.append(f"{found.unconverged} vertices of the contours {at} are not exact.")
        if not found.settled:
            failures.append(
                f"{at} the number of regions still changes with the grid, or one is too small for it: use"
                " more points or a narrower range."
            )
    return failures


def _at_infinity(question: Question, low: Array, high: Array) -> float:
    """Return χ² where a parameter decouples, the other fitted in its range; infinite if none does."""
    found = [math.inf]
    for n, parameter in enumerate(question.free):
        if parameter.decouples:
            rest, other = held_at(question, {parameter.name: math.inf}), [1 - n]
            found.append(float(rest.fitted(low[other], low[other], high[other]).chi2[0]))
    return min(found)


def _best_fit_notes(answer: Map, unique: bool, at_infinity: float) -> list[str]:
    if answer.minimum == at_infinity:
        names = [p.name for p in answer.parameters if p.decouples]
        return [f"χ² is lowest where {' or '.join(names)} decouples: the regions are relative to that point."]
    notes = [] if unique else ["the best fit is not the only one: other points fit as well, to 0.001 in Δχ²."]
    for number, parameter in enumerate(answer.parameters):
        low, high, best = *answer.values[number][[0, -1]], answer.best_fit[number]
        if min(best - low, high - best) <= 1e-6 * (high - low):
            notes.append(
                f"the best fit lies at the edge of the range, {parameter.name} = {parameter.format(best, 4)}:"
                " the regions are relative to the best point inside the range."
            )
    return notes

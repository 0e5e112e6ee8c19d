"""Which parameters fit best."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import undisturbed
from nurecoil.errors import NurecoilError
from nurecoil.experiment import CompiledExperiment
from nurecoil.inference.errors import crossings
from nurecoil.likelihood import Fitted
from nurecoil.likelihood.newton import inverse
from nurecoil.models import Model
from nurecoil.parameters import Parameter, Values, Widths, find
from nurecoil.study.curve import Curve
from nurecoil.study.minima import box, fitted_from, held_at, minima, starting_points
from nurecoil.study.question import Question
from nurecoil.study.result import Result

Array = NDArray[np.float64]

_DEGENERATE = 1e-3  # of the largest curvature: hardly any
_PART = 0.1  # of a direction
_TINY = 1e-300
_MOST_ROUNDS = 3
_LOWER = 1e-6  # in χ²


@dataclass(frozen=True)
class Fit:
    """The lowest minimum of χ², how far it can be trusted, and the others (inside units).

    Attributes
    ----------
    names : tuple of str
        The fitted parameters.
    values, errors : dict of float
        Best fit and errors from the Hessian by name; an error is NaN where there is none.
    minos : dict of (float, float)
        How far below and above the best fit χ², minimised over all else, has risen by one; NaN where it does
        not. Empty unless asked for.
    minimum : float
        χ² there.
    flat : dict of float
        Parameters that the data do not fix, whose values mean nothing, and in which direction they may go.
    converged : bool
        The search converged, and nothing is flat.
    message : str
        One line for the reader: "converged", or what to mind.
    starts : int
        From how many places the user began.
    others : tuple of (values, χ²)
        The other minima within 4 of the lowest.
    """

    names: tuple[str, ...]
    values: dict[str, float]
    errors: dict[str, float]
    minos: dict[str, tuple[float, float]]
    minimum: float
    flat: dict[str, float]
    converged: bool
    message: str
    starts: int
    others: tuple[tuple[dict[str, float], float], ...]


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


@undisturbed
def fit(
    model: Model,
    experiments: Sequence[CompiledExperiment],
    fixed: Values,
    start: Mapping[str, float],
    *,
    starts: Sequence[Mapping[str, float]] = (),
    widths: Widths | None = None,
    engine: str = "auto",
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
    if not question.free:
        raise NurecoilError("a fit needs at least one free parameter")
    points = starting_points(question, starts)
    low, high = box(question, points)
    found = minima(question, points, (low, high))
    for _ in range(_MOST_ROUNDS):
        best = found.at(np.array([0]))
        curves = [_curve(question, best, number, low, high) for number in range(len(low))]
        fit = _fit(question, found, curves, low, high, len(points), minos)
        lower = [
            _point(question, curve, best.points[0], number)
            for number, curve in enumerate(curves)
            if curve.lowest.chi2[0] < fit.minimum - _LOWER
        ]
        if not lower:
            break
        found = minima(question, np.array(lower))  # errors may lead to where no start did
    names = [pull.name for pull in question.likelihood.pulls]
    answer = BestFit(
        fit=fit,
        parameters=question.free,
        pulls=dict(zip(names, best.pulls[0].tolist(), strict=True)),
        components=question.components(best.points, best.pulls),
        observed={t.name: t.observed for t in question.likelihood.terms},
    )
    return question.result(
        "fit",
        answer,
        converged=fit.converged,
        notes=_notes(question, fit),
        settings={"start": dict(question.start), "starts": [dict(more) for more in starts]},
    )


def _fit(
    question: Question,
    found: Fitted,
    curves: Sequence[Curve],
    low: Array,
    high: Array,
    starts: int,
    minos: bool,
) -> Fit:
    """Return the lowest minimum with its errors, and the others."""
    best, names = found.at(np.array([0])), question.names
    x = best.points[0]
    curvature = question.curvature(best, low, high)
    inside = np.flatnonzero((x > low) & (x < high))
    errors = np.full(x.size, np.nan)
    errors[inside] = np.sqrt(2 * np.diag(inverse(curvature[np.ix_(inside, inside)])))
    crossed = [_crossings(curve, best, n, errors[n], low[n], high[n]) for n, curve in enumerate(curves)]
    flat = _loose(question, curvature, np.array(crossed), x, low, high, float(best.chi2[0]))
    errors[[name in flat for name in names]] = np.nan
    missing = [
        f"{side} of {name}"
        for name, pair in zip(names, crossed, strict=True)
        for side, error in zip(("lower", "upper"), pair, strict=True)
        if np.isnan(error)
    ]
    at_bound = [p.name for p, value in zip(question.free, x, strict=True) if value in (p.low, p.high)]
    cautions = [f"{', '.join(at_bound)} is at its bound"] if at_bound else []
    cautions += [f"MINOS finds no error: {', '.join(missing)}"] if missing and minos else []
    settled = bool(best.converged[0])
    trouble = f"the function is flat in {', '.join(flat)}: no minimum, no error" if flat else ""
    trouble = trouble or ("" if settled else "the search ran out of steps")
    return Fit(
        names=names,
        values=dict(zip(names, x.tolist(), strict=True)),
        errors=dict(zip(names, errors.tolist(), strict=True)),
        minos={
            name: (np.nan, np.nan) if name in flat else pair
            for name, pair in zip(names, crossed, strict=True)
        }
        if minos
        else {},
        minimum=float(best.chi2[0]),
        flat=flat,
        converged=not trouble,
        message=trouble or "; ".join(["converged", *cautions]),
        starts=starts,
        others=tuple(
            (dict(zip(names, point.tolist(), strict=True)), float(chi2))
            for point, chi2 in zip(found.points[1:], found.chi2[1:], strict=True)
            if not flat
        ),
    )


def _curve(question: Question, best: Fitted, number: int, low: Array, high: Array) -> Curve:
    """Return the profile of one parameter, begun at the best fit."""
    others = [i for i in question.of_model if i != number]
    return Curve.from_fit(question.along(number, low, high), best.of(others), float(best.points[0, number]))


def _point(question: Question, curve: Curve, best: Array, number: int) -> Array:
    """Return the lowest point of a profile as one of all parameters."""
    point = best.copy()
    point[number] = curve.lowest_at
    point[[i for i in question.of_model if i != number]] = curve.lowest.points[0]
    return point


def _crossings(
    curve: Curve, best: Fitted, number: int, error: float, low: float, high: float
) -> tuple[float, float]:
    """Return the errors below and above one parameter, by its profile in a range."""
    x = float(best.points[0, number])
    log = curve.question.free[0].log_scan and low > 0
    ends = (math.log(x / low), math.log(high / x)) if log else (x - low, high - x)
    size = error if np.isfinite(error) else max(abs(x), _TINY)
    size = min(size / x, 1.0) if log else size

    def place(distance: Array) -> Array:
        signed = distance * np.array([-1.0, 1.0])
        return np.asarray(np.clip(x * np.exp(signed) if log else x + signed, low, high))

    distances = np.array(crossings(lambda d: curve(place(d)) - best.chi2[0], size, ends))
    below, above = np.abs(np.where(np.isnan(distances), np.nan, place(np.nan_to_num(distances)) - x)).tolist()
    return below, above


def _loose(
    question: Question,
    curvature: Array,
    crossed: Array,
    x: Array,
    low: Array,
    high: Array,
    minimum: float,
) -> dict[str, float]:
    """Return the parameters that the data do not fix, and the direction in which they may go together.

    Where χ², all else fitted, rises by one on neither side, falls as far as is searched, or is as low where
    the parameter decouples; or where parameters that are correlated to more than 99.9 % have run to a bound.
    The largest component is 1.
    """
    ends = [(p.low, p.high) for p in question.free]
    outside = (x <= low) & (low > [end[0] for end in ends]) | (x >= high) & (high < [end[1] for end in ends])
    lost = np.isnan(crossed).all(axis=1) | outside
    for n, parameter in enumerate(question.free):
        infinity = held_at(question, {parameter.name: math.inf}) if parameter.decouples else None
        lost[n] |= infinity is not None and _lowest(infinity, x, n) <= minimum + _LOWER
    unit = 1 / np.sqrt(np.maximum(np.diag(curvature), _TINY))
    sizes, directions = np.linalg.eigh(np.nan_to_num(curvature * np.outer(unit, unit)))
    along = directions[:, 0] * unit
    share = along / along[np.abs(along).argmax()]
    if x.size > 1 and sizes[0] < _DEGENERATE and (lost.any() or ((x <= low) | (x >= high)).any()):
        lost = lost | (np.abs(directions[:, 0]) > _PART)
    return {name: float(c) for name, c, free in zip(question.names, share, lost, strict=True) if free}


def _lowest(question: Question, x: Array, held: int) -> float:
    """Return χ² with one parameter held and the others fitted, from where they were."""
    return float(fitted_from(question, np.delete(x, held)[np.newaxis]).chi2[0])


def _notes(question: Question, fit: Fit) -> tuple[str, ...]:
    """Return what a reader should know of a fit: what is free, which other minima there are."""
    notes = [] if fit.converged else [_trouble(question, fit)]
    for values, chi2 in fit.others:
        where = ", ".join(f"{p.name} = {p.format(values[p.name], 4)}" for p in question.free)
        notes.append(f"another minimum, {chi2 - fit.minimum:.2g} higher in χ², is at {where}.")
    return tuple(notes)


def _trouble(question: Question, fit: Fit) -> str:
    """Return why a fit is not to be trusted."""
    if not fit.flat:
        return f"the fit did not converge: {fit.message}"
    if len(fit.flat) == 1:
        (name,) = fit.flat
        where = find(question.free, name).format(fit.values[name], 2)
        return f"there is no best fit: χ² is flat around {name} = {where}, so that the data set only a limit"
    along = " : ".join(f"{fit.flat[name]:.3g}" for name in fit.flat)
    return (
        f"there is no best fit: the data do not fix {' and '.join(fit.flat)}, which may go together in the"
        f" ratio {along}"
    )

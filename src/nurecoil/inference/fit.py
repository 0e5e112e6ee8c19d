"""Minimisation of a function of named parameters with MIGRAD, from several starts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nurecoil.errors import NurecoilError, unknown_name

FloatArray: TypeAlias = NDArray[np.float64]
Function: TypeAlias = Callable[[FloatArray], float]
Bounds: TypeAlias = Mapping[str, tuple[float | None, float | None]]

_TOLERANCE = 1e-7  # MIGRAD stops at an estimated distance 0.002 · tolerance · errordef = 2e-10
_NO_BOUNDS: Bounds = {}


@dataclass(frozen=True)
class Fit:
    """The lowest minimum found and how far it can be trusted.

    Attributes
    ----------
    names : tuple of str
        The parameters in the order of the function's argument.
    values, errors : dict of float
        Best fit and Hesse errors by name; an error is NaN where no curvature could be had.
    minimum : float
        The function there.
    converged : bool
        MIGRAD converged, and no other start went lower without converging.
    message : str
        One line for the reader: "converged", or what to mind.
    starts : int
        How many starts were tried.
    """

    names: tuple[str, ...]
    values: dict[str, float]
    errors: dict[str, float]
    minimum: float
    converged: bool
    message: str
    starts: int


def minimise(
    function: Function,
    start: Mapping[str, float],
    *,
    bounds: Bounds = _NO_BOUNDS,
    errordef: float = 1.0,
    starts: Sequence[Mapping[str, float]] = (),
) -> Fit:
    r"""Minimise a function of several parameters and keep the best valid minimum of all starts.

    .. math:: \hat\theta = \arg\min_\theta f(\theta), \qquad
              f(\hat\theta \pm \sigma) \simeq f(\hat\theta) + \mathrm{errordef}

    Parameters
    ----------
    function : callable
        f of a 1-D array of the parameters, in the order of `start`; χ² or -2 ln L.
    start : mapping of str to float
        The parameters' names and where to start, in the parameters' units.
    bounds : mapping, optional
        (low, high) by name; None is unbounded.
    errordef : float
        Rise of f that defines an error: 1 for χ² and -2 ln L, 0.5 for -ln L.
    starts : sequence of mappings, optional
        Further starts; a parameter not named keeps its value in `start`.

    Raises
    ------
    NurecoilError
        If a name is unknown, a start is outside its bounds, or f is not finite at a start.

    Notes
    -----
    A start from which f becomes NaN or infinite on the way is dropped, and the message says so.
    At a bound the Hesse error means little. Local minima are escaped by more starts only.

    Examples
    --------
    >>> fit = minimise(lambda p: (p[0] - 1.0) ** 2 + ((p[1] + 2.0) / 0.5) ** 2, {"a": 0.0, "b": 0.0})
    >>> fit.converged, round(fit.values["b"], 5), round(fit.errors["b"], 5)
    (True, -2.0, 0.5)
    """
    if not start:
        raise NurecoilError("there is nothing to minimise: give at least one parameter with its start")
    if not (np.isfinite(errordef) and errordef > 0.0):
        raise NurecoilError(f"an errordef of {errordef} is not allowed: it must be positive and finite")
    names = tuple(start)
    limits = _limits(names, bounds)
    points = [_start(names, start, more, limits) for more in ({}, *starts)]
    safe = _refusing_nan(function, names)
    for point in points:
        safe(point)
    runs = [_migrad(safe, names, point, limits, errordef) for point in points]
    return _best(runs, names)


@dataclass(frozen=True, eq=False)
class _Run:
    """What MIGRAD made of one start."""

    values: FloatArray
    errors: FloatArray
    minimum: float
    failure: str  # empty if it converged
    caution: str  # empty if there is nothing to mind


def _limits(names: tuple[str, ...], bounds: Bounds) -> list[tuple[float, float]]:
    """Return (low, high) of every parameter in order, infinite where there is no bound."""
    for name, (low, high) in bounds.items():
        if name not in names:
            raise unknown_name("parameter", name, names)
        if not (-np.inf if low is None else low) < (np.inf if high is None else high):
            raise NurecoilError(
                f"the bounds {low} and {high} of '{name}' are not allowed: low < high is needed"
            )
    pairs = (bounds.get(name, (None, None)) for name in names)
    return [(-np.inf if low is None else low, np.inf if high is None else high) for low, high in pairs]


def _start(
    names: tuple[str, ...],
    start: Mapping[str, float],
    more: Mapping[str, float],
    limits: list[tuple[float, float]],
) -> FloatArray:
    """Return one start as an array, checked against the bounds."""
    for name in more:
        if name not in names:
            raise unknown_name("parameter", name, names)
    point = np.array([more.get(name, start[name]) for name in names], dtype=np.float64)
    for name, value, (low, high) in zip(names, point, limits, strict=True):
        if not np.isfinite(value):
            raise NurecoilError(f"'{name}' cannot start at {value}: it must be a finite number")
        if not low <= value <= high:
            raise NurecoilError(
                f"'{name}' cannot start at {value:g}: it must lie between {low:g} and {high:g}"
            )
    return point


def _refusing_nan(function: Function, names: tuple[str, ...]) -> Function:
    """Return the function with an error, instead of NaN or infinity, that names the point."""

    def evaluate(point: FloatArray) -> float:
        if not np.isfinite(point).all():  # MIGRAD divides by a curvature that is zero
            raise NurecoilError("MIGRAD lost its way: the function is flat in some direction")
        y = float(function(point))
        if not np.isfinite(y):
            where = ", ".join(f"{name} = {value:.6g}" for name, value in zip(names, point, strict=True))
            raise NurecoilError(f"the function is {y} at {where}: it must be finite where the fit goes")
        return y

    return evaluate


def _migrad(
    function: Function,
    names: tuple[str, ...],
    point: FloatArray,
    limits: list[tuple[float, float]],
    errordef: float,
) -> _Run:
    """Return the minimum that MIGRAD finds from one start."""
    from iminuit import Minuit  # type: ignore[import-untyped]

    minuit = Minuit(function, point, name=names)
    minuit.errordef, minuit.tol, minuit.strategy, minuit.print_level = errordef, _TOLERANCE, 1, -1
    minuit.limits = limits
    try:
        minuit.migrad()
        minuit.hesse()
    except NurecoilError as error:
        return _Run(point, np.full(point.size, np.nan), function(point), str(error), "")
    trusted = minuit.accurate and minuit.fmin.has_posdef_covar
    errors = np.array(minuit.errors) if trusted else np.full(point.size, np.nan)
    caution = "a parameter is at its bound" if minuit.fmin.has_parameters_at_limit else ""
    caution = caution or ("" if trusted else "no reliable curvature at the minimum")
    return _Run(np.array(minuit.values), errors, float(minuit.fval), _failure(minuit.fmin), caution)


def _failure(fmin: Any) -> str:
    """Return why MIGRAD's minimum is not valid, or nothing if it is."""
    if fmin.is_valid:
        return ""
    if fmin.has_reached_call_limit:
        return "MIGRAD reached its call limit"
    if fmin.is_above_max_edm:
        return f"MIGRAD stopped at an estimated distance of {fmin.edm:.2g} to the minimum"
    return "MIGRAD found no valid minimum"


def _best(runs: Sequence[_Run], names: tuple[str, ...]) -> Fit:
    """Return the lowest valid run as a fit; not converged if an invalid one went lower."""
    lowest = min(runs, key=lambda run: run.minimum)
    best = min((run for run in runs if not run.failure), key=lambda run: run.minimum, default=lowest)
    rounding = 1e-9 * (1.0 + abs(best.minimum))
    undercut = lowest.failure and lowest is not best and lowest.minimum < best.minimum - rounding
    trouble = (
        f"another start went lower, to {lowest.minimum:.9g}: {lowest.failure}" if undercut else best.failure
    )
    dropped = sum(bool(run.failure) for run in runs)
    caution = best.caution or (f"{dropped} of {len(runs)} starts failed" if dropped else "")
    return Fit(
        names=names,
        values=dict(zip(names, best.values.tolist(), strict=True)),
        errors=dict(zip(names, best.errors.tolist(), strict=True)),
        minimum=best.minimum,
        converged=not trouble,
        message=trouble or (f"converged; {caution}" if caution else "converged"),
        starts=len(runs),
    )

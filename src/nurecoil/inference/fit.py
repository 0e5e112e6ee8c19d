"""Minimisation of a function of named parameters with MIGRAD, from several starts."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nurecoil.errors import NurecoilError, unknown_name

FloatArray: TypeAlias = NDArray[np.float64]
Function: TypeAlias = Callable[[FloatArray], float]
Gradient: TypeAlias = Callable[[FloatArray], FloatArray]
Bounds: TypeAlias = Mapping[str, tuple[float | None, float | None]]

_TOLERANCE = 1e-7  # MIGRAD stops at an estimated distance 0.002 · tolerance · errordef = 2e-10
_NO_BOUNDS: Bounds = {}
_FLAT = 0.1  # of errordef: a function that rises by less over a whole error has no minimum to speak of
_FURTHEST = 50.0  # in ln x: nothing is learnt from a parameter 10²² times larger
_LARGEST = 150.0  # of |ln x|, that the fourth power of x is a number


@dataclass(frozen=True)
class Fit:
    """The lowest minimum found and how far it can be trusted.

    Attributes
    ----------
    names : tuple of str
        The parameters in the order of the function's argument.
    values, errors : dict of float
        Best fit and Hesse errors by name; an error is NaN where no curvature could be had.
    minos : dict of (float, float)
        How far below and above the best fit f, minimised over the others, has risen by errordef; NaN where
        MINOS finds no such point. Empty unless asked for.
    minimum : float
        The function there.
    flat : tuple of str
        Parameters in which f is flat, upwards or downwards: their values mean nothing.
    converged : bool
        MIGRAD converged, no other start went lower without converging, and f is flat nowhere.
    message : str
        One line for the reader: "converged", or what to mind.
    starts : int
        How many starts were tried.
    """

    names: tuple[str, ...]
    values: dict[str, float]
    errors: dict[str, float]
    minos: dict[str, tuple[float, float]]
    minimum: float
    flat: tuple[str, ...]
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
    logarithmic: Collection[str] = (),
    minos: bool = True,
    gradient: Gradient | None = None,
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
    logarithmic : names, optional
        Parameters that MIGRAD sees by their logarithm: those that span decades. Their starts are positive.
    minos : bool
        Find the asymmetric errors of `Fit.minos` as well: some four more values of f for each parameter.
    gradient : callable, optional
        The slopes of f, in the order of `start`; from differences unless given.

    Raises
    ------
    NurecoilError
        If a name is unknown, a start is outside its bounds, or f is not finite at a start.

    Notes
    -----
    A start from which f becomes NaN or infinite on the way is dropped, and the message says so.
    At a bound the Hesse error means little. Local minima are escaped by more starts only. A parameter counts
    as flat if f rises by less than a tenth of errordef over a whole Hesse error, up or down.

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
    problem = _Problem(function, names, limits, _logarithmic(names, logarithmic, points), errordef, gradient)
    for point in points:
        problem.value(problem.inside(point))
    runs = [_migrad(problem, problem.inside(point)) for point in points]
    best, trouble = _best(runs)
    flat = _flat(problem, best) if best.minuit else ()
    return _fit(problem, best, trouble, flat, len(runs), minos)


@dataclass(frozen=True, eq=False)
class _Problem:
    """A function of x as MIGRAD sees it: of u, which is ln x where that is `logarithmic`, else x."""

    function: Function
    names: tuple[str, ...]
    limits: Sequence[tuple[float, float]]
    logarithmic: NDArray[np.bool_]
    errordef: float
    gradient: Gradient | None = None

    def inside(self, x: FloatArray) -> FloatArray:
        """Return u; minus infinity where there is no logarithm, for a bound."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.logarithmic, np.where(x > 0, np.log(x), -np.inf), x)

    def outside(self, u: FloatArray) -> FloatArray:
        """Return x; a step far off, along a flat direction, stays a number."""
        return np.where(self.logarithmic, np.exp(np.clip(u, -_LARGEST, _LARGEST)), u)

    @property
    def inner_limits(self) -> list[tuple[float, float]]:
        """The bounds of u."""
        low, high = (self.inside(np.array(end)) for end in zip(*self.limits, strict=True))
        return list(zip(low.tolist(), high.tolist(), strict=True))

    def slopes(self, u: FloatArray) -> FloatArray:
        """Return ∂f/∂u, from the gradient that was given."""
        assert self.gradient is not None
        x = self.outside(np.asarray(u))
        return np.asarray(self.gradient(x)) * np.where(self.logarithmic, x, 1.0)

    def value(self, u: FloatArray) -> float:
        """Return f, or an error that names the point instead of NaN or infinity."""
        point = self.outside(np.asarray(u))
        if not np.isfinite(point).all():  # MIGRAD divides by a curvature that is zero
            raise NurecoilError("MIGRAD lost its way: the function is flat in some direction")
        y = float(self.function(point))
        if not np.isfinite(y):
            where = ", ".join(f"{n} = {value:.6g}" for n, value in zip(self.names, point, strict=True))
            raise NurecoilError(f"the function is {y} at {where}: it must be finite where the fit goes")
        return y


@dataclass(frozen=True, eq=False)
class _Run:
    """What MIGRAD made of one start, in u."""

    values: FloatArray
    errors: FloatArray
    minimum: float
    failure: str  # empty if it converged
    caution: str  # empty if there is nothing to mind
    minuit: Any  # None if it lost its way


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


def _logarithmic(
    names: tuple[str, ...], wanted: Collection[str], points: Sequence[FloatArray]
) -> NDArray[np.bool_]:
    """Return which parameters MIGRAD sees by their logarithm."""
    for name in wanted:
        if name not in names:
            raise unknown_name("parameter", name, names)
        if min(point[names.index(name)] for point in points) <= 0:
            raise NurecoilError(f"'{name}' must start above 0, for it is fitted by its logarithm")
    return np.array([name in wanted for name in names])


def _migrad(problem: _Problem, start: FloatArray) -> _Run:
    """Return the minimum that MIGRAD finds from one start."""
    from iminuit import Minuit  # type: ignore[import-untyped]

    slopes = problem.slopes if problem.gradient else None
    minuit = Minuit(problem.value, start, grad=slopes, name=problem.names)
    minuit.errordef, minuit.tol, minuit.strategy, minuit.print_level = problem.errordef, _TOLERANCE, 1, -1
    minuit.limits = problem.inner_limits
    try:
        minuit.migrad()
        minuit.hesse()
    except NurecoilError as error:
        if problem.gradient:  # on a plateau differences, which are coarser, may still find a way
            return _migrad(replace(problem, gradient=None), start)
        return _Run(start, np.full(start.size, np.nan), problem.value(start), str(error), "", None)
    trusted = minuit.accurate and minuit.fmin.has_posdef_covar
    errors = np.array(minuit.errors) if trusted else np.full(start.size, np.nan)
    caution = "a parameter is at its bound" if minuit.fmin.has_parameters_at_limit else ""
    caution = caution or ("" if trusted else "no reliable curvature at the minimum")
    return _Run(np.array(minuit.values), errors, float(minuit.fval), _failure(minuit.fmin), caution, minuit)


def _failure(fmin: Any) -> str:
    """Return why MIGRAD's minimum is not valid, or nothing if it is."""
    if fmin.is_valid:
        return ""
    if fmin.has_reached_call_limit:
        return "MIGRAD reached its call limit"
    if fmin.is_above_max_edm:
        return f"MIGRAD stopped at an estimated distance of {fmin.edm:.2g} to the minimum"
    return "MIGRAD found no valid minimum"


def _best(runs: Sequence[_Run]) -> tuple[_Run, str]:
    """Return the lowest valid run, and why it is not to be trusted: an invalid one may have gone lower."""
    lowest = min(runs, key=lambda run: run.minimum)
    best = min((run for run in runs if not run.failure), key=lambda run: run.minimum, default=lowest)
    rounding = 1e-9 * (1.0 + abs(best.minimum))
    if lowest.failure and lowest is not best and lowest.minimum < best.minimum - rounding:
        return best, f"another start went lower, to {lowest.minimum:.9g}: {lowest.failure}"
    dropped = sum(bool(run.failure) for run in runs)
    caution = best.caution or (f"{dropped} of {len(runs)} starts failed" if dropped else "")
    return replace(best, caution=caution), best.failure


def _flat(problem: _Problem, run: _Run) -> tuple[str, ...]:
    """Return the parameters whose error means nothing: f hardly rises over the whole of it, up or down."""
    found = []
    for number, (name, (low, high)) in enumerate(zip(problem.names, problem.inner_limits, strict=True)):
        x, error = float(run.values[number]), float(run.errors[number])
        usual = _FURTHEST if problem.logarithmic[number] else max(abs(x), 1.0)
        reach = min(error, _FURTHEST) if problem.logarithmic[number] and error > 0 else error
        reach = reach if np.isfinite(reach) else usual
        ends = [x + side * reach for side in (1.0, -1.0) if low <= x + side * reach <= high]
        if any(_is_flat(problem, run, number, end) for end in ends):
            found.append(name)
    return tuple(found)


def _is_flat(problem: _Problem, run: _Run, number: int, end: float) -> bool:
    """Return whether f hardly changes from the minimum to where one parameter is `end`."""
    for fraction in (1.0, 0.75, 0.5, 0.25):
        u = run.values.copy()
        u[number] += fraction * (end - u[number])
        try:
            change = abs(problem.value(u) - run.minimum)
        except NurecoilError:
            return False
        if change > _FLAT * problem.errordef:
            return False
    return True


def _minos(problem: _Problem, run: _Run) -> tuple[dict[str, tuple[float, float]], str]:
    """Return the errors below and above each parameter, NaN where f does not rise by errordef; a caution."""
    found, missing = {}, []
    for number, name in enumerate(problem.names):
        below, above = _crossings(problem, run, number)
        found[name] = (below, above)
        missing += [f"lower of {name}"] * bool(np.isnan(below)) + [f"upper of {name}"] * bool(np.isnan(above))
    return found, f"MINOS finds no error: {', '.join(missing)}" if missing else ""


def _crossings(problem: _Problem, run: _Run, number: int) -> tuple[float, float]:
    """Return how far below and above the minimum MINOS finds f higher by errordef."""
    if run.failure or not run.minuit:
        return np.nan, np.nan
    try:
        run.minuit.minos(number)
    except (NurecoilError, RuntimeError):  # f is not finite on the way, or the minimum no minimum
        return np.nan, np.nan
    merror = run.minuit.merrors[number]
    distances = []
    for shift, valid in ((merror.lower, merror.lower_valid), (merror.upper, merror.upper_valid)):
        u = run.values.copy()
        u[number] += shift
        change = problem.outside(u)[number] - problem.outside(run.values)[number]
        distances.append(abs(float(change)) if valid else np.nan)
    return distances[0], distances[1]


def _fit(problem: _Problem, run: _Run, trouble: str, flat: tuple[str, ...], starts: int, minos: bool) -> Fit:
    """Return the best run as a fit, in x."""
    x = problem.outside(run.values)
    errors = np.where(problem.logarithmic, x * run.errors, run.errors)
    errors[[name in flat for name in problem.names]] = np.nan
    asymmetric, missing = _minos(problem, run) if minos else ({}, "")
    if flat:
        trouble = f"the function is flat in {', '.join(flat)}: no minimum, no error"
    return Fit(
        names=problem.names,
        values=dict(zip(problem.names, x.tolist(), strict=True)),
        errors=dict(zip(problem.names, errors.tolist(), strict=True)),
        minos=asymmetric,
        minimum=run.minimum,
        flat=flat,
        converged=not trouble,
        message=trouble or "; ".join(filter(None, ("converged", run.caution, missing))),
        starts=starts,
    )

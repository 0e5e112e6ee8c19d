"""All minima of χ² in the free parameters of a question: one search, for every verb."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nurecoil.arithmetic import Array
from nurecoil.checks import require_whole
from nurecoil.errors import unknown_name
from nurecoil.likelihood import REACH, Fitted, lowest
from nurecoil.parameters import Parameter
from nurecoil.study.question import Question

MOST_STARTS = 1000
NEAR = 4.0  # in χ² above the lowest: what a reader should know of
_FAR = 1e3  # times what changes the counts: where the search ends for a parameter without a bound
_SCALES = tuple(10.0**n for n in range(-18, 7))
_FAR_IN_LOGARITHM = 1e6
_STEPS = np.geomspace(0.5, 500.0, 40)  # errors from a minimum, where other valleys are looked for,
_SHARES = np.linspace(0.0, 1.0, 101)[1:]  # and of the way to the end of the box
_ROUNDS = 3
_MOST = 4  # of the minima: from so many, the lowest, the search goes on
_LOWER = 1e-6  # in χ²
_SAME = 1e-6  # of the box
_EQUAL = 6  # decimals of χ²
_SOFT = 0.01  # of the curvature along an axis
_TINY = 1e-300
_BARRIER = 1e-3  # in χ²: two minima that less divides are one
_NEIGHBOURS = 8  # that a minimum must be apart from
_BETWEEN = np.arange(1, 8) / 8


def starting_points(question: Question, starts: Sequence[Mapping[str, float]] = ()) -> Array:
    """Return the start of a question and more, shape (S, d), checked; one not named keeps its value."""
    for start in starts:
        for name in start:
            if name not in question.names:
                raise unknown_name("free parameter", name, question.names)
    rows = [[{**question.start, **more}[name] for name in question.names] for more in ({}, *starts)]
    for parameter, column in zip(question.free, zip(*rows, strict=True), strict=True):
        parameter.check(column)
    return np.array(rows, dtype=float).reshape(len(rows), len(question.names))


def spread(question: Question, starts: int) -> list[dict[str, float]]:
    """Return the starts of a fit besides the first, spread around it, the same ones each time.

    Up to a factor of 10 away where a parameter spans decades, two prior widths where it has one, else as much
    as the first start itself, inside the bounds.
    """
    require_whole("starts", starts, 1, MOST_STARTS)
    if not question.free:
        return []
    first = [question.start[name] for name in question.names]
    draws = np.random.default_rng(1).uniform(-1.0, 1.0, (starts - 1, len(first)))
    rows = [
        [_away(question, p, x, float(u)) for p, x, u in zip(question.free, first, draw, strict=True)]
        for draw in draws
    ]
    return [question.named(row) for row in question.existing(np.array(rows).reshape(-1, len(first)))]


def _away(question: Question, parameter: Parameter, start: float, u: float) -> float:
    if parameter.log_scan and start > 0:
        moved = start * 10**u
    else:
        moved = start + u * (2 * (parameter.prior_width or 0.0) or abs(start) or 1.0)
    return question.reaching(parameter.name, moved)


def box(question: Question, starts: Array) -> tuple[Array, Array]:
    """Return a finite box around the starts, as far as the bounds of the parameters and the model allow."""
    low, high = list[float](), list[float]()
    for number, (parameter, column) in enumerate(zip(question.free, starts.T, strict=True)):
        far = max(_FAR * _scale(question, number), 2 * float(np.abs(column).max()))
        if parameter.log_scan and parameter.low > 0:
            far = _FAR_IN_LOGARITHM * float(column.max())
        ends = (
            parameter.low if math.isfinite(parameter.low) else -far,
            parameter.high if math.isfinite(parameter.high) else far,
        )
        for edge, end in zip((low, high), ends, strict=True):
            edge.append(question.reaching(parameter.name, end))
    return np.array(low), np.array(high)


def _scale(question: Question, number: int) -> float:
    """Return how large a change of a free parameter changes the expected counts by a tenth; 1 if none."""
    if number not in question.of_model:
        return 1.0
    point = np.array([question.start[name] for name in question.names])
    default, pulls = question.free[number].default, question.likelihood.begin[np.newaxis]
    point[number] = default if isinstance(default, float | int) else point[number]

    def counts(x: float) -> float:
        moved = point.copy()
        moved[number] = x
        parts = question.components(moved, pulls)
        return float(sum(counts.sum() for each in parts.values() for counts in each.values()))

    usual = counts(point[number])
    name = question.names[number]
    for scale in _SCALES:
        end = question.reaching(name, float(point[number] + scale))
        with np.errstate(all="ignore"):
            if not abs(counts(end) - usual) <= 0.1 * abs(usual):
                return scale
    return 1.0


def minima(
    question: Question, starts: Array, edges: tuple[Array, Array] | None = None, near: float = NEAR
) -> Fitted:
    """Return the minima of χ² that lie within `near` of the lowest, the lowest first.

    From each minimum that the starts (S, d) lead to, χ² is followed along straight lines to the end of the
    box, in steps that widen up to 500 errors and in a hundred even ones, and wherever it dips another fit
    begins; so with what that finds, until none of the lowest is new. The pulls are searched for other
    valleys at each minimum: at the lowest together with the parameters, which at the others follow where that
    pays. The box is that of `edges`, or as far as bounds allow.
    """
    low, high = edges or box(question, starts)

    def settled(found: Fitted, known: Fitted | None = None) -> Fitted:
        """Return the distinct ones, in the lowest valley of the pulls: searched once, not from each start."""
        apart = _distinct(question, known.joined(found) if known else found, low, high, max(near, REACH))
        new, first, before = _new(apart, known), 1 if known else _MOST, apart.chi2
        for part, moving in ((new[:first], True), (new[first:], False)):
            if part.size:
                apart = apart.with_at(part, _across(question, apart.at(part), low, high, moving))
        if (apart.chi2 < before).any():
            return _distinct(question, apart, low, high, near)
        return apart.at(np.flatnonzero(before <= before.min() + near))

    known = settled(question.fitted(starts, low, high, question.likelihood.begin))
    fresh = known
    for _ in range(_ROUNDS):
        more = np.concatenate(
            [_dips(question, fresh.at(np.array([n])), low, high) for n in range(len(fresh.chi2))]
        )
        if not len(more):
            break
        both = settled(question.fitted(more, low, high, known.pulls[0]), known)
        new = _new(both, known)
        new = new[new < _MOST]
        known, fresh = both, both.at(new)
        if not new.size:
            break
    return known


def _new(found: Fitted, known: Fitted | None) -> NDArray[np.intp]:
    """Return which fits are not among those that are known."""
    if known is None:
        return np.arange(len(found.chi2))
    same = (found.points[:, np.newaxis] == known.points).all(axis=2) & (
        found.chi2[:, np.newaxis] == known.chi2
    )
    return np.flatnonzero(~same.any(axis=1))


def _across(question: Question, found: Fitted, low: Array, high: Array, moving: bool) -> Fitted:
    """Return the lowest fits in other valleys of the pulls; at first the parameters stay unless `moving`."""
    if moving:
        return lowest([found, question.fitted(found.points, low, high, found.pulls, np.inf)])
    there = question.profiled_across(found)
    lower = np.flatnonzero(there.chi2 < found.chi2 - _LOWER)
    if not lower.size:
        return found
    fits = question.fitted(found.points[lower], low, high, there.pulls[lower])
    return found.with_at(lower, lowest([found.at(lower), fits]))


def fitted_from(question: Question, starts: Array) -> Fitted:
    """Return the lowest of the fits from several starts (S, d), for each set of data or pinned value."""
    low, high = box(question, starts)
    return lowest([question.fitted(start[np.newaxis], low, high) for start in starts])


def held_at(question: Question, held: Mapping[str, ArrayLike]) -> Question:
    """Return a question with some parameters held, no longer free.

    A parameter of the model, constrained or not, at a number; a nuisance parameter, without its prior, at a
    number or one for each fit.
    """
    rest = tuple(p for p in question.free if p.name not in held)
    own = {p.name for p in question.model.parameters}
    return replace(
        question,
        free=rest,
        values={**question.values, **{name: value for name, value in held.items() if name in own}},
        start={p.name: question.start[p.name] for p in rest},
        pinned={**question.pinned, **{name: value for name, value in held.items() if name not in own}},
    )


def _dips(question: Question, found: Fitted, low: Array, high: Array) -> Array:
    """Return where χ² dips on straight lines through a minimum, pulls as they are there: starts (S, d).

    The lines are the axes of the model's parameters and the principal axes of χ²; along an axis in which χ²
    hardly rises, a fit begins at its end and halfway in any case.
    """
    own = question.of_model
    if not own:
        return np.empty((0, len(question.free)))
    coordinates = question.coordinates(low, high)
    centre = coordinates.of(found.points[:, own])[0]
    slope = coordinates.slope(found.points[:, own])[0]
    curvature = question.curvature(found, low, high)[np.ix_(own, own)] * np.outer(slope, slope)
    sizes = np.sqrt(2 / np.maximum(np.abs(np.diag(curvature)), _TINY))
    values, vectors = np.linalg.eigh(np.nan_to_num(curvature * np.outer(sizes, sizes) / 2))
    principal = (vectors * sizes[:, np.newaxis]).T / np.sqrt(np.abs(values) + _TINY)[:, np.newaxis]
    axes = np.diag(sizes)[: len(own) if len(own) > 1 else 0]  # the only one is principal
    lines = np.concatenate([axes, principal])
    dips = []
    for line, soft in zip(
        np.concatenate([lines, -lines]), 2 * [*(False for _ in axes), *(values < _SOFT)], strict=True
    ):
        with np.errstate(divide="ignore", invalid="ignore"):
            room = np.where(line > 0, 1 - centre, -centre) / line
        end = float(np.nanmin(np.where(line != 0, room, np.inf)))
        steps = np.unique(np.concatenate([np.minimum(_STEPS, end), _SHARES * end]))
        u = np.clip(centre + steps[:, np.newaxis] * line, 0.0, 1.0)
        points = np.tile(found.points[0], (len(u), 1))
        points[:, own] = coordinates.parameters(u)
        points = question.existing(points)
        chi2 = question.unprofiled(points, found.pulls)
        around = np.concatenate([[found.chi2[0]], chi2, [np.inf]])
        dips.append(points[(chi2 < around[:-2]) & (chi2 <= around[2:])])
        if soft:  # a long valley is not straight enough
            dips.append(points[[len(points) // 2, -1]])
    return np.unique(np.concatenate(dips), axis=0)


def _distinct(question: Question, found: Fitted, low: Array, high: Array, near: float) -> Fitted:
    """Return those of several fits that are near the lowest, one of each valley, the lowest first.

    Of equal ones that of an earlier start comes first: of the user's own before the others.
    """
    with np.errstate(invalid="ignore"):  # all may be infinite
        order = np.argsort((found.chi2 - found.chi2.min()).round(_EQUAL), kind="stable")
    found = found.at(order[found.chi2[order] <= found.chi2.min() + near])
    own = question.of_model
    places = (found.points - low) / (high - low)
    places[:, own] = question.coordinates(low, high).of(found.points[:, own])
    kept: list[int] = []
    for i in range(len(found.chi2)):  # the lowest first
        if kept and not found.converged[i]:
            continue
        away = np.abs(places[i] - places[kept]).max(axis=1, initial=0.0)
        near_ones = np.array(kept, dtype=np.intp)[np.argsort(away, kind="stable")[:_NEIGHBOURS]]
        if (away <= _SAME).any():
            continue
        if _apart(question, found, i, near_ones[:1]) and _apart(question, found, i, near_ones[1:]):
            kept.append(i)
    return found.at(np.array(kept))


def _apart(question: Question, found: Fitted, i: int, others: NDArray[np.intp]) -> bool:
    """Return whether χ² rises on the straight way from one minimum to each of the others."""
    if not others.size:
        return True
    first, second = (found.at(np.repeat(np.broadcast_to(n, others.size), _BETWEEN.size)) for n in (i, others))
    way = first.towards(second, np.tile(_BETWEEN, others.size))
    chi2 = question.profiled_from(way.points, way).chi2.reshape(others.size, -1)
    return bool((chi2.max(axis=1) > np.maximum(found.chi2[i], found.chi2[others]) + _BARRIER).all())

"""Where χ² is a parabola: Gaussian counts whose pulls change rates alone.

    μ = s (1 + Σ t) + Σ_k B_k (1 + t_k),  t = offset + gain z,  so that  ∂μ/∂z_j = α_j s + D_j

and one linear system gives the minimum. Points lie side by side in blocks, so that each operation runs over
a whole block; the signal's counts s are the only ones that change from point to point.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import Array
from nurecoil.likelihood.fused.compiling import allocating, compiled, compiled_sources, share
from nurecoil.likelihood.fused.packing import plain, side_by_side
from nurecoil.likelihood.newton import RIDGE, TINY, Minimum, triangle
from nurecoil.likelihood.problem import Inputs, Layout

_BLOCK = 128  # points side by side
_THREAD = 400_000  # what a thread is worth, in products of points, rows and pairs of pulls: some 200 µs


class Parabola(NamedTuple):
    """A layout as few arrays; all bins of all experiments are the rows."""

    templates: Array  # (strengths, rows) of those that are used; zeros make their number a multiple of four
    used: NDArray[np.int64]  # their numbers
    of_row: NDArray[np.int64]  # the experiment of each row
    alpha: Array  # (experiments, J)
    fixed: Array  # D, (J, rows)
    squares: Array  # what half the Hessian has at every point: D_i·D_j and the priors
    weights: Array  # of the priors


class Points(NamedTuple):
    """What may differ from point to point."""

    strengths: Array  # (strengths, P or 1)
    away: Array  # μ - n without signal, where the free pulls are at their centres
    rate: Array  # of the signal, likewise
    rest: Array
    centres: Array


def minimise(layout: Layout, inputs: Inputs, number: int, may_compile: bool) -> Minimum:
    """Return the minima of so many points."""
    parabola, points = layout.once(_parabola), _points(layout, inputs)
    x, value = np.empty((layout.free, number)), np.empty(number)

    def run(first: int, last: int) -> None:
        _minimise_points(parabola, points, first, last, x, value)

    cost = len(parabola.of_row) * (1 + layout.free) ** 2
    share(_minimise_points, run, number, max(_BLOCK, _THREAD // cost), may_compile)
    return Minimum(value, x, np.isfinite(value))


def _points(layout: Layout, inputs: Inputs) -> Points:
    away, rates = [], []
    for term, offsets, observed in zip(layout.terms, inputs.offsets, inputs.observed, strict=True):
        flat = [b.counts * (1 + offsets[:, b.rate, np.newaxis]) for b in term.backgrounds]
        away.append(sum(flat, -observed))
        rates.append(1 + offsets[:, list(term.signal.rates)].sum(axis=1, keepdims=True))
    return Points(
        plain(inputs.strengths.T),
        plain(side_by_side(away)),
        plain(side_by_side(rates)),
        plain(inputs.rest),
        plain(inputs.centres),
    )


def _parabola(layout: Layout) -> Parabola:
    """Return the arrays of a layout."""
    free, bins = layout.free, [term.bins for term in layout.terms]
    last = np.cumsum(bins)
    alpha, fixed = np.zeros((len(bins), free)), np.zeros((free, last[-1]))
    for number, term in enumerate(layout.terms):
        places, gains = layout.places[number], layout.gains[number]
        own = slice(last[number] - term.bins, last[number])
        for pull in term.signal.rates:
            if places[pull] >= 0:
                alpha[number, places[pull]] += gains[pull]
        for b in term.backgrounds:
            if places[b.rate] >= 0:
                fixed[places[b.rate], own] += gains[b.rate] * b.counts
    squares = [fixed[i] @ fixed[j] + (layout.weights[i] if i == j else 0.0) for i, j in triangle(free)]
    templates = np.concatenate([term.signal.templates[0] for term in layout.terms], axis=1)
    used = np.flatnonzero(templates.any(axis=1))
    return Parabola(
        np.ascontiguousarray(np.pad(templates[used], [(0, -used.size % 4), (0, 0)])),
        used,
        np.repeat(np.arange(len(bins)), bins),
        alpha,
        fixed,
        np.array(squares, dtype=float),
        np.array(layout.weights, dtype=float),
    )


# --- the loops: Numba finds their types; `lanes` are the points of a block ------------------------------


@compiled
def _signal(templates, used, strengths, first, lanes, q, s):
    """Fill in the signal's counts; four strengths at once, so that a sum is fetched and kept less often."""
    for k in range(len(used)):
        for lane in range(lanes):
            q[k, lane] = strengths[used[k], first + lane if strengths.shape[1] > 1 else 0]
    for row in range(len(s)):
        for lane in range(lanes):
            s[row, lane] = 0.0
        for k in range(0, len(templates), 4):
            a, b = templates[k, row], templates[k + 1, row]
            c, d = templates[k + 2, row], templates[k + 3, row]
            for lane in range(lanes):
                s[row, lane] += a * q[k, lane] + b * q[k + 1, lane] + c * q[k + 2, lane] + d * q[k + 3, lane]


@compiled
def _residual(of_row, away, rate, first, lanes, s, residual):
    """Fill in μ - n where all pulls are at their centres."""
    for row in range(len(s)):
        term = of_row[row]
        for lane in range(lanes):
            there = away[first + lane if len(away) > 1 else 0, row]
            residual[row, lane] = there + rate[first + lane if len(rate) > 1 else 0, term] * s[row, lane]


@compiled
def _derivatives(of_row, alpha, fixed, squares, s, residual, lanes, hessian, gradient):
    """Fill in half the Hessian, and half the gradient but for the priors."""
    for pair in range(len(hessian)):
        for lane in range(lanes):
            hessian[pair, lane] = squares[pair]
    for i in range(len(gradient)):
        for lane in range(lanes):
            gradient[i, lane] = 0.0
        for row in range(len(s)):
            a, d = alpha[of_row[row], i], fixed[i, row]
            if a != 0.0 or d != 0.0:
                for lane in range(lanes):
                    gradient[i, lane] += (a * s[row, lane] + d) * residual[row, lane]
            for j in range(i + 1):
                b, e, pair = alpha[of_row[row], j], fixed[j, row], i * (i + 1) // 2 + j
                if a != 0.0 or b != 0.0:  # d·e is among the squares
                    for lane in range(lanes):
                        hessian[pair, lane] += s[row, lane] * (a * b * s[row, lane] + (a * e + b * d))


@compiled
def _solve(free, lanes, hessian, z):
    """Turn the gradient into the step: H = L D Lᵀ, in place; the ridge is that of `newton`."""
    for j in range(free):
        diagonal = j * (j + 1) // 2 + j
        for lane in range(lanes):
            added = RIDGE * hessian[diagonal, lane] + TINY
            pivot = hessian[diagonal, lane]
            for k in range(j):
                below = hessian[j * (j + 1) // 2 + k, lane]
                pivot -= below * below * hessian[k * (k + 1) // 2 + k, lane]
            hessian[diagonal, lane] = abs(pivot) + added
        for i in range(j + 1, free):
            for lane in range(lanes):
                entry = hessian[i * (i + 1) // 2 + j, lane]
                for k in range(j):
                    product = hessian[i * (i + 1) // 2 + k, lane] * hessian[j * (j + 1) // 2 + k, lane]
                    entry -= product * hessian[k * (k + 1) // 2 + k, lane]
                hessian[i * (i + 1) // 2 + j, lane] = entry / hessian[diagonal, lane]
    for i in range(free):
        for k in range(i):
            for lane in range(lanes):
                z[i, lane] -= hessian[i * (i + 1) // 2 + k, lane] * z[k, lane]
    for i in range(free - 1, -1, -1):
        for lane in range(lanes):
            z[i, lane] = -z[i, lane] / hessian[i * (i + 1) // 2 + i, lane]
        for k in range(i + 1, free):
            for lane in range(lanes):
                z[i, lane] -= hessian[k * (k + 1) // 2 + i, lane] * z[k, lane]


@compiled
def _value(of_row, alpha, fixed, weights, rest, centres, first, lanes, s, residual, z, value):
    for lane in range(lanes):
        value[first + lane] = rest[first + lane if len(rest) > 1 else 0]
    for j in range(len(z)):
        for lane in range(lanes):
            off = z[j, lane] - centres[first + lane if len(centres) > 1 else 0, j]
            value[first + lane] += weights[j] * off * off
    for row in range(len(s)):
        for j in range(len(z)):
            a, d = alpha[of_row[row], j], fixed[j, row]
            if a != 0.0 or d != 0.0:
                for lane in range(lanes):
                    residual[row, lane] += z[j, lane] * (a * s[row, lane] + d)
        for lane in range(lanes):
            value[first + lane] += residual[row, lane] * residual[row, lane]


def _loop(version):
    """Return the loop over blocks of points."""

    @allocating
    def minimise_points(parabola, points, first, last, x, value):
        """Fill in the pulls x (J, P) and χ² (P,) of points `first` to `last`."""
        assert version
        q, hessian = np.zeros((len(parabola.templates), _BLOCK)), np.empty((len(parabola.squares), _BLOCK))
        s, residual = np.empty((len(parabola.of_row), _BLOCK)), np.empty((len(parabola.of_row), _BLOCK))
        z = np.empty((len(x), _BLOCK))
        alpha, fixed, of_row, weights = parabola.alpha, parabola.fixed, parabola.of_row, parabola.weights
        rest, centres = points.rest, points.centres
        for begin in range(first, last, _BLOCK):
            lanes = min(_BLOCK, last - begin)
            _signal(parabola.templates, parabola.used, points.strengths, begin, lanes, q, s)
            _residual(of_row, points.away, points.rate, begin, lanes, s, residual)
            _derivatives(of_row, alpha, fixed, parabola.squares, s, residual, lanes, hessian, z)
            for j in range(len(z)):
                for lane in range(lanes):
                    z[j, lane] -= weights[j] * centres[begin + lane if len(centres) > 1 else 0, j]
            _solve(len(z), lanes, hessian, z)
            _value(of_row, alpha, fixed, weights, rest, centres, begin, lanes, s, residual, z, value)
            for j in range(len(z)):
                for lane in range(lanes):
                    x[j, begin + lane] = z[j, lane]

    return minimise_points


_minimise_points = _loop(compiled_sources())

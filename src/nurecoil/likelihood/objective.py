"""χ² of one experiment with its gradient and Hessian in the pulls and, if asked, in fitted parameters.

    μ_b = Σ over components of f(rate pulls) s_b exp(Σ_k g_k(t_k) + Σ_kl c_kl t_k t_l)     χ² = Σ_b φ(μ_b)

with φ = 2 [μ - n + n ln(n/μ)] (Poisson) or ((n - μ)/σ)² (Gaussian). Only the signal depends on the model.
Components whose shape no pull changes are columns of one matrix, so that they cost matrix products.

Points are the first axis, bins the last; an axis of points of length 1 stands for all points.
Gradients are lists and Hessians dictionaries {(i, j): (P,)} with j <= i: no bins are kept.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from nurecoil.likelihood.arrays import Background, Curve, SignalArrays, TermArrays
from nurecoil.likelihood.morphing import (
    LARGEST,
    Morphing,
    bent,
    bent_curvature,
    bent_slope,
    together,
    together_slope,
)
from nurecoil.likelihood.response import Derivatives

SMALLEST = 1e-12  # of a rate: nearer to zero its logarithmic derivative is useless

Gradient = dict[int, Any]
Hessian = dict[tuple[int, int], Any]


class Expanded(NamedTuple):
    """A component whose shape pulls change, at some pulls.

    μ and (for a rate pull i) ∂μ = rates[i] μ; for a shape pull ∂μ = μ slopes; for a parameter ∂μ = outer.
    `linear` says that the rate is linear in its pulls and not exponential.
    """

    counts: Any  # (P, bins)
    rates: dict[int, Any]  # (P, 1) or a number
    linear: bool
    shapes: tuple[int, ...]
    slopes: Any  # (P, K, bins)
    bends: Any  # (P, K, bins), ∂²ln μ
    pairs: dict[tuple[int, int], Any]  # ∂²ln μ in two shape pulls, (P, bins)
    outer: tuple[int, ...]
    outward: Any  # (P, d, bins), ∂μ/∂θ
    curved: dict[tuple[int, int], Any]  # ∂²μ/∂θ∂θ' and ∂²μ/∂θ∂t, (P, bins)


def evaluate(
    term: TermArrays,
    signal: Morphing,
    observed: Any,
    t: Sequence[Any],
    derivatives: Derivatives | None = None,
) -> tuple[Any, Gradient, Hessian]:
    """Return χ² (P,), its gradient and its Hessian at the pulls t, one (P,) each.

    Infinite where some μ < 0 or μ = 0 < n of a Poisson count, no number where a formula is none. Parameters
    are numbered after the pulls.
    """
    parts, mu = _components(term, signal, t, derivatives)
    value, first, second = deviance(mu, observed, term.gaussian)
    gradient: Gradient = {}
    hessian: Hessian = {}
    if term.flat:
        _add_flat(term, first, second, parts, gradient, hessian)
    for number, part in enumerate(parts):
        _add_gradient(part, first, gradient)
        _add_curvature(part, first, second, hessian)
        for other in parts[:number]:
            _add_pairs(part, other, second, hessian)
    return value, gradient, hessian


def slopes(term: TermArrays, signal: Morphing, observed: Any, t: Sequence[Any]) -> tuple[Any, Gradient, Any]:
    """Return χ² (P,), its gradient in the pulls, and ∂χ²/∂ln s (P, bins) of the signal's counts s."""
    parts, mu = _components(term, signal, t)
    value, first, _ = deviance(mu, observed, term.gaussian)
    gradient: Gradient = {}
    if term.flat:
        for background, row in zip(term.flat, term.flat_counts @ first.T, strict=True):
            _add(gradient, background.rate, row)
    for part in parts:
        _add_gradient(part, first, gradient)
    return value, gradient, first * parts[0].counts


def _components(
    term: TermArrays, signal: Morphing, t: Sequence[Any], derivatives: Derivatives | None = None
) -> tuple[list[Expanded], Any]:
    """Return the components whose shape pulls change, the signal first, and the sum of all."""
    parts = [_signal(term.signal, signal, t, derivatives)]
    parts += [_shaped(background, t) for background in term.shaped]
    parts += [_curve(curve, t) for curve in term.curves]
    mu = sum(part.counts for part in parts)
    if term.flat:
        mu = mu + np.stack([1 + t[b.rate] for b in term.flat], axis=1) @ term.flat_counts
    return parts, mu


def expected(term: TermArrays, signal: Morphing, t: Sequence[Any]) -> dict[str, Any]:
    """Return the expected counts (P, bins) of the signal and of each background, by name."""
    found = {"signal": _signal(term.signal, signal, t, None).counts}
    for b in (*term.shaped, *term.flat):
        counts = _shaped(b, t).counts if b.shapes else (1 + t[b.rate])[:, None] * b.counts
        found[b.name] = found.get(b.name, 0.0) + counts
    return found | {curve.name: _curve(curve, t).counts for curve in term.curves}


def deviance(mu: Any, observed: Any, gaussian: bool) -> tuple[Any, Any, Any]:
    """Return Σφ (P,), φ' and φ'' (P, bins); a Gaussian count is in units of its σ."""
    if gaussian:
        residual = mu - observed
        return np.sum(residual * residual, axis=1), 2 * residual, np.full_like(residual, 2.0)
    safe = np.where(mu > 0, mu, 1.0)
    ratio = observed / safe
    logarithm = np.log(np.where(ratio > 0, ratio, 1.0))
    value = 2 * np.sum(mu - observed + observed * logarithm, axis=1)
    allowed = np.all(((mu > 0) | (observed == 0)) & (mu >= 0), axis=1)
    return np.where(allowed, value, np.inf), 2 * (1 - ratio), 2 * ratio / safe


def _signal(
    arrays: SignalArrays, signal: Morphing, t: Sequence[Any], derivatives: Derivatives | None
) -> Expanded:
    rate, rates = _rate(arrays.rates, arrays.logarithms, t)
    factor, slopes, bends, mixed = _shape(arrays.shapes, signal, t, arrays.pairs)
    scale = rate if factor is None else rate * factor
    pairs = {(arrays.shapes[k], arrays.shapes[m]): bend for (k, m), bend in mixed.items()}
    counts, linear = scale * signal.counts, arrays.logarithms is None
    part = Expanded(counts, rates, linear, arrays.shapes, slopes, bends, pairs, (), None, {})
    if derivatives is None:
        return part
    pulls = [t[k] for k in arrays.shapes]
    outer = tuple(range(len(t), len(t) + derivatives.parameters))
    outward, curved = derivatives.of_counts(signal.counts, pulls, arrays.pairs)
    curves = {(outer[i], outer[j]): scale * c for (i, j), c in curved[0].items()}
    for (i, k), c in curved[1].items():
        curves[outer[i], arrays.shapes[k]] = scale * c + slopes[:, k] * (scale * outward[:, i])
    return part._replace(outer=outer, outward=scale[:, None] * outward, curved=curves)


def _shaped(background: Background, t: Sequence[Any]) -> Expanded:
    rate, rates = _rate((background.rate,), None, t)
    factor, slopes, bends, _ = _shape(background.shapes, background, t)
    counts = rate * factor * background.counts
    return Expanded(counts, rates, True, background.shapes, slopes, bends, {}, (), None, {})


def _curve(curve: Curve, t: Sequence[Any]) -> Expanded:
    found, pulls = curve.formula.at([t[k] for k in curve.pulls]), curve.pulls
    curved = {(pulls[i], pulls[j]): bend for (i, j), bend in found.second.items()}
    outer = tuple(pulls[i] for i in found.first)
    outward = np.stack(list(found.first.values()), axis=1) if outer else None
    return Expanded(found.value, {}, False, (), None, None, {}, outer, outward, curved)


def _rate(
    numbers: Sequence[int], logarithms: Sequence[float] | None, t: Sequence[Any]
) -> tuple[Any, dict[int, Any]]:
    """Return a rate (P, 1) and ∂ln(rate) by pull: Π e^{λt} with the logarithms λ given, else 1 + Σt."""
    if not numbers:
        return np.ones((1, 1)), {}
    if logarithms is not None:
        exponent = sum(lam * t[i] for i, lam in zip(numbers, logarithms, strict=True))
        return np.exp(np.clip(exponent, -LARGEST, LARGEST))[:, None], dict(
            zip(numbers, logarithms, strict=True)
        )
    rate = 1 + sum(t[i] for i in numbers)
    safe = np.where(np.abs(rate) < SMALLEST, SMALLEST, rate)[:, None]
    return safe, dict.fromkeys(numbers, 1 / safe)


def _shape(
    numbers: Sequence[int],
    given: Morphing | Background,
    t: Sequence[Any],
    pairs: Sequence[tuple[int, int]] = (),
) -> tuple[Any, Any, Any, dict[tuple[int, int], Any]]:
    """Return e^x (P, bins), ∂x and ∂²x by pull (P, K, bins), and ∂∂x by pair; None where nothing changes."""
    if not numbers:
        return None, None, None, {}
    pulls, a, b = np.stack([t[k] for k in numbers], axis=1), given.a, given.b
    exponent = (np.matmul(pulls[:, None], a) + np.matmul(bent(pulls)[:, None], b))[:, 0]
    slopes, bends, mixed = a + bent_slope(pulls)[:, :, None] * b, bent_curvature(pulls)[:, :, None] * b, {}
    for number, pair in enumerate(pairs):
        assert isinstance(given, Morphing)
        c, first, second = given.c[:, number], pulls[:, pair[0]], pulls[:, pair[1]]
        exponent = exponent + c * together(first, second)[:, None]
        mixed[pair] = c * bent_curvature((first + second) / 2)[:, None] / 2
        for k, own, other in ((pair[0], first, second), (pair[1], second, first)):
            slopes[:, k] += c * together_slope(own, other)[:, None]
            bends[:, k] += mixed[pair] - c * bent_curvature(own)[:, None] / 2
    return np.exp(np.clip(exponent, -LARGEST, LARGEST)), slopes, bends, mixed


def _add(into: dict[Any, Any], key: Any, value: Any) -> None:
    if isinstance(key, tuple):
        key = key if key[0] >= key[1] else key[::-1]
    into[key] = into[key] + value if key in into else value


def _add_mixed(hessian: Hessian, key: tuple[int, int], value: Any) -> None:
    """Add a product of two different columns: twice where one pull is behind both."""
    _add(hessian, key, 2 * value if key[0] == key[1] else value)


def _add_gradient(part: Expanded, first: Any, gradient: Gradient) -> None:
    weighted = first * part.counts
    if part.rates:
        total = weighted.sum(axis=1)
        for i, rate in part.rates.items():
            _add(gradient, i, _flat(rate) * total)
    if part.shapes:
        for k, row in zip(part.shapes, _rows(part.slopes, weighted), strict=True):
            _add(gradient, k, row)
    if part.outer:
        for k, row in zip(part.outer, _rows(part.outward, first), strict=True):
            _add(gradient, k, row)


def _add_curvature(part: Expanded, first: Any, second: Any, hessian: Hessian) -> None:
    """Add what one component brings by itself: Σ_b [φ'' ∂_i μ ∂_j μ + φ' ∂_i ∂_j μ]."""
    counts = part.counts
    pulled = first * counts
    both = second * counts * counts + pulled  # of pulls that act in the exponent
    keys = list(part.rates)
    if keys:
        straight = (both - pulled if part.linear else both).sum(axis=1)
        for number, i in enumerate(keys):
            for j in keys[: number + 1]:
                _add(hessian, (i, j), _flat(part.rates[i]) * _flat(part.rates[j]) * straight)
    if part.shapes:
        weighted = part.slopes * both[:, None]
        for k, row in zip(part.shapes, weighted.sum(axis=2).T, strict=True):
            for i in keys:
                _add_mixed(hessian, (i, k), _flat(part.rates[i]) * row)
        square = np.matmul(weighted, np.swapaxes(part.slopes, 1, 2))
        bends = _rows(part.bends, pulled)
        for m, k in enumerate(part.shapes):
            for n, other in enumerate(part.shapes[: m + 1]):
                _add(hessian, (k, other), square[:, m, n])
            _add(hessian, (k, k), bends[m])
        for pair, bend in part.pairs.items():
            _add(hessian, pair, (pulled * bend).sum(axis=1))
    for m, k in enumerate(part.outer):
        outward = part.outward[:, m]
        along = (second * counts + first) * outward
        for i in keys:
            _add(hessian, (k, i), _flat(part.rates[i]) * along.sum(axis=1))
        if part.shapes:
            for other, row in zip(part.shapes, _rows(part.slopes, second * counts * outward), strict=True):
                _add(hessian, (k, other), row)
        for n, other in enumerate(part.outer[: m + 1]):
            _add(hessian, (k, other), (second * outward * part.outward[:, n]).sum(axis=1))
    for key, curve in part.curved.items():
        _add(hessian, key, (first * curve).sum(axis=1))


def _add_pairs(part: Expanded, other: Expanded, second: Any, hessian: Hessian) -> None:
    """Add Σ_b φ'' ∂_i μ ∂_j μ of the pulls of two components."""
    for i, column in _columns(part):
        weighted = second * column
        for j, another in _columns(other):
            _add_mixed(hessian, (i, j), (weighted * another).sum(axis=1))


def _columns(part: Expanded) -> list[tuple[int, Any]]:
    """Return ∂μ (P, bins) by pull or parameter."""
    found = [(i, rate * part.counts) for i, rate in part.rates.items()]
    found += [(k, part.counts * part.slopes[:, m]) for m, k in enumerate(part.shapes)]
    return found + [(k, part.outward[:, m]) for m, k in enumerate(part.outer)]


def _add_flat(
    term: TermArrays,
    first: Any,
    second: Any,
    parts: Sequence[Expanded],
    gradient: Gradient,
    hessian: Hessian,
) -> None:
    """Add the backgrounds whose shape nothing changes, and their mixed terms with the other components."""
    columns, numbers = term.flat_counts.T, [b.rate for b in term.flat]
    slopes, pairs = first @ columns, second @ term.flat_pairs.T
    for k, i in enumerate(numbers):
        _add(gradient, i, slopes[:, k])
        for m, j in enumerate(numbers[: k + 1]):
            add = _add if k == m else _add_mixed
            add(hessian, (i, j), pairs[:, k * (k + 1) // 2 + m])
    for part in parts:
        weighted = second * part.counts
        if part.rates:
            mixed = weighted @ columns
            for i, rate in part.rates.items():
                for k, j in enumerate(numbers):
                    _add_mixed(hessian, (i, j), _flat(rate) * mixed[:, k])
        blocks = [(part.shapes, part.slopes, weighted), (part.outer, part.outward, second)]
        for keys, rows, weights in blocks:
            if keys:
                mixed = np.matmul(rows * weights[:, None], columns)
                for m, i in enumerate(keys):
                    for k, j in enumerate(numbers):
                        _add_mixed(hessian, (i, j), mixed[:, m, k])


def _rows(rows: Any, weights: Any) -> Any:
    """Return Σ_b rows[p, k, b] weights[p, b], shape (K, P)."""
    return (rows @ weights[..., None])[..., 0].T


def _flat(rate: Any) -> Any:
    return rate if isinstance(rate, float) else rate[:, 0]

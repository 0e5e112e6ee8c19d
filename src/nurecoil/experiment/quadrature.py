"""Integrals of non-negative functions in many bins at once, refined until each bin is known."""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.errors import NurecoilError

Integrand = Callable[[Array], tuple[slice, Array, Array]]

ACCURACY: Final = 1e-6  # what an integral must reach, as a fraction of itself
_AIM = 1e-8  # of each panel, by the difference of the two rules: the better one is far below
_FLOOR = 1e-6  # bins this much smaller than the largest need only be known as well as it
_ROUNDS = 22  # of halving, as long as there are not many more panels than at first
_MORE = 1000
_TOGETHER = 64  # neighbouring panels that are evaluated at once

# Gauss-Kronrod, 7 and 15 points: QUADPACK (1983), QK15. Both rules are exact for what their points can carry.
_SEVEN, _GAUSS = np.polynomial.legendre.leggauss(7)
_BETWEEN = np.array([0.9914553711208126, 0.8648644233597691, 0.5860872354676911, 0.2077849550078985])
NODES: Final = np.sort(np.concatenate([_SEVEN, _BETWEEN, -_BETWEEN]))
KRONROD: Final = np.linalg.solve(np.polynomial.legendre.legvander(NODES, 14).T, 2 * np.eye(15)[0])
GAUSS: Final = np.insert(_GAUSS, range(8), 0.0)
EACH: Final = np.ones((1, 1))  # terms are tested one by one


def integrate(integrand: Integrand, splits: Array, shape: tuple[int, ...], tests: Array = EACH) -> Array:
    """Return ∫ R[bin, x] S[x, term] dx from the first to the last of the splits.

    Panels between splits are halved, 22 times at most, until two rules agree on each.

    Parameters
    ----------
    integrand : callable
        From x, shape (n,), ascending, to the bins that are not zero, R (bins, ..., n) and S (n, ..., K).
    splits : ndarray
        Ascending; wherever the integrand jumps, bends, or turns within a short range.
    shape : tuple of int
        Of the integral, (bins, ..., K).
    tests : ndarray, shape (K, tests)
        Which sums of the K terms must be accurate, as fractions of themselves.

    Returns
    -------
    ndarray
        Infinite where the integral diverges at the first split, or cannot be told from one that does.

    Raises
    ------
    NurecoilError
        Where an error above 1e-6 of the integral is left elsewhere.
    """
    total, panels = np.zeros(shape), np.column_stack([splits[:-1], splits[1:]])
    most = 2 * len(panels) + _MORE
    for left in reversed(range(_ROUNDS + 1)):
        last = left == 0 or len(panels) > most
        groups = [panels[i : i + _TOGETHER] for i in range(0, len(panels), _TOGETHER)]
        found = [(group, *_sampled(integrand, group)) for group in groups]
        size = total.copy()
        for _, bins, R, S in found:
            size[bins] += _summed(R, S, KRONROD)
        size = np.abs(np.tensordot(size, tests, 1))
        size = size + _FLOOR * size.max(axis=0, initial=0.0)
        halves, worst = [np.empty((0, 2))], 0.0
        for group, bins, R, S in found:
            bad, infinite = np.zeros(len(group), dtype=bool), np.zeros(size[bins].shape[:-1], dtype=bool)
            for n, error in enumerate(_errors(R, S, tests)):
                over = error > (ACCURACY if last else _AIM) * size[bins]
                bad[n] = over.any()
                if last and bad[n]:
                    infinite |= over.any(axis=-1)
                    worst = max(worst, float((error / size[bins])[over].max()))
            if last and bad[group[:, 0] > splits[0]].any():
                raise NurecoilError(
                    f"its integral over the recoil energy has an error of {worst:.1g} of itself"
                )
            good = np.repeat(~bad | last, NODES.size)
            total[bins] += _summed(R[..., good], S[good], KRONROD)
            total[bins][infinite] = np.inf
            low, high = group[bad & ~np.array(last)].T
            halves.append(np.column_stack([low, (low + high) / 2, (low + high) / 2, high]).reshape(-1, 2))
        panels = np.concatenate(halves)
        if not len(panels):
            break
    return total


def between(splits: Array) -> tuple[Array, Array]:
    """Return x and dx of Gauss-Legendre with 10 points between splits, shape (n,)."""
    x, w = np.polynomial.legendre.leggauss(10)
    half, middle = np.diff(splits)[:, np.newaxis] / 2, (splits[1:] + splits[:-1])[:, np.newaxis] / 2
    return (middle + half * x).ravel(), (half * w).ravel()


def _sampled(integrand: Integrand, panels: Array) -> tuple[slice, Array, Array]:
    """Return the bins of neighbours, R there and S dx, at 15 points of each panel."""
    half, middle = np.diff(panels, axis=1) / 2, panels.mean(axis=1, keepdims=True)
    bins, R, S = integrand((middle + half * NODES).ravel())
    return bins, R, S * np.repeat(half, NODES.size).reshape(-1, *(1,) * (S.ndim - 1))


def _summed(R: Array, S: Array, rule: Array) -> Array:
    """Return Σ R S over all panels, shape (bins, ..., K)."""
    weighed = R * np.tile(rule, len(S) // rule.size)
    return np.tensordot(weighed, S, 1)


def _errors(R: Array, S: Array, tests: Array) -> Iterator[Array]:
    """Yield how far two rules are apart in each panel, shape (bins, ..., tests)."""
    tested = np.tensordot(S, tests, 1)
    for first in range(0, len(S), NODES.size):
        part = slice(first, first + NODES.size)
        yield np.abs(_summed(R[..., part], tested[part], KRONROD - GAUSS))

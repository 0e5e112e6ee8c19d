"""Integrals of non-negative functions in many bins at once, refined until each bin is known."""

from collections.abc import Callable
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
        found = [(group, *_panels(integrand, group, tests)) for group in groups]
        size = total.copy()
        for _, bins, values, _ in found:
            size[bins] += values.sum(axis=0)
        size = np.abs(np.tensordot(size, tests, 1))
        size = size + _FLOOR * size.max(axis=0, initial=0.0)
        halves = [np.empty((0, 2))]
        for group, bins, values, errors in found:
            over = errors > (ACCURACY if last else _AIM) * size[bins]
            bad = np.asarray(over.any(axis=tuple(range(1, over.ndim))))
            if last and bad[group[:, 0] > splits[0]].any():
                worst = (errors / size[bins])[over].max()
                raise NurecoilError(
                    f"its integral over the recoil energy has an error of {worst:.1g} of itself"
                )
            if last:
                infinite = over.any(axis=-1, keepdims=True)
                values, bad = np.where(infinite, np.inf, values), np.zeros_like(bad)
            total[bins] += values[~bad].sum(axis=0)
            low, high = group[bad].T
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


def _panels(integrand: Integrand, panels: Array, tests: Array) -> tuple[slice, Array, Array]:
    """Return the bins, integrals, and errors of the tests, shape (panels, bins, ..., K), of neighbours."""
    half, middle = np.diff(panels, axis=1) / 2, panels.mean(axis=1, keepdims=True)
    bins, R, S = integrand((middle + half * NODES).ravel())
    rows = R.reshape(-1, len(panels), NODES.size).swapaxes(0, 1).copy()  # in order, for products by BLAS

    def summed(rule: Array, terms: Array) -> Array:
        columns = terms.reshape(len(panels), NODES.size, -1) * half[..., np.newaxis]
        return ((rows * rule) @ columns).reshape(len(panels), *R.shape[:-1], *terms.shape[1:])

    return bins, summed(KRONROD, S), np.abs(summed(KRONROD - GAUSS, np.tensordot(S, tests, 1)))

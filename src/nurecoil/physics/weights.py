"""Weights of a cross section in q² or of a shape, and the nodes in ln q on which the former are known.

The propagator of a light mediator depends on its mass, which an experiment is not compiled for. But it is
smooth in ln q: its values at a few Chebyshev nodes say all of it, and counts are linear in those values.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from nurecoil.arithmetic import Array

_AIM: Final = 1e-12  # of the largest value: that at the lowest q can be 1e4 times another's
_SPARE: Final = 4
_MOMENTUM: Final = 30.0  # MeV
_MASSES: Final = 200  # of mediators that stand for all, and one without mass
_BEYOND: Final = 100.0  # how far these go below and above all momentum transfers


@dataclass(frozen=True)
class Weight:
    """A power of the propagator of a mediator of mass m: 1/(q² + m²)^power, in MeV^(-2 power).

    With what its couplings depend on q by, if they do. The self-energy of a loop is a sum of propagators,
    f(0) - q² ∫ds ρ(s)/(s + q²), singular where q = ±i√s: nodes and modes that hold those hold it too.
    """

    mass: Array  # m in MeV, from 0 to infinity, shape (...); the axes are points of a scan
    power: int  # 1 where the mediator interferes, 2 in its own square
    factors: tuple[Callable[[ArrayLike], Array], ...] = ()  # of q (n,): shape (n,)

    def __call__(self, q: ArrayLike) -> Array:
        """Return the weight at momentum transfers q > 0 in MeV, shape (n,): shape (..., n).

        >>> print(Weight(np.array([0.0, 10.0, np.inf]), 1)([10.0]).round(4).T)
        [[0.01  0.005 0.   ]]
        """
        found: Array = 1 / (np.square(q) + np.square(self.mass)[..., np.newaxis])
        found **= self.power
        for factor in self.factors:
            found *= factor(q)
        return found

    def at(self, nodes: "Nodes") -> Array:
        """Return what multiplies the templates of each node, shape (..., K)."""
        return self(nodes.q)

    def probe(self) -> Array:
        """Return a number that tells one weight from another, shape (..., 1)."""
        return self([_MOMENTUM])


@dataclass(frozen=True)
class Shape:
    """A value of a shape parameter, m_4 in MeV or Δm² in eV², shape (...): the weight of such a channel."""

    value: Array

    def at(self, nodes: Any) -> Array:
        """Return what multiplies the templates of each node of some `Pieces`, shape (..., K)."""
        return np.concatenate([piece.values(self.value) for piece in nodes.pieces], axis=-1)

    def probe(self) -> Array:
        """Return a number that tells one weight from another, shape (..., 1)."""
        return np.asarray(self.value)[..., np.newaxis]


@dataclass(frozen=True)
class Nodes:
    """Chebyshev nodes in ln q between two momentum transfers (MeV).

    As many as a propagator of any mass needs: its poles q = ±im lie π/2 off the axis of ln q, and the error
    of K nodes falls like ρ^-K, with ρ = h + √(1 + h²) and h = (π/2) over half the range.

    >>> Nodes(10.0, 100.0).q.size
    29
    """

    low: float
    high: float

    @cached_property
    def q(self) -> Array:
        """The nodes, descending, shape (K,)."""
        found: Array = np.exp(self._middle + self._half * chebyshev(self._number))
        return found

    @property
    def size(self) -> int:
        """The number of nodes, K."""
        return self._number

    def interpolation(self, q: Array) -> Array:
        """Return L_k(q), so that f(q) = Σ_k L_k(q) f(q_k), shape (n, K); beyond the range as at its ends."""
        return cardinals(np.clip((np.log(q) - self._middle) / self._half, -1.0, 1.0), self._number)

    def joined(self, others: Sequence["Nodes"]) -> "Nodes":
        """Return nodes of all the ranges."""
        all_nodes = (self, *others)
        return Nodes(min(n.low for n in all_nodes), max(n.high for n in all_nodes))

    def moved(self, templates: Array, own: "Nodes") -> Array:
        """Return templates (..., K) at these nodes, of those at others, in a part of the range."""
        return np.asarray(templates @ self.interpolation(own.q))

    def samples(self) -> Array:
        """Return the propagators of many masses, and their squares, at the nodes, shape (samples, K)."""
        masses = np.append(np.geomspace(self.low / _BEYOND, self.high * _BEYOND, _MASSES), 0.0)
        return np.concatenate([Weight(masses, power)(self.q) for power in (1, 2)])

    def tests(self) -> Array:
        """Return weights at the nodes whose counts must be accurate, shape (K, weights): of any mediator."""
        masses = np.append(0.0, np.geomspace(self.low, self.high, 3))
        light = [Weight(masses, power)(self.q) for power in (1, 2)]
        weights = np.concatenate([*light, np.ones((1, self.size))])
        return np.asarray((weights / weights.max(axis=1, keepdims=True)).T)

    @property
    def _middle(self) -> float:
        return math.log(self.low * self.high) / 2

    @property
    def _half(self) -> float:
        return math.log(self.high / self.low) / 2

    @property
    def _number(self) -> int:
        return math.ceil(-math.log(_AIM) / math.asinh(math.pi / 2 / self._half)) + _SPARE


def chebyshev(number: int) -> Array:
    """Return Chebyshev nodes between 1 and -1, descending."""
    return np.asarray(np.cos((np.arange(number) + 0.5) * np.pi / number))


def cardinals(x: Array, number: int) -> Array:
    """Return L_k(x), so that f(x) = Σ_k L_k(x) f(x_k) for a polynomial f, shape (..., K).

    By discrete orthogonality, L_k(x) = (2/K) Σ'_j T_j(x_k) T_j(x), the term j = 0 halved.
    """
    at_nodes = np.polynomial.chebyshev.chebvander(chebyshev(number), number - 1) * (2 / number)
    at_nodes[:, 0] /= 2
    found: Array = np.polynomial.chebyshev.chebvander(x, number - 1) @ at_nodes.T
    return found.reshape(*np.shape(x), number)

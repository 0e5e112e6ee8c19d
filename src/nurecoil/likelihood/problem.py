"""The joint χ² of several experiments as a problem for `newton`: in the free pulls and fitted parameters.

    χ² = Σ over experiments of χ²_e(θ, t_e) + Σ over variables of w_j (x_j - ξ_j)²,   x = (z, θ)

z are the free pulls in units of their priors' widths (w = 1; w = 0 for a pull that floats), θ the parameters
in which the strengths of the couplings are expanded, if any (w = 0 unless one is constrained), ξ where the
priors are centred. Each experiment sees t = offset + gain · z of its own pulls.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import Array
from nurecoil.likelihood.arrays import TermArrays
from nurecoil.likelihood.expansion import Expansion, Moving
from nurecoil.likelihood.morphing import Morphing
from nurecoil.likelihood.objective import evaluate
from nurecoil.likelihood.response import Polynomial, polynomial, respond, respond_with_derivatives

T = TypeVar("T")

_FEW = 2  # parameters: more cost less by way of the strengths


@dataclass(frozen=True)
class Layout:
    """What is the same for all points.

    Attributes
    ----------
    terms
        The experiments.
    places
        For each experiment, the number of each of its pulls among the free ones; -1 for a held one.
    gains
        dt/dz of each of its pulls.
    weights
        Of the priors of all variables, the free pulls before the parameters: 0 for none.
    parameters
        The number of fitted parameters θ.
    """

    terms: tuple[TermArrays, ...]
    places: tuple[tuple[int, ...], ...]
    gains: tuple[tuple[float, ...], ...]
    weights: tuple[float, ...]
    parameters: int = 0

    def once(self, make: "Callable[[Layout], T]") -> T:
        """Return what an engine makes of the layout, made when it is first asked for."""
        if make not in self._made:
            self._made[make] = make(self)
        found: T = self._made[make]
        return found

    @cached_property
    def _made(self) -> dict[Any, Any]:
        return {}

    @property
    def variables(self) -> int:
        """The number of free pulls and parameters."""
        return len(self.weights)

    @property
    def free(self) -> int:
        """The number of free pulls."""
        return len(self.weights) - self.parameters

    @property
    def numbers(self) -> int:
        """How many derivatives a point has in bins: what it costs goes with them."""
        return sum(term.numbers for term in self.terms) * max(1, self.variables)

    @property
    def straight(self) -> bool:
        """Whether χ² is a quadratic function of the pulls, and nothing else is fitted."""
        return self.parameters == 0 and all(term.straight for term in self.terms)


class Inputs(NamedTuple):
    """What may differ from point to point: the first axis of each array has P points, or 1 for all.

    Attributes
    ----------
    strengths
        Of the couplings, (P, strengths); not used with an expansion.
    expansion
        The strengths as a function of θ, or None.
    observed
        Counts of each experiment, as `Term.data` gives them.
    rest
        What the data add to χ² whatever is fitted, shape (P,).
    offsets
        t of each experiment's pulls at z = 0, (P, pulls).
    centres
        ξ, shape (P, variables).
    signals
        The signal in each experiment, once `prepared`.
    """

    strengths: Array
    expansion: Expansion | Moving | None
    observed: tuple[Array, ...]
    rest: Array
    offsets: tuple[Array, ...]
    centres: Array
    signals: tuple[Morphing | Polynomial, ...] = ()

    def prepared(self, layout: Layout) -> "Inputs":
        """Return the same with the signals computed once: numbers, or quadratic functions of a few θ."""
        if self.signals or isinstance(self.expansion, Moving) or layout.parameters > _FEW:
            return self
        if self.expansion is None:
            signals = tuple(respond(term.signal, self.strengths) for term in layout.terms)
            return self._replace(signals=signals)
        expansion = self.expansion
        return self._replace(signals=tuple(polynomial(term.signal, expansion) for term in layout.terms))


@dataclass(frozen=True)
class JointProblem:
    """The χ² of P points, see `newton.Problem`."""

    layout: Layout
    inputs: Inputs

    def evaluate(self, x: Array) -> tuple[Array, Array, Array]:
        """Return χ² (P,), its gradient (J, P) and packed Hessian (J (J + 1)/2, P) at x (J, P)."""
        return evaluate_joint(self.layout, self.inputs, x)

    def take(self, which: NDArray[np.intp] | slice) -> "JointProblem":
        """Return the points `which`."""
        return JointProblem(self.layout, taken(self.inputs, which))


def taken(inputs: Inputs, which: NDArray[np.intp] | slice) -> Inputs:
    """Return the inputs of the points `which`."""

    def pick(array: Array) -> Array:
        return array if len(array) == 1 else array[which]

    return Inputs(
        pick(inputs.strengths),
        inputs.expansion.at(which) if inputs.expansion else None,
        tuple(pick(observed) for observed in inputs.observed),
        pick(inputs.rest),
        tuple(pick(offset) for offset in inputs.offsets),
        pick(inputs.centres),
        tuple(signal.at(which) for signal in inputs.signals),
    )


def evaluate_joint(layout: Layout, inputs: Inputs, x: Array) -> tuple[Array, Array, Array]:
    """Return χ², gradient and packed Hessian of all experiments together with the priors."""
    free, n = layout.free, layout.variables
    value = inputs.rest + np.zeros(x.shape[1:])
    gradient, hessian = np.zeros((n, *value.shape)), np.zeros((n * (n + 1) // 2, *value.shape))
    for j, weight in enumerate(layout.weights):
        if weight:
            away = x[j] - inputs.centres[:, j]
            value = value + weight * away * away
            gradient[j] = 2 * weight * away
            hessian[_packed(j, j)] = 2.0 * weight
    theta = x[free:].T
    around = inputs.expansion
    local = around.around(theta) if isinstance(around, Moving) else around
    for number, term in enumerate(layout.terms):
        places, gains = layout.places[number], layout.gains[number]
        t = pulls_of(inputs.offsets[number], places, gains, x)
        known: Any = inputs.signals[number] if inputs.signals else local
        signal, derivatives = (
            (known, None)
            if isinstance(known, Morphing)
            else respond_with_derivatives(term.signal, known, theta)
        )
        v, g, h = evaluate(term, signal, inputs.observed[number], t, derivatives)
        value = value + v
        places += tuple(range(free, n))
        gains += (1.0,) * layout.parameters
        for into, found in ((gradient, g), (hessian, h)):
            for derivative, row, scale in zip(
                found.values(), *_places(places, gains, tuple(found)), strict=True
            ):
                if row >= 0:
                    into[row] += derivative if scale == 1.0 else scale * derivative
    return value, gradient, hessian


@lru_cache(maxsize=256)
def _places(
    places: tuple[int, ...], gains: tuple[float, ...], keys: tuple[Any, ...]
) -> tuple[list[int], list[float]]:
    """Return the row of each derivative in an experiment's own variables, -1 for none, and its factor."""
    rows, scales = [], []
    for i, k in (key if isinstance(key, tuple) else (key, None) for key in keys):
        first, second = places[i], 0 if k is None else places[k]
        kept = first >= 0 and second >= 0
        rows.append((first if k is None else _packed(first, second)) if kept else -1)
        twice = 2 if k is not None and i != k and first == second else 1
        scales.append(twice * gains[i] * (1.0 if k is None else gains[k]))
    return rows, scales


def _packed(i: int, j: int) -> int:
    """Return the row of an element of a packed symmetric matrix."""
    return max(i, j) * (max(i, j) + 1) // 2 + min(i, j)


def pulls_of(offsets: Array, places: Sequence[int], gains: Sequence[float], x: Array) -> list[Array]:
    """Return t of each pull of an experiment, (P,) each."""
    zero = np.zeros(x.shape[1:])
    return [
        offsets[:, i] + (zero if place < 0 else gain * x[place])
        for i, (place, gain) in enumerate(zip(places, gains, strict=True))
    ]

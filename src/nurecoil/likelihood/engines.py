"""What minimises: NumPy by default, JAX (`nurecoil[jax]`) or fused loops of Numba (`nurecoil[fast]`)."""

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nurecoil.errors import NurecoilError, unknown_name
from nurecoil.likelihood.problem import Inputs, JointProblem, Layout
from nurecoil.newton import Minimum, minimise_batch

Array = NDArray[np.float64]

ENGINES = ("numpy", "jax", "fast")


class Engine(Protocol):
    """Something that finds the minima of the joint χ² of P points."""

    @property
    def chunked(self) -> bool:
        """Whether it wants few points at a time."""

    def prepared(self, layout: Layout, inputs: Inputs) -> Inputs:
        """Return the inputs with what several minimisations of the same points can share."""

    def minimise(
        self, layout: Layout, inputs: Inputs, start: Array, low: Array | None, high: Array | None
    ) -> Minimum:
        """Return the minima from `start` (J, P) inside the box (J, P)."""


@dataclass(frozen=True)
class NumpyEngine:
    """The default."""

    chunked: bool = True

    def prepared(self, layout: Layout, inputs: Inputs) -> Inputs:
        """Return the inputs with the signals, which do not depend on the pulls."""
        with np.errstate(all="ignore"):
            return inputs.prepared(layout, np)

    def minimise(
        self, layout: Layout, inputs: Inputs, start: Array, low: Array | None, high: Array | None
    ) -> Minimum:
        """Return the minima, see `newton.minimise_batch`."""
        with np.errstate(all="ignore"):  # a step too far is refused
            problem = JointProblem(layout, inputs.prepared(layout, np))
            return minimise_batch(problem, start, low=low, high=high)


@dataclass(frozen=True)
class FusedEngine:
    """Loops of Numba, see `fused`."""

    chunked: bool = False

    def prepared(self, layout: Layout, inputs: Inputs) -> Inputs:
        """Return the inputs as they are."""
        return inputs

    def minimise(
        self, layout: Layout, inputs: Inputs, start: Array, low: Array | None, high: Array | None
    ) -> Minimum:
        """Return the minima."""
        from nurecoil.likelihood.fused import minimise

        return minimise(layout, inputs, start, low, high)


@dataclass(frozen=True)
class TracedEngine:
    """JAX, see `traced`."""

    chunked: bool = True

    def prepared(self, layout: Layout, inputs: Inputs) -> Inputs:
        """Return the inputs as they are."""
        return inputs

    def minimise(
        self, layout: Layout, inputs: Inputs, start: Array, low: Array | None, high: Array | None
    ) -> Minimum:
        """Return the minima."""
        from nurecoil.likelihood.traced import minimise

        return minimise(layout, inputs, start, low, high)


_EXTRAS: Mapping[str, tuple[str, Callable[[], Engine]]] = {
    "jax": ("jax", TracedEngine),
    "fast": ("numba", FusedEngine),
}


def engine(name: str) -> Engine:
    """Return the engine called `name`.

    Raises
    ------
    NurecoilError
        If there is none of that name, or what it needs is not installed.
    """
    if name == "numpy":
        return NumpyEngine()
    if name not in _EXTRAS:
        raise unknown_name("engine", name, ENGINES)
    module, kind = _EXTRAS[name]
    if importlib.util.find_spec(module) is None:
        raise NurecoilError(
            f"engine {name} needs {module}, which is not installed: pip install 'nurecoil[{name}]'"
        )
    return kind()

"""What minimises: NumPy, loops that Numba compiles (`nurecoil[fast]`), or what answers first."""

import importlib.util
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any, Protocol

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.errors import NurecoilError, unknown_name
from nurecoil.likelihood.newton import Minimum, minimise_batch
from nurecoil.likelihood.problem import Inputs, JointProblem, Layout

ENGINES = ("auto", "numpy", "fast")

_FUSED = "nurecoil.likelihood.fused"  # imported where it is used: it takes a second, and Numba

_CALL, _NUMBER = 2e-3, 1e-7  # seconds that NumPy takes: a call, and each derivative of each point
_FITTED = 4  # times as long with parameters
_LOADING, _COMPILING = 2.0, 10.0  # seconds of it that pay for the loops of Numba: kept on disk, or not


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
    """NumPy, see `newton`."""

    chunked: bool = True

    def prepared(self, layout: Layout, inputs: Inputs) -> Inputs:
        """Return the inputs with the signals, which do not depend on the pulls."""
        with np.errstate(all="ignore"):
            return inputs.prepared(layout)

    def minimise(
        self, layout: Layout, inputs: Inputs, start: Array, low: Array | None, high: Array | None
    ) -> Minimum:
        """Return the minima, see `newton.minimise_batch`."""
        with np.errstate(all="ignore"):  # a step too far is refused
            problem = JointProblem(layout, inputs.prepared(layout))
            return minimise_batch(problem, start, low=low, high=high)


@dataclass(frozen=True)
class FastEngine:
    """Loops that Numba compiles, see `fused`."""

    chunked: bool = False

    def prepared(self, layout: Layout, inputs: Inputs) -> Inputs:
        """Return the inputs as they are."""
        return inputs

    def minimise(
        self, layout: Layout, inputs: Inputs, start: Array, low: Array | None, high: Array | None
    ) -> Minimum:
        """Return the minima, see `fused.minimise`."""
        found: Minimum = import_module(_FUSED).minimise(layout, inputs, start, low, high)
        return found


@dataclass
class AutoEngine:
    """NumPy, until the work of this process would have paid for the loops of Numba: then those.

    Counted is the work and not the time, so that the same questions are answered by the same engine again.

    Attributes
    ----------
    spent
        Seconds that NumPy takes for all that was asked.
    price
        How many of them to wait before the loops are tried next: those of a parabola, and the others.
    """

    spent: float = 0.0
    price: dict[bool, float] = field(default_factory=lambda: {True: _LOADING, False: _LOADING})

    @property
    def chunked(self) -> bool:
        """Whether it is still NumPy's turn."""
        return self.spent <= max(self.price.values())

    def prepared(self, layout: Layout, inputs: Inputs) -> Inputs:
        """Return the inputs as NumPy prepares them, if it is its turn."""
        return inputs if self.spent > self.price[layout.straight] else NumpyEngine().prepared(layout, inputs)

    def minimise(
        self, layout: Layout, inputs: Inputs, start: Array, low: Array | None, high: Array | None
    ) -> Minimum:
        """Return the minima."""
        self.spent += _CALL + _NUMBER * layout.numbers * start.shape[1] * (
            _FITTED if layout.parameters else 1
        )
        if self.spent > self.price[layout.straight] and not (loops := _loops()):
            self.price = dict.fromkeys(self.price, np.inf)
        elif self.spent > self.price[layout.straight]:
            try:
                found: Minimum = loops.minimise(layout, inputs, start, low, high, self.spent > _COMPILING)
                return found
            except loops.NotCompiled:
                self.price[layout.straight] = _COMPILING
        return NumpyEngine().minimise(layout, inputs, start, low, high)


@cache
def _automatic() -> Engine:
    """Return the engine of all questions of this process: what it has compiled serves them all."""
    return AutoEngine() if importlib.util.find_spec("numba") else NumpyEngine()


@cache
def _loops() -> Any:
    """Return the module `fused`; None where Numba does not work, or cannot keep what it compiles."""
    try:
        return import_module(_FUSED)
    except (ImportError, RuntimeError):
        return None


def settled(name: str, numbers: float) -> str:
    """Return the one engine of all processes that share so many derivatives, or go on with them."""
    if name != "auto":
        return name
    return "fast" if _NUMBER * numbers > _COMPILING and _loops() else "numpy"


def engine(name: str) -> Engine:
    """Return the engine called `name`.

    Raises
    ------
    NurecoilError
        If there is none of that name, or what it needs is not installed.
    """
    if name == "numpy":
        return NumpyEngine()
    if name == "auto":
        return _automatic()
    if name != "fast":
        raise unknown_name("engine", name, ENGINES)
    if importlib.util.find_spec("numba") is None:
        raise NurecoilError("engine fast needs numba, which is not installed: pip install 'nurecoil[fast]'")
    return FastEngine()

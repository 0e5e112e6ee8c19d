"""The points of a scan: a grid over any number of axes, never held whole."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import Array
from nurecoil.checks import require, require_ascending, require_whole
from nurecoil.errors import NurecoilError

Indices = NDArray[np.int64]

_SMALLEST_BLOCK, _LARGEST_BLOCK = 64, 32768
_BLOCKS = 32  # a grid has at least so many blocks, if they are not to be too small: work for many workers


@dataclass(frozen=True)
class Spaced:
    """Evenly spaced values from `low` to `high`, both included; `log` spaces them in the logarithm.

    Examples
    --------
    >>> Spaced(0.1, 10.0, 3, log=True).at(np.arange(3)).tolist()
    [0.1, 1.0, 10.0]
    >>> Spaced(0.1, 10.0, 3).description()
    {'low': 0.1, 'high': 10.0, 'points': 3, 'spacing': 'linear'}
    """

    low: float
    high: float
    points: int
    log: bool = False

    def __post_init__(self) -> None:
        """Refuse what is no range."""
        require(self.log in (True, False), "log", self.log, "true or false")
        finite = math.isfinite(self.low) and math.isfinite(self.high)
        require(finite and self.low < self.high, "(low, high)", (self.low, self.high), "finite, low < high")
        if self.log:
            require(self.low > 0, "low", self.low, "above 0 where the spacing is logarithmic")
            require(math.isfinite(self.high / self.low), "high/low", math.inf, "a finite number")
        require_whole("points", self.points, 2)

    def at(self, index: Indices) -> Array:
        """Return the values of these numbers, counted from 0."""
        values: Array
        fraction = index / (self.points - 1)
        if self.log:
            values = self.low * (self.high / self.low) ** fraction
        else:
            values = self.low + fraction * (self.high - self.low)
        np.clip(values, self.low, self.high, out=values)  # rounding must not lead out of a parameter's bounds
        values[index == 0] = self.low
        values[index == self.points - 1] = self.high
        return values

    def description(self) -> dict[str, object]:
        """Return what defines the values, for JSON."""
        spacing = "log" if self.log else "linear"
        return {"low": self.low, "high": self.high, "points": self.points, "spacing": spacing}


@dataclass(frozen=True)
class Listed:
    """Given values, in ascending order."""

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse values that do not ascend."""
        require_ascending("values", self.values, at_least=1)

    @property
    def points(self) -> int:
        """How many there are."""
        return len(self.values)

    @property
    def low(self) -> float:
        """The first."""
        return self.values[0]

    @property
    def high(self) -> float:
        """The last."""
        return self.values[-1]

    def at(self, index: Indices) -> Array:
        """Return the values of these numbers, counted from 0."""
        values: Array = np.asarray(self.values)[index]
        return values

    def description(self) -> dict[str, object]:
        """Return what defines the values, for JSON."""
        digest = hashlib.sha256(np.asarray(self.values).tobytes()).hexdigest()
        return {"low": self.low, "high": self.high, "points": self.points, "values": f"sha256:{digest}"}


@dataclass(frozen=True)
class Axis:
    """One axis of a grid: a parameter's values, and what is written beside them, such as `units`."""

    name: str
    ticks: Spaced | Listed
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Grid:
    """All combinations of the values of N axes, numbered in C order: the last axis runs fastest.

    Examples
    --------
    >>> grid = Grid((Axis("a", Spaced(0.0, 1.0, 2)), Axis("b", Listed((3.0, 4.0, 7.0)))))
    >>> grid.points(2, 4).tolist()
    [[0.0, 7.0], [1.0, 3.0]]
    """

    axes: tuple[Axis, ...]

    def __post_init__(self) -> None:
        """Refuse a grid without axes, or with two of one name."""
        names = [axis.name for axis in self.axes]
        if not names:
            raise NurecoilError("a scan needs at least one axis")
        if len(set(names)) < len(names):
            raise NurecoilError(f"the axes {', '.join(names)} are not all different")

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of values on each axis."""
        return tuple(axis.ticks.points for axis in self.axes)

    @property
    def size(self) -> int:
        """The number of points."""
        return math.prod(self.shape)

    @property
    def block(self) -> int:
        """The number of points that are evaluated together; it depends on nothing but the grid's size.

        The last bit of a matrix product may depend on how many rows it has. With blocks that are always the
        same, a value does not depend on how the blocks are shared out.
        """
        wanted = self.size // _BLOCKS
        return min(max(1 << wanted.bit_length() >> 1, _SMALLEST_BLOCK), _LARGEST_BLOCK)

    def points(self, first: int, last: int) -> Array:
        """Return the points numbered `first` to `last` (excluded), shape (P, N)."""
        return self.select(np.arange(first, last))

    def select(self, numbers: Indices) -> Array:
        """Return the points of these numbers, shape (P, N)."""
        indices = np.unravel_index(numbers, self.shape)
        # Points last in memory, as the model takes the values of one parameter after the other
        return np.array([_at(axis.ticks, index) for axis, index in zip(self.axes, indices, strict=True)]).T

    def point(self, number: int) -> dict[str, float]:
        """Return one point, by name of axis."""
        values = self.points(number, number + 1)[0].tolist()
        return dict(zip((axis.name for axis in self.axes), values, strict=True))


def _at(ticks: Spaced | Listed, index: Indices) -> Array:
    """Return the values of these numbers, each of few computed once."""
    few = ticks.points < index.size
    return ticks.at(np.arange(ticks.points))[index] if few else ticks.at(index)

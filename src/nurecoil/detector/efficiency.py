"""Efficiencies: the probability that what is seen passes the selection, as a function of the observable."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.checks import (
    Ascending,
    Finite,
    Number,
    Positive,
    Probability,
    check_fields,
    checked,
    require,
    require_ascending,
    require_one_each,
)
from nurecoil.errors import NurecoilError


@dataclass(frozen=True)
@checked("efficiency")
class ConstantEfficiency:
    """ε(x) = value: the same efficiency everywhere."""

    kind: ClassVar = "constant"
    value: Probability
    breakpoints: ClassVar[tuple[float, ...]] = ()

    def __call__(self, x: Array) -> Array:
        """Return the efficiency at the observable `x`."""
        return np.full_like(x, self.value)


@dataclass(frozen=True)
class LogisticEfficiency:
    """ε(x) = a/(1 + e^{-k (x - x0)}) · H(x), H a staircase.

    CsI 2017, in photoelectrons: a = 0.6655, k = 0.4942, x0 = 10.8507, steps (5, 1/2), (6, 1); COHERENT,
    arXiv:1804.09459.

    >>> csi = LogisticEfficiency(0.6655, 0.4942, 10.8507, ((5.0, 0.5), (6.0, 1.0)))
    >>> print(csi(np.array([4.5, 5.5, 20.5])).round(4))
    [0.     0.0221 0.6599]
    """

    kind: ClassVar = "logistic"
    a: Annotated[Probability, "plateau"]
    k: Annotated[Positive, "steepness of the rise, per unit of the observable"]
    x0: Annotated[Finite, "middle of the rise"]
    steps: Annotated[
        tuple[tuple[Finite, Probability], ...],
        "H as pairs (from x on, factor), x ascending; 0 below the first; without steps H = 1",
    ] = ()

    def __post_init__(self) -> None:
        """Refuse parameters that give no efficiency."""
        check_fields(self, "efficiency")
        starts, factors = zip(*self.steps, strict=True) if self.steps else ((), ())
        require_ascending("efficiency steps", starts, at_least=0)
        allowed = all(0 <= factor <= 1 for factor in factors)
        require(allowed, "efficiency steps", factors, "factors from 0 to 1")

    def __call__(self, x: Array) -> Array:
        """Return the efficiency at the observable `x`."""
        staircase = np.ones_like(x)
        if self.steps:
            starts, factors = (np.array(column) for column in zip(*self.steps, strict=True))
            staircase = np.concatenate([[0.0], factors])[np.searchsorted(starts, x, side="right")]
        return self.a * logistic(self.k * (x - self.x0)) * staircase

    @property
    def breakpoints(self) -> tuple[float, ...]:
        """Where the efficiency is not smooth: at its steps, and around its rise."""
        return (*(start for start, _ in self.steps), *_rise(self.x0, self.k))


@dataclass(frozen=True)
class ShiftedLogisticEfficiency:
    """ε(x) = a/(1 + e^{-b (x - c)}) + d, and 0 where that is negative.

    CsI 2021, in photoelectrons: effCoefficients.txt of COHERENT, arXiv:2110.07730, ancillary files.

    >>> csi = ShiftedLogisticEfficiency(1.32045, 0.285979, 10.8646, -0.333322)
    >>> print(csi(np.array([5.0, 10.0, 60.0])).round(4), np.round(csi.breakpoints[0], 3))
    [0.     0.2457 0.9871] 7.068
    """

    kind: ClassVar = "shifted-logistic"
    a: Annotated[Positive, "height of the rise"]
    b: Annotated[Positive, "steepness of the rise, per unit of the observable"]
    c: Annotated[Finite, "middle of the rise"]
    d: Annotated[Finite, "shift; the plateau a + d is above 0 and at most 1: nothing is clipped from above"]

    def __post_init__(self) -> None:
        """Refuse parameters that give no efficiency."""
        check_fields(self, "efficiency")
        require(0 < self.a + self.d <= 1, "efficiency a + d", self.a + self.d, "above 0 and at most 1")

    def __call__(self, x: Array) -> Array:
        """Return the efficiency at the observable `x`."""
        return np.clip(self.a * logistic(self.b * (x - self.c)) + self.d, 0.0, 1.0)

    @property
    def breakpoints(self) -> tuple[float, ...]:
        """Where the efficiency is not smooth: where it leaves 0, and around its rise."""
        onset = (self.c - math.log(-self.a / self.d - 1) / self.b,) if self.d < 0 else ()
        return (*onset, *_rise(self.c, self.b))


@dataclass(frozen=True)
class TabulatedEfficiency:
    """A table, read with straight lines between its points, constant above it and zero below it.

    >>> print(TabulatedEfficiency((2.0, 4.0), (0.5, 0.7))(np.array([1.0, 3.0, 9.0])).round(4))
    [0.  0.6 0.7]
    """

    kind: ClassVar = "tabulated"
    x: Annotated[tuple[Finite, ...], Ascending(), "values of the observable"]
    efficiency: Annotated[tuple[Probability, ...], "the efficiency there"]

    def __post_init__(self) -> None:
        """Refuse a table that gives no efficiency."""
        check_fields(self, "efficiency")
        require_one_each("efficiencies", self.efficiency, "x", self.x)

    def __call__(self, x: Array) -> Array:
        """Return the efficiency at the observable `x`."""
        return np.interp(x, self.x, self.efficiency, left=0.0)

    @property
    def breakpoints(self) -> tuple[float, ...]:
        """Where the efficiency is not smooth."""
        return self.x


@dataclass(frozen=True)
class FileEfficiency:
    """A table in a data file, which becomes a `TabulatedEfficiency` when it is read."""

    kind: ClassVar = "file"
    file: Annotated[
        str | Mapping[str, Positive],
        "its name; or those of several detectors and their weights, mass times exposure, for the mean",
    ]
    x: Annotated[int, Number(0), "the column of the observable, the first being 0"]
    efficiency: Annotated[int, Number(0), "the column of the efficiency"]
    release: Annotated[str | None, "where the file is; else where the card's are"] = None
    breakpoints: ClassVar[tuple[float, ...]] = ()

    def __call__(self, x: Array) -> Array:
        """Refuse to answer, as nothing has been read."""
        raise NurecoilError(f"the efficiency of the file {self.file} has not been read")


Efficiency = (
    ConstantEfficiency | LogisticEfficiency | ShiftedLogisticEfficiency | TabulatedEfficiency | FileEfficiency
)


def logistic(z: Array) -> Array:
    """Return 1/(1 + e^{-z}), without overflow.

    >>> print(logistic(np.array([-1e6, 0.0, 1e6])))
    [0.  0.5 1. ]
    """
    from scipy.special import expit  # type: ignore[import-untyped]

    return np.asarray(expit(z), dtype=float)


def _rise(middle: float, steepness: float) -> tuple[float, ...]:
    """Return the middle and the ends of a logistic's rise: beyond them, 2e-9 of it is left."""
    return middle - 20 / steepness, middle, middle + 20 / steepness

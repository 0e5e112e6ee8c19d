"""Quenching: how much of a nuclear recoil's energy is seen, in keV electron equivalent.

E_ee = QF(T) T. T is in MeV, E_ee in keV. All kinds rise with T on the range they are used on, and say so
where they do not.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from nurecoil.arithmetic import Array
from nurecoil.checks import (
    Ascending,
    Finite,
    Fraction,
    NotNegative,
    Number,
    Probability,
    check_fields,
    checked,
    require,
    require_one_each,
)
from nurecoil.errors import NurecoilError

_KEV_PER_MEV = 1e3
_LEVEL = 1 + 1e-9  # what rounding does to a level line must not let it fall


def _inverse(quenching: Any, E_ee: ArrayLike) -> Array:
    """Return T (MeV), in the shape of E_ee (keV), by halving; infinite where E_ee is never reached."""
    E_ee, top = _not_negative("E_ee", E_ee), 1.0
    while top < quenching._turning_point and quenching.electron_equivalent(top) < E_ee.max(initial=0.0):
        top *= 2
    top = min(top, quenching._turning_point)
    low, high = np.zeros(E_ee.shape), np.full(E_ee.shape, top)
    for _ in range(90):
        middle = (low + high) / 2
        above = quenching.electron_equivalent(middle) >= E_ee
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return np.where(E_ee > quenching.electron_equivalent(top), np.inf, low)


@dataclass(frozen=True)
@checked("quenching")
class ConstantQuenching:
    """E_ee = QF T: the same quenching factor at all energies.

    CsI 2017: QF = 0.0878(166), COHERENT, arXiv:1804.09459.

    >>> print(ConstantQuenching(0.0878).electron_equivalent(0.010).round(4))
    0.878
    """

    kind: ClassVar = "constant"
    factor: Annotated[Fraction, "QF; 1 is no quenching"]
    breakpoints: ClassVar[tuple[float, ...]] = ()

    def electron_equivalent(self, T: ArrayLike) -> Array:
        """Return E_ee (keV), in the shape of the recoil energy T (MeV)."""
        return np.asarray(self.factor * _KEV_PER_MEV * _not_negative("T", T), dtype=float)

    def recoil_energy(self, E_ee: ArrayLike) -> Array:
        """Return T (MeV), in the shape of E_ee (keV)."""
        return np.asarray(_not_negative("E_ee", E_ee) / (self.factor * _KEV_PER_MEV), dtype=float)


@dataclass(frozen=True)
@checked("quenching")
class LinearQuenching:
    """E_ee = (a + b T) T: a quenching factor that is linear in the recoil energy.

    Liquid argon: a = 0.246, b = 0.00078/keV, COHERENT, arXiv:2006.12659.

    >>> liquid_argon = LinearQuenching(0.246, 0.00078)
    >>> print(liquid_argon.electron_equivalent(0.050).round(4), liquid_argon.recoil_energy(14.25).round(6))
    14.25 0.05
    """

    kind: ClassVar = "linear"
    a: Annotated[Fraction, "QF at zero energy"]
    b_per_kev: Annotated[Finite, "slope of QF, per keV of recoil energy"]
    breakpoints: ClassVar[tuple[float, ...]] = ()

    def electron_equivalent(self, T: ArrayLike) -> Array:
        """Return E_ee (keV), in the shape of the recoil energy T (MeV); an error where it would fall."""
        kev = _KEV_PER_MEV * _rising_range(T, self._turning_point)
        return (self.a + self.b_per_kev * kev) * kev

    recoil_energy = _inverse

    @cached_property
    def _turning_point(self) -> float:
        """Return the recoil energy (MeV) above which E_ee falls."""
        return -self.a / (2 * self.b_per_kev) / _KEV_PER_MEV if self.b_per_kev < 0 else math.inf


@dataclass(frozen=True)
class PolynomialQuenching:
    """E_ee = c_1 T + c_2 T² + ...: a polynomial without constant term, E_ee and T both in MeV.

    CsI 2021: the file scintRespCoefficients.txt of COHERENT, arXiv:2110.07730.

    >>> csi = PolynomialQuenching((0.0554628, 4.30681, -111.707, 840.384))
    >>> print(csi.electron_equivalent(0.010).round(4), csi.recoil_energy(0.8820).round(5))
    0.882 0.01
    """

    kind: ClassVar = "polynomial"
    coefficients: Annotated[
        tuple[float, ...], "c_1, c_2, ..., c_k in MeV^(1-k); the first that is not 0 is positive"
    ]
    breakpoints: ClassVar[tuple[float, ...]] = ()

    def __post_init__(self) -> None:
        """Refuse coefficients that are none."""
        leading = next((c for c in self.coefficients if c != 0), 0.0)
        good = leading > 0 and all(map(math.isfinite, self.coefficients))
        allowed = "finite numbers, the first that is not 0 above 0"
        require(good, "quenching coefficients", self.coefficients, allowed)

    def electron_equivalent(self, T: ArrayLike) -> Array:
        """Return E_ee (keV), in the shape of the recoil energy T (MeV); an error where it would fall."""
        T = _rising_range(T, self._turning_point)
        return np.asarray(_KEV_PER_MEV * np.polynomial.polynomial.polyval(T, (0.0, *self.coefficients)))

    recoil_energy = _inverse

    @cached_property
    def _turning_point(self) -> float:
        """Return the recoil energy (MeV) above which E_ee falls."""
        slope = [k * c for k, c in enumerate(self.coefficients, start=1)]
        roots = np.asarray(np.polynomial.polynomial.polyroots(slope), dtype=complex)
        real = np.sort(roots.real[(roots.real > 0) & (np.abs(roots.imag) < 1e-9 * np.abs(roots))])
        ends = [0.0, *real.tolist(), 2 * real[-1] if real.size else 1.0]
        middles = [(low + high) / 2 for low, high in pairwise(ends)]
        falls = np.polynomial.polynomial.polyval(middles, slope) < 0
        return float(ends[falls.argmax()]) if falls.any() else math.inf


@dataclass(frozen=True)
@checked("quenching")
class LindhardQuenching:
    """E_ee = QF T of Lindhard's theory: QF = k g/(1 + k g), g = 3 ε^0.15 + 0.7 ε^0.6 + ε.

    ε = 11.5 Z^(-7/3) T[keV]. Germanium: k = 0.157(4), COHERENT, arXiv:2406.13806; 0.162, CONUS+,
    arXiv:2501.05206. It goes to 0 with T, or is 0 below a cut-off.

    >>> germanium = LindhardQuenching(0.157, 32)
    >>> print(germanium.electron_equivalent([0.0, 0.010]).round(4), germanium.recoil_energy(2.3411).round(6))
    [0.     2.3411] 0.01
    """

    kind: ClassVar = "lindhard"
    k: Annotated[Fraction, "how much goes to electrons; 0.133 Z^(2/3) A^(-1/2) in the theory, 0.157 in Ge"]
    Z: Annotated[int, Number(1, 118), "protons of the nucleus"]
    cutoff_kev: Annotated[NotNegative, "recoil energy below which QF is 0"] = 0.0
    _turning_point: ClassVar[float] = math.inf

    def electron_equivalent(self, T: ArrayLike) -> Array:
        """Return E_ee (keV), in the shape of the recoil energy T (MeV)."""
        kev = _KEV_PER_MEV * _not_negative("T", T)
        reduced = 11.5 * self.Z ** (-7 / 3) * kev
        g = 3 * reduced**0.15 + 0.7 * reduced**0.6 + reduced
        return np.where(kev < self.cutoff_kev, 0.0, self.k * g / (1 + self.k * g) * kev)

    recoil_energy = _inverse

    @property
    def breakpoints(self) -> tuple[float, ...]:
        """The recoil energy (MeV) where E_ee jumps, if it does."""
        return (self.cutoff_kev / _KEV_PER_MEV,) if self.cutoff_kev else ()


@dataclass(frozen=True)
class TabulatedQuenching:
    """E_ee = QF(T) T with QF read from a table: straight lines between its points, constant outside.

    >>> table = TabulatedQuenching((1.0, 3.0), (0.1, 0.2))
    >>> print(table.electron_equivalent([0.0005, 0.002, 0.01]).round(4))
    [0.05 0.3  2.  ]
    >>> print(table.recoil_energy([0.05, 0.3, 2.0]).round(6))
    [0.0005 0.002  0.01  ]
    """

    kind: ClassVar = "tabulated"
    recoil_kev: Annotated[tuple[NotNegative, ...], Ascending(), "recoil energies of the table, keV"]
    factor: Annotated[tuple[Probability, ...], "QF there, the last above 0"]

    def __post_init__(self) -> None:
        """Refuse a table that is none."""
        check_fields(self, "quenching")
        require_one_each("quenching factors", self.factor, "recoil_kev", self.recoil_kev)
        require(self.factor[-1] > 0, "quenching factor", self.factor, "above 0 at the last recoil_kev")

    def electron_equivalent(self, T: ArrayLike) -> Array:
        """Return E_ee (keV), in the shape of the recoil energy T (MeV); an error where it would fall."""
        kev = _KEV_PER_MEV * _rising_range(T, self._turning_point)
        return np.asarray(np.interp(kev, self.recoil_kev, self.factor) * kev)

    recoil_energy = _inverse

    @property
    def breakpoints(self) -> tuple[float, ...]:
        """Recoil energies (MeV) where E_ee is not smooth."""
        return tuple(kev / _KEV_PER_MEV for kev in self.recoil_kev)

    @cached_property
    def _turning_point(self) -> float:
        """Return the recoil energy (MeV) above which E_ee falls: a + 2 b T < 0 where QF = a + b T."""
        kev, factor = np.array(self.recoil_kev), np.array(self.factor)
        slopes = np.concatenate([[0.0], np.diff(factor) / np.diff(kev), [0.0]])
        starts, at_starts = np.concatenate([[0.0], kev]), np.concatenate([factor[:1], factor])
        ends, intercepts = np.append(kev, np.inf), at_starts - slopes * starts
        for start, end, a, b in zip(starts, ends, intercepts, slopes, strict=True):
            if b < 0 and a + 2 * b * end < 0:
                return float(max(start, -a / (2 * b))) / _KEV_PER_MEV
        return math.inf


@dataclass(frozen=True)
class FileQuenching:
    """A table in a data file, which becomes a `TabulatedQuenching` when it is read."""

    kind: ClassVar = "file"
    file: Annotated[str, "its name, in the release or beside the card"]
    recoil_kev: Annotated[int, Number(0), "the column of the recoil energy in keV, the first being 0"]
    factor: Annotated[int, Number(0), "the column of QF"]
    levelled: Annotated[bool, "hold E_ee level where it would fall with the recoil energy"] = False
    breakpoints: ClassVar[tuple[float, ...]] = ()
    _turning_point: ClassVar[float] = math.inf

    def electron_equivalent(self, T: ArrayLike) -> Array:
        """Refuse to answer, as nothing has been read."""
        raise NurecoilError(f"the quenching of the file {self.file} has not been read")

    recoil_energy = _inverse


def levelled(recoil_kev: ArrayLike, factor: ArrayLike) -> TabulatedQuenching:
    """Return a table of QF that is raised where its E_ee would fall.

    Of straight lines in QF, E_ee does not fall up to T_k if QF_k (2 T_k - T_(k-1)) >= QF_(k-1) T_k.
    """
    kev, rising = np.asarray(recoil_kev, dtype=float), np.array(factor, dtype=float)
    for k in range(1, rising.size):
        least = rising[k - 1] * kev[k] / (2 * kev[k] - kev[k - 1])
        rising[k] = max(rising[k], least * _LEVEL)
    return TabulatedQuenching(tuple(kev.tolist()), tuple(rising.tolist()))


Quenching = (
    ConstantQuenching
    | LinearQuenching
    | PolynomialQuenching
    | LindhardQuenching
    | TabulatedQuenching
    | FileQuenching
)


def _not_negative(name: str, values: ArrayLike) -> Array:
    values = np.asarray(values, dtype=float)
    bad = values[~((values >= 0) & np.isfinite(values))]
    require(not bad.size, name, next(iter(bad), None), "0 or above, and finite")
    return values


def _rising_range(T: ArrayLike, turning_point: float) -> Array:
    """Return recoil energies (MeV), or refuse one above the turning point of E_ee."""
    T = _not_negative("T", T)
    if np.any(turning_point * (1 + 1e-12) < T):
        raise NurecoilError(
            f"quenching is used up to {1e3 * T.max():.4g} keV but its E_ee falls above"
            f" {1e3 * turning_point:.4g} keV: it must rise with the recoil energy (that of a file can be"
            " `levelled = true`)"
        )
    return T

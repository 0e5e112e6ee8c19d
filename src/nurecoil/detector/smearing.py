"""Smearing: how an observable fluctuates around what a recoil gives on average.

Each kind says `below(x, E)`, the probability that the observable is less than x. From it follows what each
answers, `probabilities(E, edges)`: the probability that the observable falls into [low, high) for each pair
of neighbouring edges. E is what the detector gives without fluctuations, light yield times
E_ee (photoelectrons, or E_ee itself where the observable is an energy). The one exception is
`GammaSmearing`, which brings a light yield 1/a of its own: there E is E_ee in keV. `scale` is the factor
from E to the observable: 1/a there, 1 elsewhere. `width(x)` is the standard deviation of the observable
where its mean is x >= 0; between `breakpoints`, in E, probabilities are smooth.
"""

import math
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike

from nurecoil.arithmetic import Array
from nurecoil.checks import NotNegative, Number, Positive, check_fields, checked, require
from nurecoil.errors import NurecoilError

_MOST_STEPS, _SOLVED, _FEWEST = 100, 1e-10, 1e-6  # of electrons


def _probabilities(smearing: Any, E: ArrayLike, edges: ArrayLike) -> Array:
    """Return the probability of each bin, shape (bins, n), for E of shape (n,)."""
    E, x = np.atleast_1d(np.asarray(E, dtype=float)), np.asarray(edges, dtype=float)
    require(bool(np.all(E >= 0)), "E", next(iter(E[~(E >= 0)]), None), "0 or above")
    below = smearing.below(x[:, np.newaxis], E[np.newaxis, :])
    return np.asarray(np.maximum(np.diff(below, axis=0), 0.0))  # where rounding would leave less


@dataclass(frozen=True)
class NoSmearing:
    """The observable is E.

    >>> print(NoSmearing().probabilities([0.5, 1.0], [0.0, 1.0, 2.0]))
    [[1. 0.]
     [0. 1.]]
    """

    kind: ClassVar = "none"
    breakpoints: ClassVar[tuple[float, ...]] = ()
    scale: ClassVar[float] = 1.0

    def width(self, x: Array) -> Array:
        """Return 0."""
        return np.zeros_like(x)

    def below(self, x: Array, E: Array) -> Array:
        """Return 1 where x > E, else 0."""
        return (x > E).astype(float)

    probabilities = _probabilities


@dataclass(frozen=True)
class GaussianSmearing:
    """A Gaussian around E of width σ = √(a² E + b²).

    Liquid argon: a = 0.58 √keV, at the reconstructed energy; COHERENT, arXiv:2006.12659. That raises the
    mean, from E to E + a², and gives even E = 0 a chance to be seen: a magnetic moment then gives infinitely
    many counts.

    >>> print(GaussianSmearing(0.58).probabilities([9.0], [0.0, 10.0, 20.0]).round(4).T)
    [[0.7173 0.2827]]
    >>> print(GaussianSmearing(0.58, at="reconstructed").probabilities([9.0], [0.0, 10.0, 20.0]).round(4).T)
    [[0.6743 0.3257]]
    """

    kind: ClassVar = "gaussian"
    breakpoints: ClassVar[tuple[float, ...]] = ()
    a: Annotated[NotNegative, "stochastic term, in the square root of the unit of E"]
    b: Annotated[NotNegative, "constant term, in the unit of E; a and b are not both 0"] = 0.0
    at: Annotated[
        Literal["true", "reconstructed"],
        "which energy the width is taken at: the true E, or the observable x itself, which raises the mean"
        " and lets even E = 0 be seen: a magnetic moment then gives infinitely many counts",
    ] = "true"
    scale: ClassVar[float] = 1.0

    def __post_init__(self) -> None:
        """Refuse a width that is none."""
        check_fields(self, "smearing")
        require(self.a > 0 or self.b > 0, "smearing (a, b)", (self.a, self.b), "above 0 in one of them")

    def width(self, x: Array) -> Array:
        """Return √(a² x + b²)."""
        return np.sqrt(self.a**2 * x + self.b**2)

    def below(self, x: Array, E: Array) -> Array:
        """Return P(X < x) of a Gaussian, a step where its width is 0."""
        from scipy.special import ndtr  # type: ignore[import-untyped]

        if self.at == "reconstructed" and self.a > 0:
            # σ² = a² (x + b²/a²): the same distribution as without b, moved by b²/a²
            shift = (self.b / self.a) ** 2
            return gaussian_of_own_width_below(x + shift, E + shift, self.a)
        sigma = self.width(E)
        u = np.divide(x - E, sigma, out=np.where(x > E, np.inf, -np.inf), where=sigma > 0)
        return np.asarray(ndtr(u), dtype=float)

    probabilities = _probabilities


@dataclass(frozen=True)
class PoissonSmearing:
    """A Poisson number of photoelectrons of mean E; n of them fall into the bin [n, n + 1).

    CsI 2017: COHERENT, arXiv:1804.09459.

    >>> print(PoissonSmearing().probabilities([2.0], [0.0, 1.0, 2.0, 3.0]).round(4).T)
    [[0.1353 0.2707 0.2707]]
    """

    kind: ClassVar = "poisson"
    breakpoints: ClassVar[tuple[float, ...]] = ()
    scale: ClassVar[float] = 1.0

    def width(self, x: Array) -> Array:
        """Return √x."""
        return np.sqrt(x)

    def below(self, x: Array, E: Array) -> Array:
        """Return P(n < x) for whole x."""
        from scipy.special import pdtr

        self.check_edges(x)
        return np.where(x >= 1, pdtr(np.maximum(x - 1, 0.0), E), 0.0)

    probabilities = _probabilities

    def check_edges(self, edges: Array) -> None:
        """Refuse edges that cut a photoelectron."""
        fractional = edges != np.round(edges)
        if np.any(fractional):
            raise NurecoilError(
                f"edge {edges[fractional][0]:g} is not allowed with Poisson smearing:"
                " edges and steps must be whole numbers of photoelectrons"
            )


@dataclass(frozen=True)
@checked("smearing")
class GammaSmearing:
    """The observable x has a gamma distribution of mean E/a and shape 1 + b E, E being E_ee in keV.

    Its rate is (a/E)(1 + b E) and its variance (E/a)²/(1 + b E).

    CsI 2021: a = 0.0749 keV per photoelectron, b = 9.56/keV; COHERENT, arXiv:2110.07730, ancillary files.

    >>> print(GammaSmearing(0.0749, 9.56).probabilities([0.8], [0.0, 8.0, 12.0, 60.0]).round(4).T)
    [[0.2436 0.4343 0.3221]]
    """

    kind: ClassVar = "gamma"
    breakpoints: ClassVar[tuple[float, ...]] = ()
    a: Annotated[Positive, "keV per unit of the observable: the inverse of the light yield"]
    b: Annotated[float, Number(0, 1e15, above=True), "per keV"]

    @property
    def scale(self) -> float:
        """Observable per unit of E."""
        return 1 / self.a

    def width(self, x: Array) -> Array:
        """Return x/√(1 + b a x)."""
        return x / np.sqrt(1 + self.b * self.a * x)

    def below(self, x: Array, E: Array) -> Array:
        """Return P(X < x) for E = E_ee (keV), a step at 0 where the mean is 0."""
        from scipy.special import gammainc

        x, mean, shape = np.maximum(x, 0.0), E / self.a, 1 + self.b * E
        reduced = np.divide(x * shape, mean, out=np.where(x > mean, np.inf, 0.0), where=mean > 0)
        return np.asarray(gammainc(shape, reduced), dtype=float)

    probabilities = _probabilities


@dataclass(frozen=True)
class ElectronSmearing:
    """A whole number of electrons, of mean E/ε and variance F E/ε, seen as ε each, and Gaussian noise.

    P(n) ~ e^{η n}/(n!)^ν (Conway-Maxwell-Poisson; Durnford:2018), η and ν such that mean and variance are
    exact; for F = 1 it is Poisson's. No whole number varies less than between its two neighbours: where
    F E/ε would, as below 1 - F electrons, it is one of those. Germanium: ε = 2.96 eV, F = 0.11.

    >>> germanium = ElectronSmearing(2.96, 0.11)
    >>> print(germanium.probabilities([5.92], [0.0, 2.96, 5.92, 8.88]).round(3).T)
    [[0.    0.109 0.783]]
    """

    kind: ClassVar = "electrons"
    energy: Annotated[Positive, "ε, per electron, in the unit of E"]
    fano: Annotated[float, Number(0.01, 1), "F, the variance of their number over its mean"]
    noise: Annotated[NotNegative, "standard deviation of the noise, in the unit of E"] = 0.0
    scale: ClassVar[float] = 1.0

    def __post_init__(self) -> None:
        """Refuse what is no detector."""
        check_fields(self, "smearing")

    def width(self, x: Array) -> Array:
        """Return √(F ε x + noise²)."""
        return np.sqrt(self.fano * self.energy * x + self.noise**2)

    def below(self, x: Array, E: Array) -> Array:
        """Return P(X < x), of x (edges, 1) and E (1, n)."""
        from scipy.special import ndtr

        n, probabilities = numbers_of_electrons(E.ravel() / self.energy, self.fano)
        away = x - self.energy * n
        seen = ndtr(away / self.noise) if self.noise else (away > 1e-9 * self.energy).astype(float)
        return np.asarray(seen @ probabilities.T)

    probabilities = _probabilities

    @property
    def breakpoints(self) -> tuple[float, ...]:
        """E where it begins or ceases that F E/ε is less than what whole numbers vary, f (1 - f) at k + f."""
        F, found = self.fano, []
        for k in range(1 + int((1 - F) ** 2 / (4 * F))):
            root = math.sqrt((1 - F) ** 2 - 4 * F * k)
            found += [k + (1 - F - root) / 2, k + (1 - F + root) / 2]
        return tuple(self.energy * m for m in found)


Smearing = NoSmearing | GaussianSmearing | PoissonSmearing | GammaSmearing | ElectronSmearing


def numbers_of_electrons(mean: Array, fano: float) -> tuple[Array, Array]:
    """Return whole numbers n, and P(n) ~ e^{η n}/(n!)^ν of each mean m, of variance F m, shape (means, n).

    By Newton's steps in η, and in ln of what the variance is above the least, f (1 - f), f the fraction of m:
    that goes like e^{-ν}, and to 0 where P is that of the two neighbours.
    """
    from scipy.special import gammaln

    m, reach = np.maximum(mean, _FEWEST), 10 * np.sqrt(fano * mean) + 12
    n = np.arange(max(0, int((m - reach).min())), int((m + reach).max()) + 1, dtype=float)
    P = np.maximum(1 - np.abs(n - m[:, np.newaxis]), 0.0)
    free = fano * m > (1 + 1e-9) * (m % 1) * (1 - m % 1)
    m = m[free]
    goal, least, log_factorial = fano * m, (m % 1) * (1 - m % 1), gammaln(n + 1)
    nu = np.minimum((2 * m + 1 + np.sqrt((2 * m + 1) ** 2 - 8 * goal)) / (4 * goal), 2 / fano)  # of many
    eta = nu * np.log(m + (nu - 1) / (2 * nu))
    for _ in range(_MOST_STEPS):
        of_free = np.outer(eta, n) - np.outer(nu, log_factorial)
        of_free = np.exp(of_free - of_free.max(axis=1, keepdims=True))
        of_free /= of_free.sum(axis=1, keepdims=True)
        found, mean_log = of_free @ n, of_free @ log_factorial
        d, e = n - found[:, np.newaxis], log_factorial - mean_log[:, np.newaxis]
        variance, together, third = ((of_free * d * other).sum(axis=1) for other in (d, e, d * d))
        if np.all(np.abs(found - m) < _SOLVED * m) and np.all(np.abs(variance - goal) < _SOLVED * goal):
            P[free] = of_free
            return n, P
        nearer = np.clip((m - found) / variance, -1.0, 1.0)
        over = np.maximum(variance + third * nearer - least, 1e-3 * (goal - least))
        slope = third * together / variance - (of_free * d * d * e).sum(axis=1)
        step = np.log(over / (goal - least)) * over / np.maximum(-slope, 1e-9 * over)
        step = np.where(np.abs(m - found) < 0.2 * variance, np.clip(step, -nu / 2, nu / 2), 0.0)
        nu, eta = nu + step, eta + nearer + together / variance * step
    raise NurecoilError(f"numbers of electrons with a Fano factor of {fano:g} were not found")


def gaussian_of_own_width_below(x: Array, E: Array, a: float) -> Array:
    """Return P(X < x) for the density e^{-(x - E)²/(2 a² x)}/(a √(2πx)), x > 0.

    P = Φ(u) - e^{2E/a²} Φ(-w), u = (x - E)/(a√x), w = (x + E)/(a√x)

    The width is that of the observable itself, and yet the density is normalised: 1/X has an inverse
    Gaussian distribution (Tweedie 1957). With w² - u² = 4E/a² nothing overflows.
    """
    from scipy.special import erfcx, ndtr

    positive = x > 0
    root = a * np.sqrt(np.where(positive, x, 1.0))
    u, w = (x - E) / root, (x + E) / root
    tail = 0.5 * np.exp(-(u**2) / 2) * erfcx(np.where(positive, w, 0.0) / math.sqrt(2))
    return np.where(positive, ndtr(u) - tail, 0.0)

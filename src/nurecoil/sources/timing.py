"""When the neutrinos of a pulsed stopped-pion source arrive: beam pulse ⊗ decays, in microseconds.

The prompt ν_μ follow the beam pulse and the pion's decay, the delayed ν̄_μ and ν_e the muon's as well.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

import numpy as np
from numpy.typing import ArrayLike

from nurecoil.arithmetic import Array
from nurecoil.checks import Microseconds, NotNegative, Number, Probability, checked, require_ascending

PION_LIFETIME_US: Final = 0.02603  # 26.033(5) ns (PDG 2022)
MUON_LIFETIME_US: Final = 2.197  # 2.1969811(22) us (PDG 2022)

_POINTS_PER_PANEL = 16


@dataclass(frozen=True)
@checked("time efficiency")
class ConstantTimeEfficiency:
    """ε(t) = value: the same efficiency at all times."""

    kind: ClassVar = "constant"
    value: Probability = 1.0
    breakpoints: ClassVar[tuple[float, ...]] = ()

    def __call__(self, t: Array) -> Array:
        """Return the efficiency at the times `t` (us)."""
        return np.full_like(t, self.value)


@dataclass(frozen=True)
@checked("time efficiency")
class PlateauThenExponential:
    """ε(t) = 1 before `start_us`, e^{-rate (t - start)} after it.

    CsI 2021: 0.52 us and 0.0494/us; COHERENT, arXiv:2110.07730.

    >>> print(PlateauThenExponential(0.52, 0.0494)(np.array([0.3, 6.0])).round(4))
    [1.     0.7628]
    """

    kind: ClassVar = "plateau-then-exponential"
    start_us: Annotated[Microseconds, "where the fall begins, us"]
    rate_per_us: Annotated[NotNegative, "how fast it is, per us"]

    def __call__(self, t: Array) -> Array:
        """Return the efficiency at the times `t` (us)."""
        return np.exp(-self.rate_per_us * np.maximum(t - self.start_us, 0.0))

    @property
    def breakpoints(self) -> tuple[float, ...]:
        """Times (us) where the efficiency is not smooth."""
        return (self.start_us,)


TimeEfficiency = ConstantTimeEfficiency | PlateauThenExponential


@dataclass(frozen=True)
@checked("pulse")
class PulsedSource:
    """A stopped-pion source with a Gaussian beam pulse of that mean and standard deviation, in us.

    CsI 2021: 0.47 and 0.15 us reproduce the official histogram within 3 %. Liquid argon: 0.44(20) and
    0.15 us; COHERENT, arXiv:2006.12659.

    >>> argon, always = PulsedSource(mean_us=0.44, sigma_us=0.15), ConstantTimeEfficiency()
    >>> print(argon.fractions((-0.1, 0.4, 0.9, 1.4), always)["prompt"].round(4))
    [0.3325 0.6651 0.0023]
    """

    mean_us: Microseconds
    sigma_us: Annotated[float, Number(0, 1e5, "us", above=True)]

    def prompt(self, t: ArrayLike) -> Array:
        """Return the density (1/us) of prompt arrivals at the times t (us): pulse ⊗ pion decay."""
        return decay_after_pulse(t, self.mean_us, self.sigma_us, PION_LIFETIME_US)

    def delayed(self, t: ArrayLike) -> Array:
        """Return the density (1/us) of delayed arrivals at t (us): pulse ⊗ pion decay ⊗ muon decay.

        Two decays in a row: (τ_μ g_μ - τ_π g_π)/(τ_μ - τ_π), g being the pulse with one decay.
        """
        pion = PION_LIFETIME_US * decay_after_pulse(t, self.mean_us, self.sigma_us, PION_LIFETIME_US)
        muon = MUON_LIFETIME_US * decay_after_pulse(t, self.mean_us, self.sigma_us, MUON_LIFETIME_US)
        return (muon - pion) / (MUON_LIFETIME_US - PION_LIFETIME_US)

    def fractions(self, edges_us: ArrayLike, efficiency: TimeEfficiency) -> dict[str, Array]:
        """Return the fractions of neutrinos that are seen in each time bin: ∫_bin dt p(t) ε(t).

        For p(t) of "prompt" arrivals (ν_μ) and of "delayed" ones (ν̄_μ and ν_e). The edges of the bins, shape
        (bins + 1,), are in us and ascend. The fractions, shape (bins,), are not normalised to the window.
        """
        edges = np.asarray(edges_us, dtype=float)
        require_ascending("time edges", [float(edge) for edge in edges])
        # the densities vary over σ around the pulse and over a lifetime behind it
        after = np.arange(41)[:, np.newaxis] * (PION_LIFETIME_US, MUON_LIFETIME_US)
        scales = np.concatenate([np.arange(-9, 10) * self.sigma_us, after.ravel()]) + self.mean_us
        knots = np.concatenate([scales, efficiency.breakpoints])

        def seen(density: Callable[[Array], Array]) -> Array:
            return integrate_bins(lambda t: density(t) * efficiency(t), edges, knots)

        return {"prompt": seen(self.prompt), "delayed": seen(self.delayed)}


def decay_after_pulse(t: ArrayLike, mean_us: float, sigma_us: float, lifetime_us: float) -> Array:
    """Return the density of a Gaussian pulse folded with a decay, normalised to 1.

    g(t) = (1/2τ) e^{σ²/2τ² - (t - m)/τ} erfc(z),   z = [σ/τ - (t - m)/σ]/√2

    The mean m, the width σ, the lifetime τ and the times t are in us. g, in 1/us and the shape of `t`,
    neither overflows nor cancels at any t.

    >>> print(decay_after_pulse([0.44, 5.0, 1e4], 0.44, 0.15, 2.197).round(6))
    [0.215697 0.05725  0.      ]
    """
    from scipy.special import erfc, erfcx  # type: ignore[import-untyped]

    u, ratio = (np.asarray(t, dtype=float) - mean_us) / sigma_us, sigma_us / lifetime_us
    z = (ratio - u) / math.sqrt(2)
    # e^{ratio²/2 - ratio u} = e^{z² - u²/2}: the first form is safe for z >= 0, the second for z < 0
    rising = np.exp(-(u**2) / 2) * erfcx(np.maximum(z, 0.0))
    falling = np.exp(np.minimum(ratio**2 / 2 - ratio * u, 0.0)) * erfc(np.minimum(z, 0.0))
    return np.asarray(np.where(z >= 0, rising, falling) / (2 * lifetime_us))


def integrate_bins(density: Callable[[Array], Array], edges: Array, knots: Array) -> Array:
    """Return ∫ dt density(t) over each bin, shape (bins,), by Gauss-Legendre between edges and knots.

    The density is smooth between neighbouring knots, which come in any order; those outside the ascending
    edges, shape (bins + 1,), are left out.

    >>> print(integrate_bins(np.abs, np.array([-1.0, 1.0, 2.0]), np.array([0.0])).round(12))
    [1.  1.5]
    """
    splits = np.unique(np.concatenate([edges, knots[(knots > edges[0]) & (knots < edges[-1])]]))
    x, w = np.polynomial.legendre.leggauss(_POINTS_PER_PANEL)
    half, middle = np.diff(splits) / 2, (splits[1:] + splits[:-1]) / 2
    panels = half * (density(middle[:, np.newaxis] + half[:, np.newaxis] * x) @ w)
    return np.asarray(np.add.reduceat(panels, np.searchsorted(splits, edges[:-1])))

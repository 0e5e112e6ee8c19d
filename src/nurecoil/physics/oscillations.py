"""Oscillations into a fourth neutrino over a short baseline, where the three others have not begun to."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from nurecoil.arithmetic import Array

PHASE: Final = 1e-12 * 1e15 / (4 * 197.3269804)  # of Δm² L/E in eV² m/MeV, 1/4ħc: 1.267
DM2_MAX: Final = 100.0  # eV²


def disappeared(dm2: ArrayLike, E: ArrayLike, baseline_m: float, extent_m: float) -> Array:
    """Return sin²(Δm² L/4E), the mean over a flat distribution of baselines of width `extent_m`.

    [1 - cos(2φ) sin(d)/d]/2,   φ = 1.267 Δm²[eV²] L[m]/E[MeV],   d = φ extent/L

    >>> print(disappeared(1.0, 30.0, 19.3, 0.0).round(4))
    0.5296
    """
    per_m = PHASE * np.asarray(dm2, dtype=float) / np.asarray(E, dtype=float)
    return np.asarray((1 - np.cos(2 * per_m * baseline_m) * np.sinc(per_m * extent_m / np.pi)) / 2)

"""The spins of protons and neutrons in a nucleus, which axial and tensor currents see.

The table is `spins.toml`, whose comments say where its numbers are from.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.polynomial.polynomial import polyval

from nurecoil.arithmetic import Array
from nurecoil.physics.constants import HBAR_C_MEV_FM
from nurecoil.physics.nuclei import Nuclide


def spin_responses(q: Array, nuclide: Nuclide, direction: str) -> Array:
    """Return F^pp, F^pn and F^nn of spins across ("transverse") or along ("longitudinal") q, shape (n, 3).

    F = 4π/(2J + 1) Σ_L <J||X_L||J> <J||X_L||J> for X = Σ' or Σ'' (Fitzpatrick:2012ix, arXiv:1203.3542), at
    momentum transfers q in MeV, shape (n,). As q → 0 they are 2/3 and 1/3 of 4 (J + 1)/J <S> <S>, and so 2
    and 1 for one nucleon. Zero without a spin, and where there is no table (`has_spin_table`).

    >>> from nurecoil.physics.nuclei import nuclide
    >>> print(spin_responses(np.zeros(1), nuclide("Cs133"), "transverse").round(4))
    [[ 0.1736 -0.0015  0.    ]]
    """
    row = _table().get(nuclide.name)
    if row is None:
        return np.zeros((len(q), 3))
    y = (q * _oscillator_fm(nuclide.A) / (2 * HBAR_C_MEV_FM)) ** 2
    if "like" in row:
        (p, n), J, number = row["spins"], row["J"], 0 if nuclide.Z % 2 else 2
        coefficients = _table()[row["like"]][direction][number]
        at_0 = 4 / 3 * (J + 1) / J * (2 if direction == "transverse" else 1)
        found = at_0 * np.outer(polyval(y, coefficients) / coefficients[0], [p * p, p * n, n * n])
    else:
        found = np.stack([polyval(y, coefficients) for coefficients in row[direction]], axis=-1)
    return np.asarray(np.exp(-2 * y)[:, np.newaxis] * found)


def has_spin_table(nuclide: Nuclide) -> bool:
    """Return whether the spins of a nuclide are known here; without a spin there is nothing to know."""
    return nuclide.name in _table() or nuclide.Z % 2 == nuclide.N % 2 == 0


def _oscillator_fm(A: int) -> float:
    """Return the oscillator length b, b² = 41.467/(45 A^(-1/3) - 25 A^(-2/3)) fm² (Fitzpatrick:2012ix)."""
    return float(np.sqrt(41.467 / (45 * A ** (-1 / 3) - 25 * A ** (-2 / 3))))


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(resources.files("nurecoil.physics").joinpath("spins.toml").read_text("utf-8"))

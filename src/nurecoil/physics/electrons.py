"""Electrons of an atom as targets: how many a recoil of energy T can free.

The table is `electrons.csv`, whose header says where its numbers are from.
"""

import csv
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import ArrayLike

from nurecoil.arithmetic import Array
from nurecoil.errors import NurecoilError


def electrons_freed(symbol: str, T: ArrayLike) -> Array:
    """Return Z_eff(T), the number of electrons that are bound by less than T (MeV), in the shape of T.

    Free electrons with stepping. For xenon below 5 keV the relativistic random-phase approximation gives 0.8
    to 0.9 of it (J.-W. Chen et al., Phys. Lett. B 774 (2017) 656, Chen:2016eab).

    An error for an element without tabulated binding energies.

    >>> print(electrons_freed("Ge", [1e-6, 1.3e-3, 0.1]))
    [ 0. 28. 32.]
    """
    energies, numbers = _shells(symbol)
    freed = np.concatenate([[0.0], np.cumsum(numbers)])
    return np.asarray(freed[np.searchsorted(energies, T)])


def binding_energies(symbol: str) -> Array:
    """Return the energies (MeV), ascending, at which Z_eff steps."""
    return _shells(symbol)[0]


@cache
def _shells(symbol: str) -> tuple[Array, Array]:
    """Return binding energies (MeV), ascending, and the electrons of each."""
    text = resources.files("nurecoil.physics").joinpath("electrons.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
    shells = sorted(
        (1e-6 * float(r["binding_ev"]), float(r["electrons"])) for r in rows if r["element"] == symbol
    )
    if not shells:
        known = ", ".join(dict.fromkeys(r["element"] for r in rows))
        raise NurecoilError(
            f"the electrons of {symbol} have no tabulated binding energies; known are {known}"
        )
    energies, numbers = np.array(shells).T
    return energies, numbers

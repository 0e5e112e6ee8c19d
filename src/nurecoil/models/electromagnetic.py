"""What the models of neutrinos' electromagnetic properties share: one real number for each pair of flavours.

Where a property is symmetric in flavour, ν_α → ν_β is as strong as ν_β → ν_α. Phases are left out: the
Standard Model has no transitions with which these would interfere (of mass states they are those of U).
"""

from collections.abc import Callable

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.parameters import Parameter, Values
from nurecoil.physics.couplings import FLAVOURS

PAIRS = {
    (a, b): FLAVOURS[a] if a == b else FLAVOURS[a] + FLAVOURS[b] for a in range(3) for b in range(a, 3)
}  # {(0, 0): "e", (0, 1): "emu", ...}


def of_pairs(make: Callable[[str, str, bool], Parameter]) -> tuple[Parameter, ...]:
    """Return a parameter for each pair of flavours, made from its name, index and whether it is diagonal."""
    index = {name: name.replace("mu", r"\mu").replace("tau", r"\tau") for name in PAIRS.values()}
    return tuple(make(name, rf"\nu_{{{index[name]}}}", a == b) for (a, b), name in PAIRS.items())


def matrix(values: Values, prefix: str) -> Array:
    """Return the parameters called `prefix`_e, `prefix`_emu, ... as a symmetric matrix (..., 3, 3)."""
    entries = np.broadcast_arrays(*(np.asarray(values[f"{prefix}_{name}"], float) for name in PAIRS.values()))
    found = np.empty((3, 3, *entries[0].shape))
    for (a, b), entry in zip(PAIRS, entries, strict=True):
        found[a, b] = found[b, a] = entry
    return np.moveaxis(found, (0, 1), (-2, -1))

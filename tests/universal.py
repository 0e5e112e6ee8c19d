"""Couplings that are the same for every flavour."""

import numpy as np

from nurecoil.physics.couplings import flavour_diagonal


def flavour_universal(vector_p, vector_n, axial_p=0.0, axial_n=0.0, magnetic_moment=0.0):
    """Return couplings that are the same for every flavour and change none; numbers, or one a point."""
    given = (vector_p, vector_n, axial_p, axial_n, magnetic_moment)
    return flavour_diagonal(*(np.asarray(x)[..., np.newaxis] for x in given))

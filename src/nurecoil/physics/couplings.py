"""Effective low-energy neutrino couplings: what a model hands to the cross sections.

Everything new that a model can do to a nuclear recoil at energies far below its new masses enters here,
Standard Model included.
"""

import math
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Coupling = TypeVar("Coupling", float, NDArray[np.float64])

FLAVOURS = ("e", "mu", "tau")


@dataclass(frozen=True)
class Couplings:
    """Neutral-current couplings of neutrinos to nucleons, and neutrino magnetic moments.

    L = -(G_F/√2) Σ_αβ [ν̄_α γ^μ (1 - γ5) ν_β] [N̄ γ_μ (g_V^αβ - g_A^αβ γ5) N],   N = p, n

    so that in the Standard Model g_V^p = 1/2 - 2 s_W² and g_V^n = -1/2 (times δ_αβ) at tree level.

    Attributes
    ----------
    vector_p, vector_n, axial_p, axial_n : ndarray, shape (..., 3, 3)
        g_V and g_A of proton and neutron in flavour space (e, mu, tau), Standard Model included;
        real, or complex Hermitian. The leading axes are points of a scan.
    magnetic_moment : ndarray, shape (..., 3)
        Effective magnetic moment per incoming flavour, in Bohr magnetons.
    """

    vector_p: NDArray[Any]
    vector_n: NDArray[Any]
    axial_p: NDArray[Any]
    axial_n: NDArray[Any]
    magnetic_moment: NDArray[np.float64]


def flavour_diagonal(
    vector_p: ArrayLike,
    vector_n: ArrayLike,
    axial_p: ArrayLike = 0.0,
    axial_n: ArrayLike = 0.0,
    magnetic_moment: ArrayLike = 0.0,
) -> Couplings:
    """Return couplings that change no flavour.

    Each argument is a number, or an array whose last axis, of length 3 (e, mu, tau) or 1, is the flavour and
    whose others are points; they broadcast.
    """
    shape = (3,)
    arrays = np.broadcast_arrays(vector_p, vector_n, axial_p, axial_n, magnetic_moment, np.empty(shape))
    p, n, axial_of_p, axial_of_n = (x[..., np.newaxis] * np.eye(3) for x in arrays[:4])
    return Couplings(p, n, axial_of_p, axial_of_n, np.asarray(arrays[4], dtype=float))


def flavour_universal(
    vector_p: ArrayLike,
    vector_n: ArrayLike,
    axial_p: ArrayLike = 0.0,
    axial_n: ArrayLike = 0.0,
    magnetic_moment: ArrayLike = 0.0,
) -> Couplings:
    """Return couplings that are the same for every flavour and change none.

    Each argument is a number or an array (one value per point); they broadcast.
    """
    arguments = (vector_p, vector_n, axial_p, axial_n, magnetic_moment)
    return flavour_diagonal(*(np.asarray(x)[..., np.newaxis] for x in arguments))


def scaled(couplings: Couplings, factor: ArrayLike) -> Couplings:
    """Return all couplings times a factor (a number, or one per point): counts scale with its square."""
    f = np.asarray(factor, dtype=float)[..., np.newaxis, np.newaxis]
    return Couplings(
        f * couplings.vector_p,
        f * couplings.vector_n,
        f * couplings.axial_p,
        f * couplings.axial_n,
        f[..., 0] * couplings.magnetic_moment,
    )


def nucleon_couplings(up: ArrayLike, down: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return g(p) = 2 g(u) + g(d) and g(n) = g(u) + 2 g(d) (Binh et al. 2021, eqs. 26 and 27)."""
    u, d = np.asarray(up, dtype=float), np.asarray(down, dtype=float)
    return 2 * u + d, u + 2 * d


def weak_charge(vector_p: Coupling, vector_n: Coupling, Z: int, N: int) -> Coupling:
    """Return Q_W = -2 [Z g_V(p) + N g_V(n)] (Binh et al. 2021, eqs. 30 and 36).

    >>> round(weak_charge(0.5 - 2 * 0.23857, -0.5, Z=55, N=78), 4)  # N - (1 - 4 s_W²) Z
    75.4854
    """
    return -2 * (Z * vector_p + N * vector_n)


def vector_strengths(couplings: Couplings) -> NDArray[np.float64]:
    """Return what multiplies Z²F_p², ZN F_p F_n and N²F_n² in Σ_β |Q_αβ|².

    Σ_β |Z F_p g_p^αβ + N F_n g_n^αβ|² = Z²F_p² Σ|g_p|² + ZN F_p F_n 2 Re Σ g_p g_n* + N²F_n² Σ|g_n|²

    Per incoming flavour α, the three sums over outgoing flavours β, shape (..., 3, 3).
    """
    p, n = couplings.vector_p, couplings.vector_n
    # Points last in memory: each term of each flavour is written, and later read, in one run
    terms = np.empty((3, 3, *np.broadcast_shapes(p.shape, n.shape)[:-2]))
    sums = np.moveaxis(terms, (0, 1), (-2, -1))
    sums[..., 0] = _overlap(p, p)
    sums[..., 1] = 2 * _overlap(p, n)
    sums[..., 2] = _overlap(n, n)
    return sums


def _overlap(x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.float64]:
    """Return Re Σ_β x_αβ y*_αβ."""
    if np.iscomplexobj(x) or np.iscomplexobj(y):
        return _overlap(x.real, y.real) + _overlap(x.imag, y.imag)
    sums: NDArray[np.float64] = np.einsum("...ab,...ab->...a", x, y)
    return sums


def strengths(couplings: Couplings) -> NDArray[np.float64]:
    """Return all that expected counts are linear in, shape (points, 12).

    The nine of `vector_strengths`, flavour by flavour, then the magnetic moments squared: with the templates
    of an experiment, counts are one matrix product. Without points, there is one.
    """
    vector = vector_strengths(couplings)
    moments = couplings.magnetic_moment**2
    points = np.broadcast_shapes(vector.shape[:-2], moments.shape[:-1])
    flat = np.empty((12, math.prod(points)))
    flat[:9] = np.moveaxis(np.broadcast_to(vector, (*points, 3, 3)), (-2, -1), (0, 1)).reshape(9, -1)
    flat[9:] = np.moveaxis(np.broadcast_to(moments, (*points, 3)), -1, 0).reshape(3, -1)
    return flat.T

"""Effective low-energy neutrino couplings: what a model hands to the cross sections.

Everything new that a model can do to a recoil enters here, Standard Model included.
"""

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Coupling = TypeVar("Coupling", float, NDArray[np.float64])

FLAVOURS = ("e", "mu", "tau")
CONTACT: Final = 2e3  # MeV, of a mediator between electrons and nuclei: (157 MeV)² is 0.6 % of its square
AMPLITUDES = ("vector_p", "vector_n", "axial_p", "axial_n", "electron_left", "electron_right")


@dataclass(frozen=True)
class Exchange:
    """A mediator of any mass: what it adds to an amplitude is a product of couplings over q² + m².

    These, of shape (..., 3, 3), are for a vector what is added to g_V^p, g_V^n, g_L and g_R of electrons,
    times q² + m², in MeV²; for a scalar, g_ν g_p and g_ν g_n, and for a tensor what is added to tensor_p and
    tensor_n times q² + m².

    A vector may couple to electric charge by a loop as well, by more at one q than at another: `charge` times
    loop(q) is added to `proton`, and minus half of it to both of `electron_left` and `electron_right`.
    """

    mass: NDArray[np.float64]  # m in MeV, up to infinity, shape (...)
    proton: NDArray[Any]
    neutron: NDArray[Any]
    electron_left: NDArray[Any]
    electron_right: NDArray[Any]
    _: KW_ONLY
    charge: NDArray[Any] | None = None
    loop: Callable[[ArrayLike], NDArray[np.float64]] | None = None


@dataclass(frozen=True)
class Fourth:
    """A fourth neutrino: its shape parameter (...) and, by flavour (..., 3), how it comes from the others.

    For a transition m_4 in MeV and moments in Bohr magnetons, for a mixing Δm² in eV² and amplitudes U_α4.
    """

    shape: NDArray[np.float64]
    by_flavour: NDArray[np.float64]


@dataclass(frozen=True)
class Couplings:
    """Couplings of neutrinos to nucleons and electrons, and neutrino magnetic moments.

    L = -(G_F/√2) Σ_αβ [ν̄_α γ^μ (1 - γ5) ν_β] [N̄ γ_μ (g_V^αβ - g_A^αβ γ5) N]
        - 2√2 G_F Σ_αβ [ν̄_α γ^μ P_L ν_β] [ē γ_μ (g_L^αβ P_L + g_R^αβ P_R) e],   N = p, n

    so that in the Standard Model g_V^p = 1/2 - 2 s_W² and g_V^n = -1/2 (times δ_αβ) at tree level; g_L has
    the charged current, too.

    Attributes
    ----------
    vector_p, vector_n, axial_p, axial_n : ndarray, shape (..., 3, 3)
        g_V and g_A of proton and neutron in flavour space (e, mu, tau), Standard Model included;
        real, or complex Hermitian. The leading axes are points of a scan.
    magnetic_moment : ndarray, shape (..., 3)
        Effective magnetic moment per incoming flavour, in Bohr magnetons.
    weak_p, weak_n : ndarray, shape (...), optional
        Weak charges of proton and neutron by parity violation with electrons, -4 g_A^e g_V at tree level.
    electron_left, electron_right : ndarray, shape (..., 3, 3), optional
        g_L and g_R, of a model that says how neutrinos scatter on electrons.
    quark_spins : (float, float), optional
        Δu and Δd, the share of u and d in the spin of a proton (of d and u in a neutron's), of a model that
        keeps the axial part. Like vector_p and vector_n, axial_p and axial_n count quarks, 2u + d and u + 2d.
    tensor_p, tensor_n : ndarray, shape (..., 3, 3), optional
        ε of L = -2√2 G_F Σ_αβ ε_αβ [ν̄_α σ^μν P_L ν_β] [N̄ σ_μν N] + h.c., which add to the counts.
    light_vector, light_scalar, light_tensor : Exchange, optional
        Of a model with such a mediator. The vector interferes, the others do not.
    neutron_radii : mapping of str to ndarray, shape (...), optional
        R_n in fm of groups of elements (`nurecoil.physics.radii`), which take the place of the card's.
    transition, mixing : optional
        Of a model with a heavy neutrino that a photon makes, or with one that the others oscillate into.

    Examples
    --------
    >>> from nurecoil import STANDARD_MODEL
    >>> couplings = STANDARD_MODEL.couplings(sin2_theta_w=0.25)
    >>> float(couplings.vector_p[0, 0]), float(couplings.vector_n[0, 0])
    (0.0, -0.5)
    """

    vector_p: NDArray[Any]
    vector_n: NDArray[Any]
    axial_p: NDArray[Any]
    axial_n: NDArray[Any]
    magnetic_moment: NDArray[np.float64]
    weak_p: NDArray[np.float64] | None = None
    weak_n: NDArray[np.float64] | None = None
    electron_left: NDArray[Any] | None = None
    electron_right: NDArray[Any] | None = None
    quark_spins: tuple[float, float] | None = None
    light_vector: Exchange | None = None
    light_scalar: Exchange | None = None
    tensor_p: NDArray[Any] | None = None
    tensor_n: NDArray[Any] | None = None
    light_tensor: Exchange | None = None
    neutron_radii: Mapping[str, NDArray[np.float64]] | None = None
    transition: Fourth | None = None
    mixing: Fourth | None = None


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
    given = vector_p, vector_n, axial_p, axial_n, magnetic_moment
    rows = np.empty((len(given), *np.broadcast(*given, np.empty(3)).shape))
    for row, values in zip(rows, given, strict=True):
        row[...] = values
    p, n, a_p, a_n = rows[:4, ..., np.newaxis] * np.eye(3)
    return Couplings(p, n, a_p, a_n, rows[4])


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

"""Differential cross sections of neutrino-nucleus scattering: one function, one equation.

T is the recoil energy, E the neutrino energy and M the nuclear mass, all in MeV; they broadcast. Every
cross section is zero outside 0 < T <= 2E²/(M + 2E), and nowhere negative.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nurecoil.arithmetic import Array
from nurecoil.physics.constants import ELECTRON_MASS, FERMI_CONSTANT, FINE_STRUCTURE, MEV_M2_TO_CM2


@dataclass(frozen=True)
class Conventions:
    """Which terms of the cross sections are kept; Binh et al. (2021) have each the other way round."""

    vector_recoil_term: bool = True  # -T/E in the vector cross section (eq. 28 there)
    magnetic_recoil_term: bool = False  # +T/4E² in the magnetic one (eq. 35 there)
    magnetic_form_factor: bool = True  # F_p² in the magnetic one


def recoil_energy_max(E: ArrayLike, M: ArrayLike) -> Array:
    """Return the largest recoil energy, T_max = 2E²/(M + 2E), in MeV.

    >>> round(float(recoil_energy_max(52.83, 123772.54)) * 1e3, 2)  # keV, Cs-133
    45.06
    """
    E, M = _floats(E, M)
    return 2 * E**2 / (M + 2 * E)


def neutrino_energy_min(T: ArrayLike, M: ArrayLike) -> Array:
    """Return the smallest neutrino energy that gives a recoil T, E_min = [T + √(T² + 2MT)]/2, in MeV."""
    T, M = _floats(T, M)
    return (T + np.sqrt(T**2 + 2 * M * T)) / 2


def momentum_transfer(T: ArrayLike, M: ArrayLike) -> Array:
    """Return q = √(2MT) in MeV."""
    T, M = _floats(T, M)
    return np.sqrt(2 * M * T)


def vector_kernel(T: ArrayLike, E: ArrayLike, M: ArrayLike, *, recoil_term: bool = True) -> Array:
    """Return 1 - [T/E] - MT/2E² where kinematics allow it, else 0.

    `recoil_term` keeps the term in brackets (Binh et al. 2021, eq. 28: dropped).
    """
    T, E, M = _floats(T, E, M)
    kernel = 1 - M * T / (2 * E**2) - (T / E if recoil_term else 0.0)
    return np.where(_allowed(T, E, M), np.maximum(kernel, 0.0), 0.0)


def magnetic_kernel(T: ArrayLike, E: ArrayLike, M: ArrayLike, *, recoil_term: bool = False) -> Array:
    """Return 1/T - 1/E [+ T/4E²] in 1/MeV where kinematics allow it, else 0.

    `recoil_term` keeps the term in brackets (Vogel & Engel 1989; Binh et al. 2021, eq. 35).
    """
    T, E, M = _floats(T, E, M)
    allowed = _allowed(T, E, M)
    kernel = 1 / np.where(allowed, T, 1.0) - 1 / E + (T / (4 * E**2) if recoil_term else 0.0)
    return np.where(allowed, np.maximum(kernel, 0.0), 0.0)


def axial_kernel(T: ArrayLike, E: ArrayLike, M: ArrayLike, *, recoil_term: bool = True) -> Array:
    """Return 1 - [T/E] + MT/2E² where kinematics allow it, else 0 (Hoferichter:2020osn).

    `recoil_term` keeps the term in brackets, as in `vector_kernel`.
    """
    T, E, M = _floats(T, E, M)
    kernel = 1 + M * T / (2 * E**2) - (T / E if recoil_term else 0.0)
    return np.where(_allowed(T, E, M), kernel, 0.0)


def upscattering_kernel(
    T: ArrayLike, E: ArrayLike, M: ArrayLike, m: ArrayLike, *, recoil_term: bool = False
) -> Array:
    """Return the kernel of ν -> N_4, of mass m, by a magnetic transition, in 1/MeV; 0 outside kinematics.

    1/T - 1/E + [r (T - 2E - M) + r² (T - M)]/2E² [+ T (1 + r)(1 - 2r)/4E²],   r = m²/2MT

    For a target of spin 1/2 and, with the term in brackets, of spin 0: the squared amplitudes, by traces in
    the tests. At m = 0 it is `magnetic_kernel`.
    """
    T, E, M, m = _floats(T, E, M, m)
    allowed = (T > 0) & (upscattering_energy_min(T, M, m) <= E)
    T = np.where(allowed, T, E)
    r = m**2 / (2 * M * T)
    kernel = 1 / T - 1 / E + r * ((T - 2 * E - M) + r * (T - M)) / (2 * E**2)
    if recoil_term:
        kernel = kernel + T * (1 + r) * (1 - 2 * r) / (4 * E**2)
    return np.where(allowed, np.maximum(kernel, 0.0), 0.0)


def upscattering_energy_min(T: ArrayLike, M: ArrayLike, m: ArrayLike) -> Array:
    """Return the smallest energy of a neutrino that makes a mass m with a recoil T: E_min (1 + m²/2MT)."""
    T, M, m = _floats(T, M, m)
    with np.errstate(divide="ignore", invalid="ignore"):
        return neutrino_energy_min(T, M) * (1 + m**2 / (2 * M * T))


def upscattering_recoils(E: ArrayLike, M: ArrayLike, m: ArrayLike) -> tuple[Array, Array]:
    """Return the smallest and the largest recoil with which E makes a mass m <= `heaviest`, in MeV."""
    E, M, m = _floats(E, M, m)
    s = M**2 + 2 * M * E
    before, after = M * E / np.sqrt(s), (s + m**2 - M**2) / (2 * np.sqrt(s))  # energies in the rest frame
    high = (2 * before * (after + np.sqrt(np.maximum(after**2 - m**2, 0.0))) - m**2) / (2 * M)
    return m**4 / (4 * s * high), high


def heaviest(E: ArrayLike, M: ArrayLike) -> Array:
    """Return the largest mass that a neutrino of E makes on M: √(M² + 2ME) - M, in MeV."""
    E, M = _floats(E, M)
    return 2 * M * E / (np.sqrt(M**2 + 2 * M * E) + M)


def scalar_kernel(T: ArrayLike, E: ArrayLike, M: ArrayLike) -> Array:
    """Return T/E² in 1/MeV where kinematics allow it, else 0 (Cerdeno:2016sfi; T << M)."""
    T, E, M = _floats(T, E, M)
    return np.where(_allowed(T, E, M), T / E**2, 0.0)


def tensor_kernel(T: ArrayLike, E: ArrayLike, M: ArrayLike) -> Array:
    """Return (2 - T/E)² - MT/E² where kinematics allow it, else 0 (AristizabalSierra:2018eqm has T << E)."""
    T, E, M = _floats(T, E, M)
    return np.where(_allowed(T, E, M), (2 - T / E) ** 2 - M * T / E**2, 0.0)


def electron_kernels(T: ArrayLike, E: ArrayLike, M: ArrayLike) -> tuple[Array, Array, Array]:
    """Return 1, (1 - T/E)² and -MT/E² where kinematics allow them, else 0 ('t Hooft 1971).

    What multiplies g_L², g_R² and g_L g_R of neutrinos that hit a free electron of mass M.
    """
    T, E, M = _floats(T, E, M)
    allowed = _allowed(T, E, M)
    kernels = np.ones_like(T / E), (1 - T / E) ** 2, -M * T / E**2
    one, square, mixed = (np.where(allowed, kernel, 0.0) for kernel in kernels)
    return one, square, mixed


def scalar_prefactor(M: float) -> float:
    """Return M²/4π in cm² MeV⁴: the scalar cross section over |Q|²/(q² + m²)² and its kernel."""
    return M**2 / (4 * np.pi) * MEV_M2_TO_CM2


def electron_prefactor(M: float) -> float:
    """Return 2G_F²M/π in cm²/MeV: the cross section with a free electron over couplings and kernels."""
    return 2 * FERMI_CONSTANT**2 * M / np.pi * MEV_M2_TO_CM2


def tensor_prefactor(M: float) -> float:
    """Return 8G_F²M/π in cm²/MeV: the tensor cross section over |Q|² and its kernel, for L = 2√2 G_F Q."""
    return 8 * vector_prefactor(M)


def vector_prefactor(M: float) -> float:
    """Return G_F² M/π in cm²/MeV: the vector cross section over |Q|² and its kernel."""
    return FERMI_CONSTANT**2 * M / np.pi * MEV_M2_TO_CM2


def magnetic_prefactor(M: float) -> float:
    """Return πα²/m_e² in cm², whatever M: the magnetic cross section over μ²Z²F_p² and its kernel."""
    return np.pi * FINE_STRUCTURE**2 / ELECTRON_MASS**2 * MEV_M2_TO_CM2


def vector(T: ArrayLike, E: ArrayLike, M: float, Q: ArrayLike, *, recoil_term: bool = True) -> Array:
    """Return dσ/dT = (G_F² M/π) |Q|² (1 - [T/E] - MT/2E²) in cm²/MeV.

    Q = Z g_V^p F_p(q²) + N g_V^n F_n(q²) = -Q_W/2 for F = 1; `recoil_term` keeps the term in brackets.
    """
    strength: Array = np.abs(Q) ** 2
    return vector_prefactor(M) * strength * vector_kernel(T, E, M, recoil_term=recoil_term)


def _allowed(T: Array, E: Array, M: Array) -> NDArray[np.bool_]:
    """Return whether kinematics allow a recoil: 0 < T <= T_max."""
    return np.asarray((T > 0) & (recoil_energy_max(E, M) >= T))


def _floats(*values: ArrayLike) -> tuple[Array, ...]:
    return tuple(np.asarray(value, dtype=float) for value in values)

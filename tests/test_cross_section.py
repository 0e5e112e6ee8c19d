"""Cross sections against kinematics, closed forms and constants from elsewhere."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

import reference
from nurecoil.physics import cross_section as cs

ENERGIES = st.floats(1e-3, 300.0)  # MeV
MASSES = st.floats(1e4, 2.5e5)  # MeV, carbon to uranium
TERMS = st.booleans()

CAESIUM = reference.nuclear_mass("Cs133")
G_F_GEV = 1.1663787e-5  # GeV^-2, PDG
GEV2_CM2 = 0.3893793721e-27  # (ħc)² in GeV² cm², PDG
CLASSICAL_ELECTRON_RADIUS_CM = 2.8179403205e-13  # CODATA 2022


# --- kinematics ---------------------------------------------------------------------------------------


@given(ENERGIES, MASSES)
def test_largest_recoil_is_backscattering(E, M):
    T = cs.recoil_energy_max(E, M)
    momentum = math.sqrt(T**2 + 2 * M * T)
    assert momentum == pytest.approx(E + (E - T), rel=1e-9)  # p_before = -p_after + p_nucleus


@given(ENERGIES, MASSES)
def test_smallest_neutrino_energy_inverts_largest_recoil(E, M):
    assert cs.neutrino_energy_min(cs.recoil_energy_max(E, M), M) == pytest.approx(E, rel=1e-9)


def test_recoil_limits_of_the_stopped_pion_source():
    # 2 E²/(M + 2E) for E = m_mu/2 = 52.83 MeV, keV
    largest = [cs.recoil_energy_max(52.8292, reference.nuclear_mass(n)) * 1e3 for n in ("Cs133", "Ar40")]
    assert largest == pytest.approx([45.06, 149.56], rel=1e-4)


def test_momentum_transfer():
    assert cs.momentum_transfer(0.01, CAESIUM) == pytest.approx(49.7539, rel=1e-5)  # √(2 · 0.01 · 123772.5)
    np.testing.assert_allclose(cs.momentum_transfer([0.0, 2.0], [1.0, 4.0]), [0.0, 4.0])


# --- vector -------------------------------------------------------------------------------------------


@given(st.floats(1e-9, 20.0), ENERGIES, MASSES, st.floats(-100, 100), TERMS)
def test_vector_is_never_negative_and_zero_above_the_largest_recoil(T, E, M, Q, term):
    rate = float(cs.vector(T, E, M, Q, recoil_term=term))
    assert rate >= 0
    if cs.recoil_energy_max(E, M) < T:
        assert rate == 0
    elif 0.99 * cs.recoil_energy_max(E, M) > T and abs(Q) > 1e-3:
        assert rate > 0


@given(ENERGIES, MASSES)
def test_helicity_forbids_backscattering(E, M):
    # 1 - T/E - MT/2E² vanishes at T_max: a left-handed neutrino cannot turn round off a spinless nucleus
    T = float(cs.recoil_energy_max(E, M)) * (1 - 1e-12)
    assert float(cs.vector_kernel(T, E, M)) == pytest.approx(0.0, abs=1e-9)
    # without T/E, as in the seed's eq. 28, 2E/(M + 2E) is left over
    left_over = float(cs.vector_kernel(T, E, M, recoil_term=False))
    assert left_over == pytest.approx(2 * E / (M + 2 * E), rel=1e-9, abs=2e-12)


def test_no_cross_section_without_a_recoil():
    assert cs.vector(-0.01, 30.0, CAESIUM, 37.7) == 0
    assert cs.vector(0.0, 30.0, CAESIUM, 37.7) == 0
    assert magnetic(0.0, 30.0, CAESIUM, 55, 1e-10) == 0


@given(ENERGIES, MASSES, TERMS)
def test_the_cut_is_at_the_largest_recoil_itself(E, M, term):
    # the seed's kernel and the magnetic one are not zero there: only the cut ends them
    above = float(cs.recoil_energy_max(E, M)) * (1 + 1e-9)
    assert cs.vector_kernel(above, E, M, recoil_term=term) == 0
    assert cs.magnetic_kernel(above, E, M, recoil_term=term) == 0


def test_vector_kernel_by_hand():
    # E = 50, M = 1e5, T = 0.02: 1 - 0.02/50 - 1e5·0.02/(2·2500) = 1 - 0.0004 - 0.4
    assert cs.vector_kernel(0.02, 50.0, 1e5) == pytest.approx(0.5996, rel=1e-12)
    assert cs.vector_kernel(0.02, 50.0, 1e5, recoil_term=False) == pytest.approx(0.6, rel=1e-12)


@pytest.mark.parametrize("term", [True, False])
@pytest.mark.parametrize("E", [0.01, 1.0])
def test_total_vector_cross_section_at_low_energy(E, term):
    # σ = G_F² Q_W² E²/4π for F = 1 and T << E (Freedman 1974), here in GeV and cm²
    Q_W = 78 - (1 - 4 * 0.23857) * 55
    closed = G_F_GEV**2 * Q_W**2 * (E * 1e-3) ** 2 / (4 * math.pi) * GEV2_CM2
    T_max = float(cs.recoil_energy_max(E, CAESIUM))
    total, _ = quad(lambda T: float(cs.vector(T, E, CAESIUM, -Q_W / 2, recoil_term=term)), 0, T_max, epsabs=0)
    assert total == pytest.approx(closed, rel=4 * E / CAESIUM + 1e-6)


def test_total_vector_cross_section_in_numbers():
    # G_F²/4π = 4.2155e-45 cm²/MeV² per unit of Q_W²: 75.4854² · (30 MeV)² gives 2.162e-38 cm²
    T_max = float(cs.recoil_energy_max(30.0, CAESIUM))
    total, _ = quad(lambda T: float(cs.vector(T, 30.0, CAESIUM, 75.4854 / 2)), 0, T_max, epsabs=0)
    assert total == pytest.approx(2.162e-38, rel=2e-3)


@given(st.floats(1e-6, 0.04), st.floats(-100, 100), TERMS)
def test_sign_of_the_charge_changes_nothing_and_the_square_counts(T, Q, term):
    rate, flipped, doubled = (float(cs.vector(T, 52.0, CAESIUM, k * Q, recoil_term=term)) for k in (1, -1, 2))
    assert rate == flipped
    assert doubled == pytest.approx(4 * rate, rel=1e-14)


def test_a_complex_charge_counts_with_its_modulus():
    assert cs.vector(0.01, 50.0, CAESIUM, 3 + 4j) == pytest.approx(cs.vector(0.01, 50.0, CAESIUM, 5.0))


# --- magnetic moment ----------------------------------------------------------------------------------


def magnetic(T, E, M, Z, moment, recoil_term=False):
    """dσ/dT in cm²/MeV of a point nucleus with a moment in Bohr magnetons."""
    return cs.magnetic_prefactor(M) * (moment * Z) ** 2 * cs.magnetic_kernel(T, E, M, recoil_term=recoil_term)


@given(st.floats(1e-9, 20.0), ENERGIES, MASSES, st.floats(0, 1e-9), TERMS)
def test_magnetic_is_never_negative_and_zero_above_the_largest_recoil(T, E, M, moment, term):
    rate = float(magnetic(T, E, M, 55.0, moment, recoil_term=term))
    assert rate >= 0
    if cs.recoil_energy_max(E, M) < T:
        assert rate == 0


def test_magnetic_prefactor_is_the_classical_electron_radius():
    # α/m_e = r_e, so πα²/m_e² = π r_e² = 0.24946 b
    assert cs.magnetic_prefactor(CAESIUM) == pytest.approx(
        math.pi * CLASSICAL_ELECTRON_RADIUS_CM**2, rel=1e-8
    )


def test_magnetic_cross_section_by_hand():
    # T = 10 keV, E = 30 MeV, Z = 55, μ = 2.9e-11 (GEMMA): 2.49467e-25 · 8.41e-22 · 3025 · (100 - 1/30)
    by_hand = 2.494672e-25 * 8.41e-22 * 3025 * (100 - 1 / 30)
    assert magnetic(0.01, 30.0, CAESIUM, 55, 2.9e-11) == pytest.approx(by_hand, rel=1e-6)
    assert by_hand == pytest.approx(6.344e-41, rel=1e-3)  # cm²/MeV
    with_term = 2.494672e-25 * 8.41e-22 * 3025 * (100 - 1 / 30 + 0.01 / (4 * 900))  # seed, eq. 35
    got = magnetic(0.01, 30.0, CAESIUM, 55, 2.9e-11, recoil_term=True)
    assert got == pytest.approx(with_term, rel=1e-6)
    assert cs.magnetic_kernel(1.0, 200.0, 1e4, recoil_term=True) == pytest.approx(1 - 1 / 200 + 1 / 160000)


@pytest.mark.parametrize("term", [True, False])
def test_magnetic_kernel_integrates_to_its_closed_form(term):
    E, T0, T1 = 40.0, 1e-3, float(cs.recoil_energy_max(40.0, 1e5))
    closed = math.log(T1 / T0) - (T1 - T0) / E + term * (T1**2 - T0**2) / (8 * E**2)
    total, _ = quad(lambda T: float(cs.magnetic_kernel(T, E, 1e5, recoil_term=term)), T0, T1, epsabs=0)
    assert total == pytest.approx(closed, rel=1e-9)


def test_magnetic_grows_with_the_squares_of_moment_and_charge():
    unit = float(magnetic(0.01, 30.0, CAESIUM, 1.0, 1e-11))
    assert magnetic(0.01, 30.0, CAESIUM, 3.0, 2e-11) == pytest.approx(36 * unit, rel=1e-13)


def test_weak_part_dominates_the_magnetic_one_as_in_figure_3():
    # seed, section IV: "orders greater" at μ_ν = 2.9e-11 μ_B for T of keV
    T = np.array([1e-3, 5e-3, 20e-3])
    weak = cs.vector(T, 52.0, CAESIUM, 37.7, recoil_term=False)
    assert np.all(weak > 100 * magnetic(T, 52.0, CAESIUM, 55, 2.9e-11, recoil_term=True))

"""Couplings: quarks to nucleons to nuclei, and the quadratic form that a recoil spectrum needs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nurecoil.experiment import STANDARD_BASIS
from nurecoil.physics.couplings import FLAVOURS, Couplings, nucleon_couplings, weak_charge
from nurecoil.physics.products import stacked, vector_products
from universal import flavour_universal

ENTRIES = st.floats(-2, 2)
COMPLEX = arrays(complex, (3, 3), elements=st.complex_numbers(max_magnitude=2))


def hermitian(matrix):
    return (matrix + matrix.conj().T) / 2


def with_vector(p, n):
    zero = np.zeros((3, 3))
    return Couplings(p, n, zero, zero, np.zeros(3))


def test_proton_is_uud_and_neutron_is_udd():
    p, n = nucleon_couplings(up=3.0, down=5.0)
    assert (p, n) == (11.0, 13.0)  # 2·3 + 5, 3 + 2·5


@pytest.mark.parametrize(("Z", "N"), [(55, 78), (53, 74), (18, 22)])
def test_weak_charge_of_the_standard_model(Z, N):
    s2 = 0.23857
    expected = N - (1 - 4 * s2) * Z  # seed, eq. 30
    assert weak_charge(0.5 - 2 * s2, -0.5, Z, N) == pytest.approx(expected, rel=1e-14)


def test_flavour_universal_is_diagonal_and_broadcasts_over_points():
    points = np.array([0.1, 0.2])
    couplings = flavour_universal(points, -0.5, 1.0, [2.0, 3.0], magnetic_moment=4e-11)
    assert couplings.vector_p.shape == (2, 3, 3)
    assert couplings.magnetic_moment.shape == (2, 3)
    np.testing.assert_array_equal(couplings.vector_p[1], 0.2 * np.eye(3))
    np.testing.assert_array_equal(couplings.vector_n[0], -0.5 * np.eye(3))
    np.testing.assert_array_equal(couplings.axial_p[1], np.eye(3))
    np.testing.assert_array_equal(couplings.axial_n[1], 3.0 * np.eye(3))
    np.testing.assert_array_equal(couplings.magnetic_moment[0], [4e-11] * 3)


def test_strengths_of_one_universal_point_by_hand():
    # |2 Z - 3 N|² = 4 Z² - 12 ZN + 9 N²
    found = stacked(vector_products(flavour_universal(2.0, -3.0, 0.0, 0.0)))
    np.testing.assert_allclose(found, [[4.0, -12.0, 9.0]] * 3, rtol=1e-15)


def test_strengths_follow_the_incoming_flavour():
    p, n = np.diag([1.0, 2.0, 3.0]), np.diag([0.0, 1.0, -1.0])
    found = stacked(vector_products(with_vector(p, n)))
    assert FLAVOURS == ("e", "mu", "tau")
    np.testing.assert_array_equal(found, [[1, 0, 0], [4, 4, 1], [9, -6, 1]])


@given(COMPLEX, COMPLEX, st.floats(0, 100), st.floats(0, 100))
def test_strengths_are_the_sum_over_outgoing_flavours_also_complex_and_changing(p, n, Z, N):
    p, n = hermitian(p), hermitian(n)
    form = stacked(vector_products(with_vector(p, n))) @ np.array([Z * Z, Z * N, N * N])
    for a in range(3):
        direct = sum(abs(Z * p[a, b] + N * n[a, b]) ** 2 for b in range(3))
        rounding = 1e-14 * sum((abs(Z * p[a, b]) + abs(N * n[a, b])) ** 2 for b in range(3))
        assert form[a] == pytest.approx(direct, rel=1e-9, abs=1e-9 + rounding)


@given(COMPLEX, COMPLEX)
def test_the_sign_of_all_charges_changes_nothing(p, n):
    np.testing.assert_array_equal(
        stacked(vector_products(with_vector(p, n))), stacked(vector_products(with_vector(-p, -n)))
    )


@given(ENTRIES, ENTRIES, st.floats(0, 100), st.floats(0, 100))
def test_a_universal_strength_is_the_weak_charge_squared_over_four(g_p, g_n, Z, N):
    form = stacked(vector_products(flavour_universal(g_p, g_n, 0.0, 0.0)))[0] @ np.array(
        [Z * Z, Z * N, N * N]
    )
    rounding = 1e-14 * (abs(Z * g_p) + abs(N * g_n)) ** 2
    assert form == pytest.approx(weak_charge(g_p, g_n, Z, N) ** 2 / 4, rel=1e-9, abs=1e-9 + rounding)


def test_all_strengths_of_one_point_by_hand():
    # flavour by flavour |p|², 2 p·n, |n|²; then the moments squared
    p, n, zero = np.diag([1.0, 2.0, 3.0]), np.diag([0.0, 1.0, -1.0]), np.zeros((3, 3))
    found = STANDARD_BASIS.strengths(Couplings(p, n, zero, zero, np.array([2.0, 3.0, 5.0])))
    np.testing.assert_array_equal(found, [[1, 0, 0, 4, 4, 1, 9, -6, 1, 4, 9, 25]])


@pytest.mark.parametrize("moment", [1.0, np.array([1.0, 2.0])], ids=["one moment", "two moments"])
@pytest.mark.parametrize("vector", [0.3, np.array([0.3, 0.4])], ids=["one charge", "two charges"])
def test_all_strengths_have_a_row_for_each_point(vector, moment):
    found = STANDARD_BASIS.strengths(flavour_universal(vector, -0.5, magnetic_moment=moment))
    points = max(np.size(vector), np.size(moment))
    assert found.shape == (points, 12)
    for number in range(points):
        g = np.broadcast_to(vector, points)[number]
        mu = np.broadcast_to(moment, points)[number]
        expected = [g**2, -g, 0.25] * 3 + [mu**2] * 3
        np.testing.assert_allclose(found[number], expected, rtol=1e-15)

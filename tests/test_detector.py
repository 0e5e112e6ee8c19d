"""Detectors: observable, bins and efficiencies by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reference
from nurecoil.detector import ConstantEfficiency, Detector, LogisticEfficiency, TabulatedEfficiency

COHERENT = LogisticEfficiency(0.6655, 0.4942, 10.8507, ((5.0, 0.5), (6.0, 1.0)))  # arXiv:1804.09459


def at(efficiency, *x):
    return efficiency(np.array(x, dtype=float))


def test_coherent_efficiency_by_hand():
    # half of a at x0; a/(1 + e^(0.4942·0.8507)) at 10; half that curve from 5 to 6 PE, nothing below 5
    assert at(COHERENT, 10.8507)[0] == pytest.approx(0.6655 / 2, rel=1e-12)
    assert at(COHERENT, 10.0)[0] == pytest.approx(0.6655 / (1 + 1.52270), rel=1e-4)
    assert at(COHERENT, 100.0)[0] == pytest.approx(0.6655, rel=1e-9)
    curve = 0.6655 / (1 + np.exp(-0.4942 * (5.5 - 10.8507)))
    np.testing.assert_allclose(at(COHERENT, 4.999, 5.5), [0.0, curve / 2], rtol=1e-12)


def test_the_steps_begin_at_their_own_point():
    flat = LogisticEfficiency(1.0, 1e3, -10.0, ((5.0, 0.5), (6.0, 1.0)))
    np.testing.assert_allclose(at(flat, 4.9, 5.0, 5.9, 6.0, 60.0), [0, 0.5, 0.5, 1, 1])
    assert flat.breakpoints == (5.0, 6.0)


def test_without_steps_the_curve_is_bare():
    bare = LogisticEfficiency(0.8, 1.0, 0.0)
    np.testing.assert_allclose(at(bare, 0.0, np.log(3)), [0.4, 0.6], rtol=1e-14)
    assert bare.breakpoints == ()


@given(st.floats(0, 60))
def test_coherent_efficiency_everywhere(x):
    assert at(COHERENT, x)[0] == pytest.approx(reference.csi_efficiency(x), rel=1e-12)


def test_a_table_has_straight_lines_zero_below_and_is_constant_above():
    table = TabulatedEfficiency((2.0, 4.0, 8.0), (0.5, 0.7, 0.9))
    np.testing.assert_allclose(at(table, 1.99, 2.0, 3.0, 7.0, 8.0, 99.0), [0, 0.5, 0.6, 0.85, 0.9, 0.9])
    assert table.breakpoints == (2.0, 4.0, 8.0)


def test_a_constant_is_constant():
    np.testing.assert_array_equal(at(ConstantEfficiency(0.5), 0.0, 13.0, 1e3), [0.5] * 3)
    assert ConstantEfficiency(0.5).breakpoints == ()


def test_response_puts_each_recoil_into_its_bin_with_its_efficiency():
    # 2 PE/keV, so 1, 2, 2.999, 4 keV are 2, 4, 5.998, 8 PE; bins include their lower edge only
    detector = Detector("PE", 2.0, (2.0, 4.0, 6.0), TabulatedEfficiency((0.0, 10.0), (0.0, 1.0)))
    response = detector.response(np.array([0.9e-3, 1e-3, 2e-3, 2.999e-3, 4e-3]))
    np.testing.assert_allclose(response, [[0, 0.2, 0, 0, 0], [0, 0, 0.4, 0.5998, 0]], rtol=1e-12)


def test_breakpoints_are_edges_and_steps_as_recoil_energies():
    detector = Detector("PE", 0.5, (4.0, 8.0), COHERENT)
    np.testing.assert_allclose(sorted(detector.breakpoints()), [8e-3, 10e-3, 12e-3, 16e-3], rtol=1e-14)


def test_a_recoil_above_all_bins_is_not_counted():
    detector = Detector("recoil energy [keV]", 1.0, (5.0, 100.0), ConstantEfficiency(0.5))
    np.testing.assert_array_equal(detector.response(np.array([4.9e-3, 50e-3, 101e-3])), [[0, 0.5, 0]])

"""Efficiencies by hand and against the reference."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reference
from nurecoil.detector.efficiency import (
    ConstantEfficiency,
    LogisticEfficiency,
    ShiftedLogisticEfficiency,
    TabulatedEfficiency,
)
from nurecoil.errors import NurecoilError
from releases import release_file

COHERENT = LogisticEfficiency(0.6655, 0.4942, 10.8507, ((5.0, 0.5), (6.0, 1.0)))  # arXiv:1804.09459
CSI_2021 = ShiftedLogisticEfficiency(1.32045, 0.285979, 10.8646, -0.333322)  # arXiv:2110.07730


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
    assert flat.breakpoints == (5.0, 6.0, -10.02, -10.0, -9.98)  # and the rise, 20/k to both sides


def test_without_steps_the_curve_is_bare():
    bare = LogisticEfficiency(0.8, 1.0, 0.0)
    np.testing.assert_allclose(at(bare, 0.0, np.log(3)), [0.4, 0.6], rtol=1e-14)
    assert bare.breakpoints == (-20.0, 0.0, 20.0)


def test_logistics_do_not_overflow():
    np.testing.assert_array_equal(at(LogisticEfficiency(1.0, 1.0, 0.0), -1e5, 1e5), [0, 1])
    np.testing.assert_allclose(at(CSI_2021, -1e5, 1e5), [0, 1.32045 - 0.333322], rtol=1e-15)


@given(st.floats(0, 60))
def test_coherent_efficiency_everywhere(x):
    assert at(COHERENT, x)[0] == pytest.approx(reference.csi_efficiency(x), rel=1e-12)


def test_csi_2021_by_hand():
    # half of a plus d at c; a/(1 + e^(-0.285979·9.1354)) + d at 20
    assert at(CSI_2021, 10.8646)[0] == pytest.approx(1.32045 / 2 - 0.333322, rel=1e-12)
    assert at(CSI_2021, 20.0)[0] == pytest.approx(1.32045 / (1 + math.exp(-0.285979 * 9.1354)) - 0.333322)
    np.testing.assert_array_equal(at(CSI_2021, 0.0, 5.0, 7.0), [0, 0, 0])
    start, *rise = CSI_2021.breakpoints
    assert rise == pytest.approx([10.8646 - 20 / 0.285979, 10.8646, 10.8646 + 20 / 0.285979])
    below, above = at(CSI_2021, start - 1e-6, start + 1e-6)
    assert below == 0 < above < 1e-6


def test_a_shift_upwards_leaves_no_kink():
    raised = ShiftedLogisticEfficiency(0.5, 1.0, 0.0, 0.2)
    np.testing.assert_allclose(at(raised, -50.0, 0.0, 50.0), [0.2, 0.45, 0.7], rtol=1e-12)
    assert raised.breakpoints == (-20.0, 0.0, 20.0)


def test_the_coefficients_of_the_release_are_efficiencies():
    # nominal, +1σ, -1σ; the third is labelled +1σ in the file
    table = np.loadtxt(release_file("coherent-csi-2021", "effCoefficients.txt"))
    curves = [ShiftedLogisticEfficiency(*row)(np.linspace(0, 250, 1001)) for row in table]
    assert len(curves) == 3
    assert tuple(table[0]) == (CSI_2021.a, CSI_2021.b, CSI_2021.c, CSI_2021.d)
    assert all((curve >= 0).all() and (curve < 1).all() for curve in curves)
    at_10_pe = [curve[40] for curve in curves]
    assert at_10_pe[1] > at_10_pe[0] > at_10_pe[2]


def test_a_table_has_straight_lines_zero_below_and_is_constant_above():
    table = TabulatedEfficiency((2.0, 4.0, 8.0), (0.5, 0.7, 0.9))
    np.testing.assert_allclose(at(table, 1.99, 2.0, 3.0, 7.0, 8.0, 99.0), [0, 0.5, 0.6, 0.85, 0.9, 0.9])
    assert table.breakpoints == (2.0, 4.0, 8.0)


def test_a_constant_is_constant():
    np.testing.assert_array_equal(at(ConstantEfficiency(0.5), 0.0, 13.0, 1e3), [0.5] * 3)
    assert ConstantEfficiency(0.5).breakpoints == ()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ConstantEfficiency(-0.1), "efficiency = -0.1 .* from 0 to 1"),
        (lambda: ConstantEfficiency(50.0), "efficiency = 50.0"),
        (lambda: ConstantEfficiency(math.nan), "efficiency = nan"),
        (lambda: LogisticEfficiency(-1.0, 1.0, 0.0), "efficiency a = -1.0"),
        (lambda: LogisticEfficiency(1.0, math.nan, 0.0), "efficiency k = nan"),
        (lambda: LogisticEfficiency(1.0, -1.0, 0.0), "efficiency k = -1.0"),
        (lambda: LogisticEfficiency(1.0, 1.0, math.inf), "efficiency x0 = inf"),
        (lambda: LogisticEfficiency(1.0, 1.0, 0.0, ((2.0, 1.0), (1.0, 1.0))), r"steps = \[2.0, 1.0\]"),
        (lambda: LogisticEfficiency(1.0, 1.0, 0.0, ((2.0, -0.5),)), r"efficiency steps = \[-0.5\]"),
        (lambda: ShiftedLogisticEfficiency(-1.0, 1.0, 0.0, 0.0), "efficiency a = -1.0"),
        (lambda: ShiftedLogisticEfficiency(1.0, 0.0, 0.0, 0.0), "efficiency b = 0.0"),
        (lambda: ShiftedLogisticEfficiency(1.0, 1.0, math.nan, 0.0), "efficiency c = nan"),
        (lambda: ShiftedLogisticEfficiency(1.0, 1.0, 0.0, 0.5), r"efficiency a \+ d = 1.5"),
        (lambda: ShiftedLogisticEfficiency(1.0, 1.0, 0.0, math.nan), "efficiency d = nan"),
        (lambda: TabulatedEfficiency((1.0, 0.5), (0.1, 0.2)), r"efficiency x = \[1.0, 0.5\]"),
        (lambda: TabulatedEfficiency((1.0, 2.0), (0.1, 0.2, 0.3)), "number of efficiencies = 3"),
        (lambda: TabulatedEfficiency((1.0, 2.0), (0.1, -0.2)), r"efficiency = \[0.1, -0.2\] .* from 0 to 1"),
        (lambda: TabulatedEfficiency((1.0, 2.0), (0.1, math.nan)), r"efficiency = \[0.1, nan\]"),
    ],
)
def test_bad_parameters_are_named(make, message):
    with pytest.raises(NurecoilError, match=message):
        make()

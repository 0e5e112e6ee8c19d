"""Quenching: values by hand, inverses, and the refusal of what falls or is no number."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.polynomial import Polynomial

from nurecoil.detector.quenching import (
    ConstantQuenching,
    LindhardQuenching,
    LinearQuenching,
    PolynomialQuenching,
    TabulatedQuenching,
)
from nurecoil.errors import NurecoilError

# scintRespCoefficients.txt of arXiv:2110.07730: nominal, and the four variations
CSI_2021 = {
    "nominal": (0.0554628, 4.30681, -111.707, 840.384),
    "0 up": (0.0613632, 3.51547, -85.5548, 595.562),
    "0 down": (0.0495624, 5.09815, -137.858, 1085.2),
    "1 up": (0.055413, 3.93597, -93.1045, 630.092),
    "1 down": (0.0555126, 4.67765, -130.309, 1050.68),
}
KINDS = {
    "constant": ConstantQuenching(0.0878),
    "linear": LinearQuenching(0.246, 0.00078),
    "linear, falling factor": LinearQuenching(0.3, -0.0005),
    "polynomial": PolynomialQuenching(CSI_2021["nominal"]),
    "quadratic": PolynomialQuenching((0.0, 0.5)),
    "lindhard": LindhardQuenching(0.157, 32),
    "tabulated": TabulatedQuenching((0.2, 1.0, 5.0, 20.0), (0.0, 0.12, 0.2, 0.15)),
}
each_kind = pytest.mark.parametrize("quenching", KINDS.values(), ids=KINDS.keys())


def test_values_by_hand():
    # 8.78 % of 10 keV; (0.246 + 0.00078·50)·50 keV; the polynomial of the file at 20 keV, term by term
    assert ConstantQuenching(0.0878).electron_equivalent(0.010) == pytest.approx(0.878, rel=1e-14)
    assert LinearQuenching(0.246, 0.00078).electron_equivalent(0.050) == pytest.approx(14.25, rel=1e-14)
    by_hand = 1e3 * (0.0554628 * 0.02 + 4.30681 * 0.0004 - 111.707 * 8e-6 + 840.384 * 1.6e-7)
    quartic = PolynomialQuenching(CSI_2021["nominal"])
    assert quartic.electron_equivalent(0.020) == pytest.approx(by_hand, rel=1e-13)


def test_lindhard_by_hand():
    # ε = 11.5·32^(-7/3)·10 keV = 0.035371, g = 1.81729 + 0.09423 + 0.03537 = 1.94689; QF = 0.305662/1.305662
    E_ee = LindhardQuenching(0.157, 32).electron_equivalent(0.010)
    assert E_ee == pytest.approx(10 * 0.305662 / 1.305662, rel=1e-5)
    # at 133 keV ε = 0.47, where the three terms weigh alike, in other words: k g = QF/(1 - QF)
    reduced, factor = 11.5 * 133 / 32 ** (7 / 3), LindhardQuenching(0.2, 32).electron_equivalent(0.133) / 133
    g = 3 * math.exp(0.15 * math.log(reduced)) + 0.7 * math.exp(0.6 * math.log(reduced)) + reduced
    assert factor / (1 - factor) == pytest.approx(0.2 * g, rel=1e-12)


def test_a_table_has_straight_lines_in_the_factor_and_is_constant_outside():
    table = TabulatedQuenching((1.0, 3.0), (0.1, 0.2))
    # half the first factor's 0.5 keV; QF 0.15 at 2 keV; 0.2 at 10 keV
    np.testing.assert_allclose(
        table.electron_equivalent([0.0005, 0.002, 0.010]), [0.05, 0.3, 2.0], rtol=1e-14
    )
    assert table.breakpoints == (0.001, 0.003)


@each_kind
def test_the_inverse_inverts(quenching):
    T = np.concatenate([[0.0], np.geomspace(0.0003, 0.1, 300)])
    E = quenching.electron_equivalent(T)
    np.testing.assert_allclose(quenching.recoil_energy(E), T, rtol=1e-11, atol=1e-18)


@each_kind
def test_all_kinds_start_at_zero_rise_and_keep_the_shape(quenching):
    E = quenching.electron_equivalent(np.linspace(0, 0.1, 401))
    assert E[0] == 0
    assert (np.diff(E[1:]) > 0).all()
    assert np.shape(quenching.electron_equivalent(0.01)) == np.shape(quenching.recoil_energy(0.1)) == ()
    assert quenching.electron_equivalent(np.full((2, 3), 0.01)).shape == (2, 3)
    assert quenching.recoil_energy(np.full((2, 3), 0.1)).shape == (2, 3)
    assert quenching.recoil_energy([]).shape == (0,)


def test_lindhard_jumps_from_nothing_at_its_cutoff():
    whole, cut = LindhardQuenching(0.157, 32), LindhardQuenching(0.157, 32, 0.5)
    T = np.array([0.0, 1e-4, 4.99e-4, 5e-4, 1e-3])
    assert cut.electron_equivalent(T).tolist() == [0.0, 0.0, 0.0, *whole.electron_equivalent(T[3:])]
    assert (whole.breakpoints, cut.breakpoints) == ((), (5e-4,))
    E_ee = whole.electron_equivalent([2e-4, 8e-4])  # what is below the jump begins at it
    np.testing.assert_allclose(cut.recoil_energy(E_ee), [5e-4, 8e-4], rtol=1e-12)


@pytest.mark.parametrize("name", sorted(set(KINDS) - {"lindhard"}))  # whose powers of T are no whole ones
def test_smooth_between_breakpoints(name):
    quenching = KINDS[name]
    # a polynomial of degree 8 goes through each piece; across a kink it would miss by much more
    ends = np.unique([0.0, *quenching.breakpoints, 0.05])
    for low, high in pairwise(ends):
        T = np.linspace(low, high, 40)
        E = quenching.electron_equivalent(T)
        np.testing.assert_allclose(Polynomial.fit(T, E, 8)(T), E, atol=1e-10)


@pytest.mark.parametrize("name", CSI_2021)
def test_the_curves_of_csi_2021_rise_as_far_as_neutrinos_push(name):
    T = np.linspace(0, 0.0481, 5000)  # MeV; 2E²/M of iodine at 52.83 MeV is 47.3 keV
    E = PolynomialQuenching(CSI_2021[name]).electron_equivalent(T)
    assert (np.diff(E) > 0).all()


@given(st.floats(0.01, 1), st.floats(-0.01, 0.01), st.floats(0.001, 0.999))
def test_linear_inverse_everywhere(a, b, share):
    quenching = LinearQuenching(a, b)
    T = share * min(0.2, -a / (2 * b) / 1e3 if b < 0 else math.inf)
    inverse = quenching.recoil_energy(quenching.electron_equivalent(T))
    # near the turning point of E an error of 1e-16 in E is one of 1e-8 in T
    assert inverse == pytest.approx(T, rel=1e-10 / (1.001 - share) ** 2)


FALLING = {
    "linear": (LinearQuenching(0.2, -0.001), 100.0, 10.0),  # top of 0.2 T - 0.001 T²: 100 keV, 10 keV
    "polynomial": (PolynomialQuenching((0.2, -1.0)), 100.0, 10.0),  # the same, in MeV
    "cubic": (PolynomialQuenching((0.09, -3.0, 29.0)), 22.05, None),  # 0.09 - 6T + 87T² = 0
    "tabulated": (TabulatedQuenching((10.0, 20.0), (0.3, 0.05)), 11.0, 3.025),  # (0.55 - 0.025 T) T
    "tabulated, at a kink": (TabulatedQuenching((1.0, 10.0, 11.0), (0.1, 0.3, 0.1)), 10.0, 3.0),
}


@pytest.mark.parametrize(("quenching", "top_kev", "E_top"), FALLING.values(), ids=FALLING.keys())
def test_falling_quenching_is_refused_where_it_is_used_and_only_there(quenching, top_kev, E_top):
    below = quenching.electron_equivalent(np.linspace(0, 0.999e-3 * top_kev, 200))
    assert (np.diff(below) > 0).all()
    with pytest.raises(NurecoilError, match=rf"used up to {1.01 * top_kev:.4g} keV.*above {top_kev:.4g} keV"):
        quenching.electron_equivalent([0.0, 1.01e-3 * top_kev])
    E_top = below[-1] * 1.0001 if E_top is None else E_top
    T = quenching.recoil_energy([0.5 * E_top, 0.999 * E_top, 1.01 * E_top])
    np.testing.assert_allclose(quenching.electron_equivalent(T[:2]), [0.5 * E_top, 0.999 * E_top], rtol=1e-12)
    assert T[0] < T[1] < 1e-3 * top_kev
    assert T[2] == math.inf  # never reached


def test_a_threshold_gives_nothing_below_it():
    quenching = TabulatedQuenching((1.0, 2.0), (0.0, 0.2))
    np.testing.assert_array_equal(quenching.electron_equivalent([0.0005, 0.001]), [0.0, 0.0])
    assert quenching.recoil_energy(0.0) == 0
    assert quenching.electron_equivalent(quenching.recoil_energy(1e-6)) == pytest.approx(1e-6, rel=1e-9)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ConstantQuenching(-0.1), r"quenching factor = -0.1 .* above 0 and at most 1"),
        (lambda: ConstantQuenching(0.0), "quenching factor = 0.0"),
        (lambda: ConstantQuenching(8.78), "quenching factor = 8.78"),
        (lambda: ConstantQuenching(math.nan), "quenching factor = nan"),
        (lambda: LinearQuenching(math.nan, 0.0), "quenching a = nan"),
        (lambda: LinearQuenching(-0.2, 0.0), "quenching a = -0.2"),
        (lambda: LinearQuenching(0.2, math.nan), "quenching b_per_kev = nan"),
        (lambda: LindhardQuenching(0.0, 32), "quenching k = 0.0 .* above 0"),
        (lambda: LindhardQuenching(0.157, 32, -1.0), "quenching cutoff_kev = -1.0 .* 0 "),
        (lambda: LindhardQuenching(0.157, 0), "quenching Z = 0 .* from 1 to 118"),
        (lambda: PolynomialQuenching(()), r"quenching coefficients = \[\]"),
        (lambda: PolynomialQuenching((0.0, 0.0)), r"quenching coefficients = \[0.0, 0.0\]"),
        (lambda: PolynomialQuenching((-0.1, 4.0)), r"quenching coefficients = \[-0.1, 4.0\]"),
        (lambda: PolynomialQuenching((0.1, math.nan)), r"quenching coefficients = \[0.1, nan\]"),
        (lambda: TabulatedQuenching((1.0, 1.0), (0.1, 0.2)), r"recoil_kev = \[1.0, 1.0\] .* ascending"),
        (lambda: TabulatedQuenching((-1.0, 1.0), (0.1, 0.2)), r"recoil_kev = \[-1.0, 1.0\]"),
        (lambda: TabulatedQuenching((1.0, math.nan), (0.1, 0.2)), r"recoil_kev = \[1.0, nan\]"),
        (lambda: TabulatedQuenching((1.0, 2.0), (0.1,)), "number of quenching factors = 1"),
        (lambda: TabulatedQuenching((1.0, 2.0), (0.1, -0.2)), r"quenching factor = \[0.1, -0.2\]"),
        (lambda: TabulatedQuenching((1.0, 2.0), (0.1, math.nan)), r"quenching factor = \[0.1, nan\]"),
    ],
)
def test_bad_parameters_are_named(make, message):
    with pytest.raises(NurecoilError, match=message):
        make()


@each_kind
def test_bad_energies_are_named(quenching):
    with pytest.raises(NurecoilError, match=r"T = -0\.001"):
        quenching.electron_equivalent([0.001, -0.001])
    with pytest.raises(NurecoilError, match="T = nan"):
        quenching.electron_equivalent(math.nan)
    with pytest.raises(NurecoilError, match=r"E_ee = -1\.0"):
        quenching.recoil_energy([-1.0])
    with pytest.raises(NurecoilError, match="E_ee = inf"):
        quenching.recoil_energy([math.inf])

"""All allowed intervals of one parameter, against closed forms and numpy.roots."""

import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

import nurecoil
from lines import profile
from nurecoil.errors import NurecoilError
from nurecoil.inference.intervals import Interval, _Mesh, threshold
from nurecoil.inference.line import Axis, Line


def edges(result):
    return [end for interval in result.intervals for end in (interval.low, interval.high)]


def lorentzian(x, centre, width):
    return width**2 / ((x - centre) ** 2 + width**2)


# --- levels -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cl", "dof", "level"),
    [  # PDG Review of Particle Physics, statistics, table "Values of Δχ²"; two parameters: -2 ln(1 - cl)
        (0.6827, 1, 1.00),
        (0.90, 1, 2.71),
        (0.95, 1, 3.84),
        (0.90, 3, 6.25),
    ],
)
def test_threshold_is_the_published_one(cl, dof, level):
    assert threshold(cl, dof) == pytest.approx(level, abs=6e-3)


@pytest.mark.parametrize("cl", [1e-6, 0.1, 0.5, 0.9, 0.9999])
def test_threshold_of_two_parameters_is_a_logarithm(cl):
    assert threshold(cl, 2) == pytest.approx(-2.0 * np.log1p(-cl), rel=1e-10)


@pytest.mark.parametrize("cl", [0.0, 1.0, -0.1, 90.0, np.nan])
def test_threshold_refuses_what_is_no_confidence_level(cl):
    with pytest.raises(NurecoilError, match=f"{cl} is not allowed.*between 0 and 1"):
        threshold(cl)


@pytest.mark.parametrize("dof", [0, -1, 1.5, np.nan])
def test_threshold_refuses_a_bad_number_of_parameters(dof):
    with pytest.raises(NurecoilError, match=r"degrees of freedom = .* is not allowed"):
        threshold(0.9, dof)


def test_import_starts_neither_scipy_nor_iminuit():
    code = "import sys, nurecoil.inference; print([m for m in ('scipy', 'iminuit') if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


# --- closed forms -------------------------------------------------------------------------------


@pytest.mark.parametrize("sigma", [1e-3, 0.2, 1.0])
def test_quadratic_has_half_width_sqrt_level_times_sigma(sigma):
    result = profile(lambda x: 50.0 + ((x - 0.3) / sigma) ** 2, -5.0, 5.0, level=2.7)
    half = np.sqrt(2.7) * sigma
    assert edges(result) == pytest.approx([0.3 - half, 0.3 + half], rel=1e-10)
    assert result.best_fit == pytest.approx(0.3, abs=1e-6 * sigma)
    assert result.minimum == pytest.approx(50.0, rel=1e-14)
    assert result.converged
    assert result.lower_limit is None
    assert result.upper_limit is None


@pytest.mark.parametrize("sigma", [1e-7, 1e-9])
def test_small_parameters_on_a_wide_linear_scan_are_exact(sigma):
    result = profile(lambda x: (np.abs(x) / sigma) ** 3, -1.0, 1.0, level=8.0)
    assert edges(result) == pytest.approx([-2.0 * sigma, 2.0 * sigma], rel=1e-10)


def test_quartic_double_well_has_two_intervals():
    result = profile(lambda x: (x**2 - 4.0) ** 2, -5.0, 5.0, level=1.0)
    roots = np.sqrt([5.0, 3.0])
    assert edges(result) == pytest.approx([-roots[0], -roots[1], roots[1], roots[0]], rel=1e-10)


def test_log_axis_finds_a_limit_and_the_scan_edges_exactly():
    result = profile(lambda x: 1.0 / x**2, 1e-3, 1e6, level=4.0, log=True, reference=0.0)
    assert result.intervals == (Interval(pytest.approx(0.5, rel=1e-10), 1e6, False, True),)
    assert result.lower_limit == pytest.approx(0.5, rel=1e-10)
    assert result.upper_limit is None
    assert np.diff(np.log(result.values)) == pytest.approx(np.log(1e9) / 2000)
    assert (result.values[0], result.values[-1]) == (1e-3, 1e6)


def test_upper_limit_is_the_mirror_image():
    result = profile(lambda x: x**2, 0.0, 10.0, level=4.0)
    assert result.intervals == (Interval(0.0, pytest.approx(2.0, rel=1e-10), True, False),)
    assert result.upper_limit == pytest.approx(2.0, rel=1e-10)
    assert result.lower_limit is None
    assert result.best_fit == 0.0


def test_an_excluded_middle_is_no_limit():
    result = profile(lambda x: np.cos(x), -np.pi, np.pi, level=1.0)
    assert edges(result)[1:3] == pytest.approx([-np.pi / 2, np.pi / 2], rel=1e-10)
    assert (result.lower_limit, result.upper_limit) == (None, None)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_what_is_allowed_beyond_an_end_leaves_no_limit(sign):
    """x^2 (x - 3)^2 <= 1 from 0: where x (3 - x) <= 1, or x (x - 3) <= 1."""
    ends = sorted([0.0, 10.0 * sign])
    result = profile(lambda x: (x * (x - 3 * sign)) ** 2, *ends, level=1.0)
    roots = sorted([0.0, *(sign * (3 + s * np.sqrt(9 + t)) / 2 for s, t in ((-1, -4), (1, -4), (1, 4)))])
    assert edges(result) == pytest.approx(roots, rel=1e-9)
    assert (result.lower_limit, result.upper_limit) == (None, None)


@pytest.mark.parametrize(("ends", "edge"), [((0.0, 1e-8), 0.0), ((-1e-8, 0.0), 0.0), ((-1.0, 2.0), 2.0)])
def test_a_best_fit_at_an_end_but_for_rounding_is_there(ends, edge):
    """40 + |x - edge|, lower by 1e-13 just beside the edge."""
    result = profile(lambda x: 40 + np.abs(x - edge) * 1e6 - 1e-13 * (x != edge), *ends, level=1.0)
    assert result.best_fit == edge


def test_a_best_fit_beside_an_end_that_is_higher_is_not_moved_there():
    result = profile(lambda x: (1e9 * (x - 1e-9)) ** 2, 0.0, 1.0, level=1.5)
    assert result.best_fit == pytest.approx(1e-9, rel=1e-3)


def test_flat_function_allows_the_whole_scan_and_says_so():
    result = profile(lambda x: np.full_like(x, 7.0), -1.0, 2.0, level=1.0)
    assert result.intervals == (Interval(-1.0, 2.0, True, True),)
    assert (result.lower_limit, result.upper_limit) == (None, None)
    assert np.all(result.delta_chi2 == 0.0)


def test_a_plateau_with_rounding_noise_costs_no_roots():
    result = profile(lambda x: 100.0 + 5.0 / x**2, 0.1, 1e9, level=2.5, log=True)
    assert edges(result) == pytest.approx([np.sqrt(2.0), 1e9], rel=1e-10)


def test_interval_that_touches_the_level_between_grid_points_is_found():
    result = profile(
        lambda x: 1.0 + (x - 0.1234567) ** 2, -5.0, 5.0, level=1.0 + 1e-10, reference=0.0, points=11
    )
    assert edges(result) == pytest.approx([0.1234567 - 1e-5, 0.1234567 + 1e-5], abs=1e-10)


@pytest.mark.parametrize("tip", [-4.99, 4.99])
def test_tip_between_the_two_outermost_points_is_found(tip):
    result = profile(lambda x: np.abs(x - tip), -5.0, 5.0, level=1e-3, points=201)
    assert edges(result) == pytest.approx([tip - 1e-3, tip + 1e-3], rel=1e-10)


def test_a_lone_value_rounded_otherwise_than_the_grid_does_no_harm():
    result = profile(
        lambda x: x**2 + (1e-12 if x.size == 1 else 0.0), 0.0, 2.0, level=1.0, points=5, reference=0.0
    )
    assert result.values[2] == 1.0
    assert edges(result) == pytest.approx([0.0, 1.0], rel=1e-10)


def test_infinite_chi2_is_forbidden():
    result = profile(lambda x: np.where(x < 1 / 3, np.inf, x), 0.0, 5.0, level=1.0)
    assert edges(result) == pytest.approx([1 / 3, 4 / 3], rel=1e-10)
    assert np.isinf(result.delta_chi2[0])
    assert result.converged


# --- what the grid does not show ----------------------------------------------------------------

# A Lorentzian dip or spike of half-width 1e-4 on grids of spacing 2e-3 to 5e-3.
HIDDEN_DIPS = {
    "on the floor": (lambda x: 9.0 + x**2 - 9.5 * lorentzian(x, 0.1234, 1e-4), 0.1234, 9.0 + 0.1234**2, 9.5),
    "on a slope": (lambda x: x**2 - 4.5 * lorentzian(x, 2.1234, 1e-4), 2.1234, 2.1234**2, 4.5),
}


@pytest.mark.parametrize("points", [2001, 3333, 5001])
@pytest.mark.parametrize("where", HIDDEN_DIPS)
def test_dip_far_narrower_than_the_grid_gives_its_own_interval(where, points):
    chi2, centre, background, depth = HIDDEN_DIPS[where]
    result = profile(chi2, -5.0, 5.0, level=1.0, reference=0.0, points=points)
    assert not np.any(np.abs(result.values - centre) < 1e-4)
    narrow = [i for i in result.intervals if i.low < centre < i.high]
    half = 1e-4 * np.sqrt(depth / (background - 1.0) - 1.0)
    assert len(narrow) == 1
    assert (narrow[0].high - narrow[0].low) / 2 == pytest.approx(half, rel=2e-3)
    assert len(result.intervals) == (2 if where == "on a slope" else 1)


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_dip_beside_a_plateau_is_found(side):
    def chi2(x):
        """9 up to x = 0, rising gently beyond, and a dip to nearly 0 at 0.02 (grid spacing 0.05)."""
        x = side * x
        return 9.0 + 1e-3 * np.maximum(x, 0.0) - 9.2 * np.maximum(0.0, 1.0 - np.abs(x - 0.02) / 0.02)

    result = profile(chi2, -5.0, 5.0, level=1.0, reference=0.0, points=201)
    assert len(result.intervals) == 1
    assert side * result.best_fit == pytest.approx(0.02, rel=1e-9)


@pytest.mark.parametrize("points", [2001, 5001])
def test_dip_on_a_steep_slope_is_found_by_its_trace_alone(points):
    result = profile(
        lambda x: 100.0 * x**2 - 450.0 * lorentzian(x, 2.1234, 1e-5),
        -5.0,
        5.0,
        100.0,
        reference=0.0,
        points=points,
    )
    half = 1e-5 * np.sqrt(450.0 / (100.0 * 2.1234**2 - 100.0) - 1.0)
    assert edges(result)[:2] == pytest.approx([-1.0, 1.0], rel=1e-6)
    assert edges(result)[2:] == pytest.approx([2.1234 - half, 2.1234 + half], abs=1e-2 * half)


@pytest.mark.parametrize("points", [2001, 2201])
def test_spike_on_a_steep_slope_is_found_by_its_trace_alone(points):
    chi2, width = (lambda x: 20.0 * x + 9.0 * lorentzian(x, 0.1234, 3e-5)), 3e-5
    result = profile(chi2, -5.0, 5.0, level=4.0, reference=0.0, points=points)
    assert np.all(np.diff(chi2(result.values)) > 0.0)  # no extremum on the grid
    half = width * np.sqrt(9.0 / (4.0 - 20.0 * 0.1234) - 1.0)
    assert edges(result) == pytest.approx([-5.0, 0.1234 - half, 0.1234 + half, 0.2], abs=1e-2 * half)


def test_a_spike_above_the_level_is_not_followed():
    calls = []

    def chi2(x):
        calls.append(x)
        return 20.0 * x + 9.0 * lorentzian(x, 0.1234, 3e-5)

    result = profile(chi2, -4.0, 6.0, level=1.0, reference=0.0)
    assert edges(result) == pytest.approx([-4.0, 0.05], rel=1e-5)
    assert np.abs(np.concatenate(calls[1:]) - 0.1234).min() > 1e-4  # of all after the grid


def test_dip_below_the_bowl_is_the_best_fit_and_sets_the_level():
    result = profile(lambda x: x**2 - 30.0 * lorentzian(x, 2.1234, 1e-4), -5.0, 5.0, level=2.7)
    assert result.best_fit == pytest.approx(2.1234, abs=1e-7)
    assert result.minimum == pytest.approx(2.1234**2 - 30.0, rel=1e-6)
    assert len(result.intervals) == 1


def test_kink_with_its_tip_between_grid_points_is_solved():
    result = profile(lambda x: np.abs(x - np.pi) * 1e6, 0.0, 5.0, level=1.0)
    assert edges(result) == pytest.approx([np.pi - 1e-6, np.pi + 1e-6], rel=1e-10)
    assert result.best_fit == pytest.approx(np.pi, rel=1e-12)


@pytest.mark.parametrize("points", [2001, 3333, 5001])
@pytest.mark.parametrize("slope", [0.0, 0.01, 0.4])
def test_spike_far_narrower_than_the_grid_cuts_an_interval(slope, points):
    result = profile(
        lambda x: slope * x + 9.0 * lorentzian(x, 0.1234, 1e-4),
        -5.0,
        5.0,
        level=3.0,
        reference=0.0,
        points=points,
    )
    half = 1e-4 * np.sqrt(9.0 / (3.0 - slope * 0.1234) - 1.0)
    assert edges(result) == pytest.approx([-5.0, 0.1234 - half, 0.1234 + half, 5.0], abs=1e-3 * half)
    assert [(i.open_low, i.open_high) for i in result.intervals] == [(True, False), (False, True)]


def test_smooth_narrow_gap_between_two_grid_points_is_found():
    result = profile(lambda x: 1.0 - 1e-3 * (x - 0.0123) ** 2, -5.0, 5.0, level=1.0 - 1e-10, reference=0.0)
    half = np.sqrt(1e-7)
    assert edges(result) == pytest.approx([-5.0, 0.0123 - half, 0.0123 + half, 5.0], abs=1e-8)


SHAPES = {
    "well": (lambda x: (x**2 - 4.0) ** 2 + 0.1 * x, -5.0, 5.0, False),
    "waves": (lambda x: 0.2 * x**2 + 3.0 * np.cos(4.0 * x), -5.0, 5.0, False),
    "log": (lambda x: (np.log(x) + 1.0) ** 2 / (1.0 + 0.1 * np.log(x) ** 2), 1e-4, 1e4, True),
    "kinks": (lambda x: np.minimum(np.abs(x + 1.0), 3.0 * np.abs(x - np.e)), -5.0, 5.0, False),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_result_does_not_depend_on_the_number_of_points(shape):
    chi2, low, high, log = SHAPES[shape]
    coarse, fine = (profile(chi2, low, high, 1.3, log=log, points=n) for n in (201, 5001))
    assert len(coarse.intervals) == len(fine.intervals)
    assert edges(coarse) == pytest.approx(edges(fine), rel=1e-8)
    assert coarse.minimum == pytest.approx(fine.minimum, rel=1e-12, abs=1e-12)


@settings(max_examples=200, deadline=None)
@example([2.1875, 1.0, 1.0, 4.0, 0.0], 1.0, False, 101)  # found a grid point entered twice, an ulp apart
@example([1.48046875, 4.796875, -5.0, 0.0, 0.0], 1.0, False, 101)  # found a minimum lost in the first cell
@given(
    coefficients=st.lists(st.floats(-5.0, 5.0), min_size=4, max_size=5),
    level=st.floats(0.1, 5.0),
    with_reference=st.booleans(),
    points=st.sampled_from([101, 2001]),
)
def test_intervals_of_polynomials_agree_with_their_roots(coefficients, level, with_reference, points):
    assume(abs(coefficients[0]) > 0.1)
    polynomial = np.poly1d(coefficients)
    turning = [x.real for x in np.roots(polynomial.deriv()) if abs(x.imag) < 1e-9 and abs(x.real) < 3.0]
    origin = 0.0 if with_reference else min(polynomial(x) for x in [-3.0, 3.0, *turning])
    all_roots = np.roots(polynomial - origin - level)
    roots = sorted(x.real for x in all_roots if abs(x.imag) < 1e-9 and abs(x.real) < 3.0)
    # double roots, and roots at an end of the scan, are nowhere well defined
    assume(all(abs(x.imag) < 1e-9 or abs(x.imag) > 1e-3 for x in all_roots))
    assume(all(abs(polynomial.deriv()(x)) > 1e-2 for x in roots))
    assume(all(abs(abs(x.real) - 3.0) > 1e-6 for x in all_roots))

    result = profile(polynomial, -3.0, 3.0, level, reference=0.0 if with_reference else None, points=points)

    closed = [
        x
        for i in result.intervals
        for x, is_open in ((i.low, i.open_low), (i.high, i.open_high))
        if not is_open
    ]
    assert closed == pytest.approx(roots, rel=1e-7, abs=1e-8)
    for interval in result.intervals:
        assert polynomial(0.5 * (interval.low + interval.high)) <= origin + level
    assert sorted(edges(result)) == edges(result)


# --- a given reference ----------------------------------------------------------------------------


def test_reference_moves_the_level_and_lets_delta_chi2_be_negative():
    result = profile(lambda x: x**2 + 10.0, -5.0, 5.0, level=4.0, reference=15.0)
    assert edges(result) == pytest.approx([-3.0, 3.0], rel=1e-10)
    assert result.delta_chi2.min() == pytest.approx(-5.0)
    assert result.minimum == pytest.approx(10.0)


def test_nothing_is_allowed_when_the_reference_lies_far_below():
    result = profile(lambda x: x**2 + 10.0, -5.0, 5.0, level=4.0, reference=0.0)
    assert result.intervals == ()
    assert (result.lower_limit, result.upper_limit) == (None, None)
    assert result.best_fit == pytest.approx(0.0, abs=1e-6)


# --- refusals -----------------------------------------------------------------------------------


def with_hole(value):
    return lambda x: np.where(np.abs(x - 1.0) < 1e-9, value, x**2)


@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_nan_on_the_grid_is_named_with_its_place(value):
    with pytest.raises(NurecoilError, match=rf"chi2 is {value} at the parameter value 1\.0"):
        profile(with_hole(value), 0.0, 2.0, level=1.0, points=201)


def test_nan_between_grid_points_is_named_too():
    with pytest.raises(NurecoilError, match=r"chi2 is nan at the parameter value 0\.3[23]\d+:"):
        profile(
            lambda x: np.where(np.abs(x - 0.325) < 2e-3, np.nan, (x - 0.325) ** 2), 0.0, 2.0, 1.0, points=201
        )


def test_infinite_everywhere_is_refused():
    with pytest.raises(NurecoilError, match="infinite everywhere between 0 and 2"):
        profile(lambda x: np.full_like(x, np.inf), 0.0, 2.0, level=1.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"low": 2.0}, "2.0 to 2.0 is not allowed"),
        ({"low": 3.0}, "3.0 to 2.0 is not allowed"),
        ({"low": np.nan}, "nan to 2.0 is not allowed"),
        ({"high": np.inf}, "1.0 to inf is not allowed"),
        ({"low": 0.0, "log": True}, "logarithmic scan from 0.0 is not allowed"),
        ({"low": -1.0, "log": True}, "logarithmic scan from -1.0 is not allowed"),
        ({"low": np.nextafter(2.0, 0.0)}, "too narrow"),
        ({"points": 4}, "points = 4 is not allowed"),
        ({"level": 0.0}, "level = 0.0 is not allowed"),
        ({"level": np.nan}, "level = nan is not allowed"),
        ({"level": np.inf, "reference": 0.0}, "level = inf is not allowed"),
        ({"reference": np.nan}, "reference = nan is not allowed"),
        ({"chi2": lambda x: 1.0}, r"shape \(\) for parameter values of shape \(2001,\)"),
    ],
)
def test_bad_arguments_are_refused_in_one_sentence(changes, message):
    arguments = {"chi2": lambda x: x**2, "low": 1.0, "high": 2.0, "level": 1.0} | changes
    with pytest.raises(NurecoilError, match=message):
        profile(**arguments)


# --- cost ---------------------------------------------------------------------------------------


def test_calls_are_few_and_the_grid_is_one_of_them():
    sizes = []

    def chi2(x):
        sizes.append(x.size)
        return (x**2 - 4.0) ** 2

    profile(chi2, -5.0, 5.0, level=1.0)
    assert sizes[0] == 2001
    assert len(sizes) < 50
    assert sum(sizes) < 2001 + 500


def test_a_smooth_quartic_hints_at_nothing():
    sizes = []

    def quartic(x):
        sizes.append(x.size)
        return x**4

    profile(quartic, -5.0, 5.0, level=1.0, points=101)
    assert sum(sizes) < 101 + 400


@pytest.mark.parametrize("kink", [-20.0, 0.04, 0.3, 30.0])
def test_no_point_joins_the_mesh_twice(kink):
    def chi2(x):
        return x**4 + 10.0 * (x - 1.1) ** 2 + kink * np.abs(x - 0.0435)

    u = np.linspace(-3.0, 3.0, 101)
    mesh = _Mesh(Line(chi2, Axis(-3.0, 3.0)), u, chi2(u)).with_hidden_features(1.0, ceiling=np.inf)
    assert np.diff(mesh.u).min() > 1e-6 * (u[1] - u[0])


def test_a_cheap_profile_takes_milliseconds():
    def elapsed():
        start = time.perf_counter()
        profile(lambda x: (x**2 - 4.0) ** 2, -5.0, 5.0, level=1.0)
        return time.perf_counter() - start

    assert min(elapsed() for _ in range(20)) < 10e-3


def test_texts_and_figures_are_in_the_unit_that_was_asked_for():
    study = nurecoil.Study("331-beta", "binh2021-csi", beta=-(3**0.5))
    tev, gev = (study.limit("m_zprime", within) for within in ("0.2..20 TeV", "200..20000 GeV"))
    (allowed,) = tev.values.profile.intervals
    assert f"above {allowed.low / 1e3:.4g} GeV (scanned up to 2e+04 GeV)" in str(gev)
    assert f"above {allowed.low / 1e6:.4g} TeV (scanned up to 20 TeV)" in str(tev)
    first, second = (each.values.figure(each).panels[0] for each in (tev, gev))
    np.testing.assert_allclose(second.series[0].x, 1e3 * first.series[0].x)
    assert ("[TeV]" in first.x_label, "[GeV]" in second.x_label) == (True, True)
    assert tev.record()["unit"] == gev.record()["unit"] == "TeV"  # programs read one unit

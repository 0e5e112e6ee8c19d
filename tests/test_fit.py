"""Minimisation from several starts, against minima known in closed form."""

import numpy as np
import pytest

from nurecoil.errors import NurecoilError
from nurecoil.inference.fit import minimise

CENTRE = np.array([1.5, -0.02])
CURVATURE = np.array([[3.0, 1.0], [1.0, 2e4]])


def quadratic(p):
    return (p - CENTRE) @ CURVATURE @ (p - CENTRE) + 12.0


def two_wells(p):
    """A local minimum near x = -2 that a start at x < 0 ends in, the lower one near x = 2."""
    return (p[0] ** 2 - 4.0) ** 2 - p[0]


def test_quadratic_minimum_is_found_to_1e_9():
    fit = minimise(quadratic, {"a": 0.0, "b": 0.0})
    assert fit.names == ("a", "b")
    assert fit.converged
    assert fit.message == "converged"
    assert fit.minimum == pytest.approx(12.0, abs=1e-9)
    assert fit.starts == 1
    errors = np.sqrt(np.diag(np.linalg.inv(CURVATURE)))
    assert list(fit.errors.values()) == pytest.approx(errors, rel=1e-3)
    assert np.abs(list(fit.values.values()) - CENTRE) == pytest.approx(0.0, abs=3e-5 * errors.max())


def test_a_curved_valley_is_followed_to_its_end():
    fit = minimise(lambda p: (1.0 - p[0]) ** 2 + 100.0 * (p[1] - p[0] ** 2) ** 2, {"x": -1.2, "y": 1.0})
    assert fit.converged
    assert fit.minimum == pytest.approx(0.0, abs=1e-9)
    assert fit.values == pytest.approx({"x": 1.0, "y": 1.0}, abs=1e-4)
    assert fit.errors == pytest.approx({"x": 1.0, "y": np.sqrt(4.01)}, rel=1e-3)  # sqrt(diag(2 H^-1))


def test_errordef_scales_the_errors():
    chi2, half = (
        minimise(lambda p, s=s: s * (p[0] - 2.0) ** 2 / 9.0, {"x": 0.0}, errordef=s) for s in (1.0, 0.5)
    )
    assert chi2.errors["x"] == pytest.approx(3.0, rel=1e-3)
    assert half.errors["x"] == pytest.approx(3.0, rel=1e-3)


def test_the_order_of_names_is_the_order_of_the_argument():
    fit = minimise(lambda p: (p[0] - 1.0) ** 2 + (p[1] - 2.0) ** 2, {"z": 0.0, "a": 0.0})
    assert fit.values == pytest.approx({"z": 1.0, "a": 2.0}, abs=1e-4)


def test_the_best_of_several_starts_is_kept():
    alone = minimise(two_wells, {"x": -2.5})
    assert alone.values["x"] < -1.9
    fit = minimise(two_wells, {"x": -2.5}, starts=[{"x": 2.5}, {"x": -1.5}])
    assert fit.values["x"] == pytest.approx(2.0310, abs=1e-3)
    assert fit.starts == 3
    assert fit.converged


def test_further_starts_may_name_only_some_parameters():
    fit = minimise(lambda p: two_wells(p) + p[1] ** 2, {"x": -2.5, "y": 1.0}, starts=[{"x": 2.5}])
    assert fit.values == pytest.approx({"x": 2.0310, "y": 0.0}, abs=1e-3)


def test_bounds_hold_and_are_reported():
    fit = minimise(lambda p: (p[0] + 1.0) ** 2, {"x": 0.5}, bounds={"x": (0.0, None)})
    assert fit.values["x"] == pytest.approx(0.0, abs=1e-6)
    assert fit.minimum == pytest.approx(1.0, abs=1e-6)
    inside = minimise(lambda p: (p[0] + 1.0) ** 2, {"x": 0.5}, bounds={"x": (0.0, 2.0)})
    assert "at its bound" in inside.message


def test_a_start_on_its_bound_leaves_it():
    fit = minimise(lambda p: (p[0] - 0.5) ** 2, {"x": 0.0}, bounds={"x": (0.0, 1.0)})
    assert fit.values["x"] == pytest.approx(0.5, abs=1e-5)


def test_a_narrow_range_is_searched_with_steps_that_fit_it():
    fit = minimise(lambda p: (p[0] / 1e-8 - 3.0) ** 2, {"x": 0.0}, bounds={"x": (-1e-7, 1e-7)})
    assert fit.converged
    assert fit.values["x"] == pytest.approx(3e-8, rel=1e-4)


def test_no_minimum_is_not_called_converged():
    fit = minimise(lambda p: p[0], {"x": 0.0})
    assert not fit.converged
    assert fit.message != "converged"


@pytest.mark.parametrize("start", [0.0, 2.0])
def test_a_flat_direction_has_no_error(start):
    fit = minimise(lambda p: 0.0 * p[0] + 1.0, {"x": start})
    assert np.isnan(fit.errors["x"])
    assert not fit.converged
    assert "flat" in fit.message


def test_a_degenerate_direction_has_no_error_and_says_so():
    fit = minimise(lambda p: (p[0] + p[1] - 1.0) ** 2, {"x": 0.0, "y": 0.0})
    assert fit.minimum == pytest.approx(0.0, abs=1e-9)
    assert np.isnan(list(fit.errors.values())).all()
    assert fit.message.startswith("converged; no reliable curvature at the minimum")


# --- asymmetric errors --------------------------------------------------------------------------------


def test_minos_finds_where_an_asymmetric_function_has_risen_by_one():
    fit = minimise(lambda p: np.exp(p[0]) - p[0] - 1.0, {"x": 0.3})  # e^x - x = 2 at -1.8414 and 1.1462
    assert fit.minos["x"] == pytest.approx((1.841406, 1.146193), rel=1e-3)
    assert fit.errors["x"] == pytest.approx(np.sqrt(2.0), rel=1e-3)
    assert fit.message == "converged"


def test_minos_minimises_over_the_other_parameters():
    errors = np.sqrt(np.diag(np.linalg.inv(CURVATURE)))
    fit = minimise(quadratic, {"a": 0.0, "b": 0.0})
    for name, error in zip(fit.names, errors, strict=True):
        assert fit.minos[name] == pytest.approx((error, error), rel=1e-3)


def test_an_error_that_minos_cannot_find_is_said():
    fit = minimise(lambda p: 2.0 * (1.0 - np.exp(-p[0])) ** 2 if p[0] > 0 else 4 * p[0] ** 2, {"x": 0.5})
    assert np.isfinite(fit.minos["x"]).all()
    low = minimise(lambda p: 0.9 * (1.0 - np.exp(-p[0])) ** 2 if p[0] > 0 else p[0] ** 2, {"x": 0.5})
    assert low.minos["x"][0] == pytest.approx(1.0, rel=1e-2)
    assert np.isnan(low.minos["x"][1])
    assert "MINOS finds no error: upper of x" in low.message


def test_minos_may_be_left_out():
    fit = minimise(quadratic, {"a": 0.0, "b": 0.0}, minos=False)
    assert (fit.minos, fit.message) == ({}, "converged")


# --- logarithms and plateaus --------------------------------------------------------------------------


def test_a_parameter_may_be_fitted_by_its_logarithm():
    fit = minimise(lambda p: (np.log(p[0] / 2e6) / 0.5) ** 2, {"m": 1e9}, logarithmic=["m"])
    assert fit.values["m"] == pytest.approx(2e6, rel=1e-6)
    assert fit.errors["m"] == pytest.approx(1e6, rel=1e-3)
    assert fit.minos["m"] == pytest.approx((2e6 * (1 - np.exp(-0.5)), 2e6 * (np.exp(0.5) - 1)), rel=1e-3)


def test_bounds_of_a_logarithmic_parameter_are_its_own():
    fit = minimise(lambda p: np.log(p[0]) ** 2, {"m": 10.0}, bounds={"m": (5.0, 50.0)}, logarithmic=["m"])
    assert fit.values["m"] == pytest.approx(5.0, rel=1e-5)


@pytest.mark.parametrize("start", [1.0, 30.0, 1e3, 1e6])
def test_a_plateau_is_no_minimum(start):
    fit = minimise(lambda p: 1.0 + 3.0 / p[0] ** 2, {"m": start}, logarithmic=["m"])
    assert not fit.converged
    assert (fit.flat, fit.message) == (("m",), "the function is flat in m: no minimum, no error")
    assert np.isnan(fit.errors["m"])


def test_a_minimum_beside_a_plateau_is_one():
    fit = minimise(lambda p: 5.0 * (1.0 - 2.0 / p[0]) ** 2, {"m": 5.0}, logarithmic=["m"])
    assert fit.converged
    assert fit.flat == ()
    assert fit.values["m"] == pytest.approx(2.0, rel=1e-4)


def hole(p):
    """A parabola around 1, and beyond 4 a slide that ends in NaN."""
    if p[0] > 6.0:
        return np.nan
    return (p[0] - 1.0) ** 2 if p[0] < 4.0 else -10.0 * p[0]


def test_a_start_that_runs_into_nan_is_dropped_and_named():
    fit = minimise(hole, {"x": 5.0})
    assert not fit.converged
    assert "nan at x = " in fit.message
    assert fit.values == {"x": 5.0}


def test_a_failed_start_that_was_lower_spoils_convergence():
    fit = minimise(hole, {"x": 0.0}, starts=[{"x": 5.0}])
    assert fit.values["x"] == pytest.approx(1.0, abs=1e-4)
    assert not fit.converged
    assert "another start went lower" in fit.message


def test_a_failed_start_that_was_higher_is_only_mentioned():
    fit = minimise(lambda p: hole(p) + (100.0 if p[0] >= 4.0 else 0.0), {"x": 0.0}, starts=[{"x": 5.0}])
    assert fit.converged
    assert fit.message == "converged; 1 of 2 starts failed"


def test_a_failed_start_that_was_lower_by_rounding_is_only_mentioned():
    fit = minimise(
        lambda p: hole(p) + (50.0 - 1e-12 if p[0] >= 4.0 else 0.0), {"x": 0.0}, starts=[{"x": 5.0}]
    )
    assert fit.converged


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start": {}}, "give at least one parameter"),
        ({"bounds": {"x": (0.5, 1.0)}}, "'x' cannot start at 0: it must lie between 0.5 and 1"),
        ({"bounds": {"x": (None, -1.0)}}, "'x' cannot start at 0: it must lie between -inf and -1"),
        ({"bounds": {"x": (1.0, -1.0)}}, "bounds 1.0 and -1.0 of 'x' are not allowed"),
        ({"bounds": {"x": (np.nan, 1.0)}}, "bounds nan and 1.0 of 'x' are not allowed"),
        ({"bounds": {"xx": (0.0, 1.0)}}, "unknown parameter 'xx': did you mean 'x'"),
        ({"starts": [{"y": 0.0}]}, "unknown parameter 'y'"),
        ({"starts": [{"x": 9.0}], "bounds": {"x": (-1.0, 1.0)}}, "'x' cannot start at 9"),
        ({"start": {"x": np.nan}}, "'x' cannot start at nan: it must be a finite number"),
        ({"start": {"x": np.inf}}, "'x' cannot start at inf: it must be a finite number"),
        ({"function": lambda p: np.nan}, "the function is nan at x = 0"),
        ({"function": lambda p: np.inf}, "the function is inf at x = 0"),
        ({"errordef": 0.0}, "errordef of 0.0 is not allowed"),
        ({"logarithmic": ["y"]}, "unknown parameter 'y'"),
        ({"logarithmic": ["x"]}, "'x' must start above 0, for it is fitted by its logarithm"),
    ],
)
def test_bad_arguments_are_refused_in_one_sentence(arguments, message):
    with pytest.raises(NurecoilError, match=message):
        minimise(**({"function": lambda p: p[0] ** 2, "start": {"x": 0.0}} | arguments))

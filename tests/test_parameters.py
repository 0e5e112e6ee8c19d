"""Parameters: parsed and checked in one place; a refusal names the value and what is allowed."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nurecoil.errors import NurecoilError, nearest_of
from nurecoil.parameters import Parameter, find, resolve

MASS = Parameter("mass", "a mass", "m", None, unit="TeV", low=1e3, log_scan=True)
SHIFT = Parameter("shift", "a shift", "s", 0.5, low=-1.0, high=1.0)
MODE = Parameter("mode", "a choice", "v", "equations", choices=("equations", "numbers"))
ALL = (MASS, SHIFT, MODE)


def test_an_energy_is_parsed_to_mev_and_printed_in_its_own_unit():
    assert MASS.parse("2 TeV") == pytest.approx(2e6, rel=1e-15)
    assert MASS.parse("500GeV") == pytest.approx(5e5, rel=1e-15)
    assert MASS.format(1.41e6, 3) == "1.41 TeV"


@given(st.floats(1e3, 1e12))
def test_parse_reads_what_format_prints(value):
    assert MASS.parse(MASS.format(value, 17)) == pytest.approx(value, rel=1e-14)


def test_a_pure_number_and_a_choice_stay_as_they_are():
    assert SHIFT.parse("-1/4") == -0.25
    assert MODE.parse("numbers") == "numbers"


@pytest.mark.parametrize("value", [-1.0, 1.0, 0.0, np.linspace(-1, 1, 5)])
def test_bounds_are_inclusive(value):
    SHIFT.check(value)


@pytest.mark.parametrize("value", [-1.0000001, 1.1, math.nan, math.inf, -math.inf, None])
def test_what_is_out_of_bounds_or_not_finite_is_refused(value):
    with pytest.raises(NurecoilError, match=r"shift = .* is not allowed: it must be between -1 and 1"):
        SHIFT.check(value)


def test_one_bad_value_of_an_array_is_enough_and_is_the_one_named():
    with pytest.raises(NurecoilError, match="shift = 7 is not allowed"):
        SHIFT.check(np.array([0.0, 7.0, 8.0]))
    with pytest.raises(NurecoilError, match="shift = nan is not allowed"):
        SHIFT.check(np.array([0.0, math.nan]))


def test_a_negative_mass_is_refused_in_the_unit_of_the_border():
    with pytest.raises(NurecoilError, match=r"mass = -2 TeV is not allowed: it must be 0\.001 TeV or more"):
        MASS.parse("-2TeV")


def test_a_word_for_a_number_and_an_unknown_word_for_a_choice_are_refused():
    with pytest.raises(NurecoilError, match="shift = 'much' is not a number"):
        SHIFT.check("much")
    with pytest.raises(NurecoilError, match=r"value of mode 'equation': did you mean 'equations'"):
        MODE.check("equation")


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.0, 1.0, "between 0 and 1"),
        (0.0, math.inf, "0 or more"),
        (-math.inf, 1.0, "1 or less"),
        (-math.inf, math.inf, "a finite number"),
    ],
)
def test_allowed_says_it_in_words(low, high, words):
    assert Parameter("x", "", "x", 0.0, low=low, high=high).allowed() == words


def test_resolve_takes_given_values_and_defaults():
    assert resolve(ALL, {"mass": 2e6}, "own") == {"mass": 2e6, "shift": 0.5, "mode": "equations"}
    assert resolve(ALL, {"mass": 2e6, "shift": 0.0, "mode": "numbers"}, "own")["shift"] == 0.0


def test_resolve_refuses_what_is_missing_unknown_or_not_allowed():
    with pytest.raises(
        NurecoilError, match=r"^own: parameter mass has no default and must be given: a mass, 0\.001 TeV"
    ):
        resolve(ALL, {}, "own")
    with pytest.raises(NurecoilError, match="unknown parameter 'shfit': did you mean 'shift'"):
        resolve(ALL, {"mass": 2e6, "shfit": 0.1}, "own")
    with pytest.raises(NurecoilError, match="shift = 2 is not allowed"):
        resolve(ALL, {"mass": 2e6, "shift": 2.0}, "own")


def test_find_returns_the_parameter_or_the_nearest_name():
    assert find(ALL, "mode") is MODE
    with pytest.raises(NurecoilError, match="did you mean 'mass'"):
        find(ALL, "mas")


@pytest.mark.parametrize("far", ["beta", "mm", "shared"])
def test_a_name_that_is_not_near_is_none_that_was_meant(far):
    with pytest.raises(NurecoilError, match=f"unknown parameter '{far}': known are mass"):
        find(ALL, far)


def test_neither_capitals_nor_the_dashes_of_options_make_names_near():
    assert nearest_of("--colour", ["--cl", "--json"]).startswith(": known are")
    assert nearest_of("85KR", ["86Kr", "CsI"]).startswith(": did you mean '86Kr'?")

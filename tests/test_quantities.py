"""Quantities as people write them: values by hand, round trips, refusals that name the value."""

import math
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nurecoil.errors import NurecoilError
from nurecoil.quantities import UNITS, conversion, format_quantity, parse_quantity, parse_range

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
MODERATE = st.floats(1e-30, 1e30)
UNIT_NAMES = st.sampled_from(sorted(UNITS))


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("2TeV", "MeV", 2e6),
        ("2 TeV", "TeV", 2.0),
        (" 500 GeV ", "TeV", 0.5),
        ("8.4 us", "ns", 8400.0),
        ("8.4µs", "us", 8.4),  # micro sign
        ("8.4μs", "us", 8.4),  # Greek mu
        ("14.6 kg", "kg", 14.6),
        ("2 tonne", "kg", 2000.0),
        ("1930 cm", "m", 19.3),
        ("1 day", "h", 24.0),
        ("5 fm", "m", 5e-15),
        ("2.9e-11", "mu_B", 2.9e-11),
        ("2.9e-11 mu_B", "mu_B", 2.9e-11),
        ("1e-13e", "e", 1e-13),
        ("-2 e", "e", -2.0),
        ("1e-13", "e", 1e-13),
        ("-sqrt(3)", "", -1.7320508075688772),
        ("-1/sqrt(3)", "", -0.5773502691896258),
        ("2*sqrt(3)/3", "", 1.1547005383792515),
        ("pi", "", 3.141592653589793),
        ("(1 + 2)**2 TeV", "GeV", 9000.0),
        ("28%", "", 0.28),
        ("+3e-2", "", 0.03),
        ("1e6 MeV", "TeV", 1.0),
    ],
)
def test_values(text, unit, value):
    assert parse_quantity(text, unit) == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize(
    ("typeset", "typed", "unit"),
    [
        *((f"{minus}sqrt(3)", "-sqrt(3)", "") for minus in "−–‐‑﹣－"),
        ("−√3", "-sqrt(3)", ""),
        ("−1/√3", "-1/sqrt(3)", ""),
        ("2√3/3", "2*sqrt(3)/3", ""),
        ("√(1 + 2)", "sqrt(1 + 2)", ""),
        ("√.5", "sqrt(.5)", ""),
        ("−π/2", "-pi/2", ""),
        ("2^−3", "2**-3", ""),
        ("2.9 × 10⁻¹¹ μ_B", "2.9*10**-11 mu_B", "mu_B"),
        ("2.9·10^−11 µB", "2.9*10**-11 mu_B", "mu_B"),
        ("3 ÷ 4", "3/4", ""),
        ("28 ％", "28%", ""),
        *((f"2{space}TeV", "2 TeV", "TeV") for space in "\u00a0\u2007\u2009\u202f"),
        ("8.4\u00a0μs", "8.4 us", "us"),
        ("2 × 10³ GeV", "2000 GeV", "TeV"),
    ],
)
def test_what_is_typeset_is_read_as_what_is_typed(typeset, typed, unit):
    assert parse_quantity(typeset, unit) == parse_quantity(typed, unit)


@given(NUMBERS)
def test_every_pure_number_is_read_as_written(x):
    assert parse_quantity(repr(x), "") == x


@given(NUMBERS, UNIT_NAMES)
def test_every_number_with_its_unit_is_read_as_written(x, unit):
    assert parse_quantity(f"{x!r} {unit}", unit) == x
    assert parse_quantity(f"{x!r}{unit}", unit) == x


@given(MODERATE, UNIT_NAMES, st.data())
def test_a_unit_and_back(x, unit, data):
    same_dimension = [u for u in UNITS if UNITS[u][0] == UNITS[unit][0]]
    other = data.draw(st.sampled_from(same_dimension))
    there = parse_quantity(f"{x!r} {unit}", other)
    assert there == pytest.approx(x * conversion(unit, other), rel=1e-14)
    assert parse_quantity(f"{there!r} {other}", unit) == pytest.approx(x, rel=1e-14)


@given(MODERATE, UNIT_NAMES)
def test_what_is_formatted_can_be_read_again(x, unit):
    assert parse_quantity(format_quantity(x, unit, 17), unit) == pytest.approx(x, rel=1e-15)


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_arithmetic_is_that_of_numbers(a, b):
    assert parse_quantity(f"({a!r}) + 2 * ({b!r})", "") == a + 2 * b
    assert parse_quantity(f"({a!r}) - ({b!r}) / 4", "") == a - b / 4


@given(st.text(alphabet="0123456789.e+-*/() sqrtpinafTeGMVkg%_#'\",x\n−√²^π…", max_size=20))
def test_any_text_gives_a_finite_number_or_a_refusal_that_names_it(text):
    for unit in ("", "TeV", "kg"):
        try:
            value = parse_quantity(text, unit, name="beta")
        except NurecoilError as error:
            assert str(error).startswith("beta = ")  # noqa: PT017
            assert text in str(error)  # noqa: PT017
        else:
            assert math.isfinite(value)


@pytest.mark.parametrize(
    ("text", "unit", "reason"),
    [
        ("2", "TeV", "needs a unit"),
        ("2 kg", "TeV", "wrong unit"),
        ("2 TeV", "", "wrong unit"),
        ("2 parsec", "m", "unknown unit 'parsec'"),
        ("2 tev", "TeV", "unknown unit 'tev'"),
        ("TeV", "TeV", "not a number"),
        ("", "", "not a number"),
        ("nan", "", "not a finite number"),
        ("-inf", "", "not a finite number"),
        ("nan TeV", "TeV", "not a finite number"),
        ("1e400", "", "not a finite number"),
        ("1/0", "", "not a number"),
        ("sqrt(-1)", "", "not a number"),
        ("(-8)**(1/3)", "", "not a number"),
        ("10.0**400", "", "not a number"),
        ("2 3", "", "not a number"),
        ("√", "", "not a number"),
        ("−", "", "not a number"),
        ("2 × ", "", "not a number"),
        ("2²³ᵃ", "", "not a number"),
        ("sqrt(2, 3)", "", "not a number"),
        ("exp(2)", "", "not a number"),
        ("__import__('os')", "", "not a number"),
        ("'2'", "", "not a number"),
        ("[2]", "", "not a number"),
    ],
)
def test_a_refusal_names_the_value_the_reason_and_what_is_allowed(text, unit, reason):
    with pytest.raises(NurecoilError) as refusal:
        parse_quantity(text, unit, name="m_zprime")
    sentence = str(refusal.value)
    assert f"m_zprime = {text}" in sentence
    assert reason in sentence
    assert "allowed are" in sentence


@pytest.mark.parametrize("text", ["-" * 5000 + "1", "-" * 100_000 + "1", "+".join(["1"] * 20_000)])
def test_an_endless_expression_is_refused(text):
    with pytest.raises(NurecoilError):
        parse_quantity(text, "")


def test_a_refusal_comes_without_warnings(recwarn):
    warnings.simplefilter("always")
    with pytest.raises(NurecoilError):
        parse_quantity("1or 2", "")
    assert not recwarn.list


@given(UNIT_NAMES, UNIT_NAMES)
def test_conversion_inverts_or_refuses_another_dimension(unit, to):
    if UNITS[unit][0] == UNITS[to][0]:
        assert conversion(unit, to) * conversion(to, unit) == pytest.approx(1.0, rel=1e-14)
    else:
        with pytest.raises(NurecoilError, match="is a unit of"):
            conversion(unit, to)


@pytest.mark.parametrize(
    ("text", "unit", "ends"),
    [
        ("0.1..10TeV", "TeV", (0.1, 10.0)),
        ("100GeV..10TeV", "TeV", (0.1, 10.0)),
        ("500..900 GeV", "TeV", (0.5, 0.9)),
        ("-sqrt(3)..sqrt(3)", "", (-math.sqrt(3), math.sqrt(3))),
        ("−√3..√3", "", (-math.sqrt(3), math.sqrt(3))),
        ("−√3 … √3", "", (-math.sqrt(3), math.sqrt(3))),
        ("−0.5..−.25", "", (-0.5, -0.25)),
        ("0..1e-9", "mu_B", (0.0, 1e-9)),
        ("10..0.1TeV", "TeV", (10.0, 0.1)),  # the order is judged where the range is used
    ],
)
def test_ranges(text, unit, ends):
    assert parse_range(text, unit, name="x") == pytest.approx(ends, rel=1e-14)


@pytest.mark.parametrize("text", ["2TeV", "..2TeV", "2TeV..", "..", "2TeV-3TeV", "2–3TeV", "0...5TeV"])
def test_what_is_not_a_range_is_refused_with_an_example(text):
    with pytest.raises(NurecoilError, match=r"m_zprime = .* is not a range: write LOW\.\.HIGH"):
        parse_range(text, "TeV", name="m_zprime")


def test_a_range_without_any_unit_is_refused():
    with pytest.raises(NurecoilError, match="needs a unit"):
        parse_range("0.1..10", "TeV", name="m_zprime")

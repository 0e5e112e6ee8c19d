"""Numbers as people write them: `2TeV`, `-sqrt(3)`, `8.4 us`; read once, at the border.

Inside the package there are only floats, in MeV or in the unit that a name ends with. The command line
and the experiment cards pass their texts through `parse_quantity`.
"""

import ast
import math
import operator
import re
import warnings
from collections.abc import Callable, Iterable, Mapping

from nurecoil.errors import NurecoilError

UNITS: Mapping[str, tuple[str, float]] = {
    "eV": ("energy", 1e-6),
    "keV": ("energy", 1e-3),
    "MeV": ("energy", 1.0),
    "GeV": ("energy", 1e3),
    "TeV": ("energy", 1e6),
    "ns": ("time", 1e-9),
    "us": ("time", 1e-6),
    "ms": ("time", 1e-3),
    "s": ("time", 1.0),
    "h": ("time", 3600.0),
    "day": ("time", 86400.0),
    "fm": ("length", 1e-15),
    "mm": ("length", 1e-3),
    "cm": ("length", 1e-2),
    "m": ("length", 1.0),
    "km": ("length", 1e3),
    "kpc": ("length", 3.0856775814913673e19),
    "cm2": ("area", 1e-4),
    "eV2": ("squared mass", 1.0),
    "g": ("mass", 1e-3),
    "kg": ("mass", 1.0),
    "tonne": ("mass", 1e3),
    "kW": ("power", 1e-6),
    "MW": ("power", 1e-3),
    "GW": ("power", 1.0),
    "mu_B": ("magnetic moment", 1.0),
    "e": ("electric charge", 1.0),
    "%": ("fraction", 1e-2),
}

_BARE = ("", "mu_B", "e")  # what a number without a unit may be in
_PRINTED = {"cm2": "cm²", "eV2": "eV²", "mu_B": "μ_B"}

_OPERATORS: Mapping[type, Callable[..., float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
_LETTERS_AT_END = re.compile(r"^(?P<number>.*?)\s*(?P<letters>cm2|eV2|[A-Za-z_%]*)$")
_TYPESET = str.maketrans(  # as papers and word processors write
    "−–‐‑﹣－×·⋅∙÷∕⁄\u00a0\u2007\u2009\u202fµμ％", "------****///    uu%"
) | str.maketrans({"^": "**", "π": "pi", "…": ".."})
_RAISED = str.maketrans("⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "+-0123456789")


def conversion(unit: str, to: str) -> float:
    """Return the factor that turns a number in `unit` into one in `to`.

    >>> conversion("TeV", "MeV")
    1000000.0
    """
    if unit == to:
        return 1.0
    dimension, factor = UNITS[unit]
    if UNITS[to][0] != dimension:
        raise NurecoilError(f"{unit} is a unit of {dimension}, not of {UNITS[to][0]}")
    return factor / UNITS[to][1]


def parse_quantity(text: str, unit: str, *, name: str = "value") -> float:
    """Return the number that `text` stands for, in `unit` ("" for a pure number).

    A text is an arithmetic expression (numbers, + - * / **, parentheses, `sqrt`, `pi`), followed by a
    unit wherever `unit` is an energy, time, length or mass: a bare number would be a guess. A magnetic
    moment or an electric charge may leave its unit out (the Bohr magneton, the positron's charge). Signs may
    be typeset: −√3, 2.9 × 10⁻¹¹.

    >>> parse_quantity("2TeV", "MeV")
    2000000.0
    >>> parse_quantity("-1/sqrt(3)", "")
    -0.5773502691896258
    """
    number, written = _split(text)
    if written and written not in UNITS:
        if not number:
            raise NurecoilError(_refusal(name, text, unit))
        raise NurecoilError(f"{name} = {text}: unknown unit '{written}'; {_allowed(unit)}")
    value = _evaluate(number, name, text, unit)
    if not written:
        if unit not in _BARE:
            raise NurecoilError(f"{name} = {text} needs a unit; {_allowed(unit)}")
        return value
    if UNITS[written][0] != (UNITS[unit][0] if unit else "fraction"):
        raise NurecoilError(f"{name} = {text} has the wrong unit; {_allowed(unit)}")
    return value * (conversion(written, unit) if unit else UNITS[written][1])


def parse_range(text: str, unit: str, *, name: str) -> tuple[float, float]:
    """Return the two ends of a range written `LOW..HIGH`; LOW may leave its unit to HIGH.

    >>> parse_range("0.1..10TeV", "TeV", name="m_zprime")
    (0.1, 10.0)
    """
    low_text, dots, high_text = _typed(text).partition("..")
    if not (dots and low_text.strip() and high_text.strip()) or high_text.startswith("."):
        raise NurecoilError(f"{name} = {text} is not a range: write LOW..HIGH, for example 0.1..10{unit}")
    return _pair(low_text, high_text, unit, name, name)


def parse_uncertain(text: str, unit: str, *, name: str) -> tuple[float, float]:
    """Return the value and the width of `VALUE+-WIDTH` (or ± or +/-); VALUE may leave its unit to WIDTH.

    >>> parse_uncertain("4.975 ± 0.095 fm", "fm", name="rn_csi")
    (4.975, 0.095)
    """
    value, *width = (part.strip() for part in re.split(r"\+/?-|±", _typed(text)))
    if len(width) != 1 or not (value and width[0]):
        raise NurecoilError(f"{name} = {text} is not of the form VALUE+-WIDTH, for example 0.23857+-0.00005")
    if width[0].endswith("%") and not value.endswith("%"):
        raise NurecoilError(
            f"{name} = {text}: it is not clear what the width is {width[0]} of, give a number"
        )
    return _pair(value, width[0], unit, name, f"the width of {name}")


def _pair(first: str, second: str, unit: str, name: str, other: str) -> tuple[float, float]:
    """Return two quantities; the first may leave its unit to the second."""
    last = parse_quantity(second, unit, name=other)
    return parse_quantity(first if _split(first)[1] else first + _split(second)[1], unit, name=name), last


def format_quantity(value: float, unit: str, digits: int = 4) -> str:
    """Return `value` with `digits` significant digits and its unit.

    >>> format_quantity(1.41234, "TeV", 3), format_quantity(1e-32, "cm2")
    ('1.41 TeV', '1e-32 cm²')
    """
    return f"{value:.{digits}g} {printed(unit)}".strip()


def unit_of(text: str) -> str:
    """Return the unit that a quantity, or the end of a range, is written in; "" if none.

    >>> unit_of("0.2..20 TeV"), unit_of("-1/sqrt(3)")
    ('TeV', '')
    """
    _, unit = _split(text)
    return unit if unit in UNITS else ""


def printed(unit: str) -> str:
    """Return a unit as people read it."""
    return _PRINTED.get(unit, unit)


def _split(text: str) -> tuple[str, str]:
    """Return the expression and the unit ("" if none) of a text."""
    match = _LETTERS_AT_END.match(_typed(text).strip())
    number, letters = (match["number"], match["letters"]) if match else (text, "")
    if letters in {"pi", "nan", "inf", "infinity"}:
        return number + letters, ""
    return number, "mu_B" if letters in {"u_B", "uB"} else letters


def _typed(text: str) -> str:
    """Return a text with the signs of a keyboard."""
    text = re.sub(r"(cm|\beV|(?<=\d)eV)\s*(?:²|\^2|\*\*2)", r"\g<1>2", text)
    text = re.sub("[⁺⁻⁰¹²³⁴-⁹]+", lambda power: "**" + power[0].translate(_RAISED), text)
    text = re.sub(r"(?<=[\d)])\s*√", "*√", text.translate(_TYPESET))
    return re.sub(r"√\s*(\d+(?:\.\d+)?|\.\d+)", r"sqrt(\1)", text).replace("√", "sqrt")


def _evaluate(expression: str, name: str, text: str, unit: str) -> float:
    try:
        with warnings.catch_warnings(action="ignore"):  # of Python's own parser, as for "1or 2"
            value = float(_value_of(ast.parse(expression, mode="eval").body))
    except (SyntaxError, ValueError, ArithmeticError, TypeError, RecursionError, MemoryError):
        raise NurecoilError(_refusal(name, text, unit)) from None
    if not math.isfinite(value):
        raise NurecoilError(f"{name} = {text} is not a finite number; {_allowed(unit)}")
    return value


def _value_of(node: ast.expr) -> float:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return float(number)
        case ast.Name(id="pi"):
            return math.pi
        case ast.Name(id="nan" | "inf" | "infinity"):
            return math.nan
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_value_of(operand))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_value_of(left), _value_of(right))
        case ast.Call(func=ast.Name(id="sqrt"), args=[argument], keywords=[]):
            return math.sqrt(_value_of(argument))
    raise ValueError(ast.unparse(node))


def _allowed(unit: str) -> str:
    if not unit:
        return "allowed are pure numbers such as 0.5, 2.9e-11 or -1/sqrt(3)"
    units = [u for u, (dimension, _) in UNITS.items() if dimension == UNITS[unit][0]]
    return f"allowed are numbers with a unit, such as 2{unit} (units: {', '.join(units)})"


def _refusal(name: str, text: str, unit: str) -> str:
    return f"{name} = {text} is not a number; {_allowed(unit)}"


def named_values(option: str, form: str, texts: Iterable[str]) -> dict[str, str]:
    """Return the value of each NAME=VALUE, every name at most once."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise NurecoilError(f"{option} '{text}' is not of the form {form}")
        if name in found:
            raise NurecoilError(f"{option} gives {name} twice: {found[name]} and {value}")
        found[name] = value
    return found

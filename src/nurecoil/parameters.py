"""Parameters: name, default, bounds, prior, LaTeX, unit and reference, each in one place."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from nurecoil.errors import NurecoilError, unknown_name
from nurecoil.quantities import UNITS, conversion, format_quantity, parse_quantity, parse_range, unit_of

Value: TypeAlias = Any  # a float, an array of floats (points of a scan), or the word of a choice
Values = Mapping[str, Value]
Widths: TypeAlias = Mapping[str, float | tuple[float, float]]
"""Prior widths by name of pull; for a parameter of the model, the centre and the width of a constraint."""

_INFINITY = ("inf", "+inf", "infinity", "∞")


@dataclass(frozen=True)
class Parameter:
    """One parameter of a model, or one nuisance parameter of an experiment.

    Attributes
    ----------
    name, description, latex, reference
        How it is called, what it is, its symbol ("" for most pulls, which figures call by words), where it is
        defined.
    default
        Its value where none is given; None where one must be given, because any would be a guess.
    unit
        The unit at the border ("" for a pure number). Inside the package energies are in MeV.
    low, high
        The smallest and the largest value allowed, inclusive, in the inside unit.
    choices
        The words allowed, for a parameter that is a choice and not a number.
    log_scan
        Whether a scan spaces its points evenly in the logarithm.
    prior_width
        The standard deviation of a Gaussian prior around the default; infinite for a pull that floats inside
        its bounds, and None for no prior.
    shown
        The unit of texts, where it was asked for in another than `unit`.
    decouples
        Whether infinity is a value: there the model is the Standard Model, as for the mass of a mediator.

    Examples
    --------
    >>> Parameter("g", "coupling", "g", 0.0, low=0.0, high=1.0).allowed()
    'between 0 and 1'
    >>> Parameter("m", "mass", "m", None, unit="TeV", low=0.0).inside  # in MeV
    1000000.0
    """

    name: str
    description: str
    latex: str
    default: float | str | None
    unit: str = ""
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[str, ...] = ()
    log_scan: bool = False
    prior_width: float | None = None
    reference: str = ""
    decouples: bool = False
    shown: str = ""

    def __post_init__(self) -> None:
        """Refuse an unknown unit, bounds that are reversed, and a default that is no value."""
        if self.unit and self.unit not in UNITS:
            raise unknown_name(f"unit of {self.name}", self.unit, UNITS)
        if not self.low <= self.high:
            raise NurecoilError(f"the bounds of {self.name}, {self.low} and {self.high}, are reversed")
        if self.default is not None and (not self.choices) == isinstance(self.default, str):
            raise NurecoilError(f"the default of {self.name}, {self.default!r}, is no value of it")

    @property
    def inside(self) -> float:
        """The factor from the unit at the border to the one inside (MeV for energies)."""
        return conversion(self.unit, "MeV") if self.unit and UNITS[self.unit][0] == "energy" else 1.0

    def parse(self, text: str) -> float | str:
        """Return the value, in the inside unit, that a user's `text` stands for, checked."""
        if self.choices:
            value: float | str = text
        elif self.decouples and text.strip().lower() in _INFINITY:
            return math.inf
        else:
            value = parse_quantity(text, self.unit, name=self.name) * self.inside
        self.check(value)
        return value

    def check(self, value: ArrayLike, *, infinite: bool = False) -> None:
        """Raise a `NurecoilError` that names `value` and what is allowed, unless it is allowed.

        Infinity is where a parameter decouples, if `infinite`: it cannot be an end of a range or a start.
        """
        if self.choices:
            if value not in self.choices:
                raise unknown_name(f"value of {self.name}", str(value), self.choices)
            return
        try:
            numbers = np.asarray(value, dtype=float)
        except (TypeError, ValueError):
            raise NurecoilError(f"{self.name} = {value!r} is not a number") from None
        allowed = np.isfinite(numbers) & (numbers >= self.low) & (numbers <= self.high)
        bad = ~(allowed | (infinite and self.decouples and numbers == math.inf))
        if bad.any():
            first = float(numbers[bad][0])
            raise NurecoilError(
                f"{self.name} = {self.format(first)} is not allowed: it must be {self.allowed()}"
            )

    @property
    def as_asked(self) -> "Parameter":
        """It in the unit of texts."""
        return replace(self, unit=self.shown) if self.shown else self

    def require_number(self, doing: str) -> None:
        """Refuse a parameter that is a choice."""
        if self.choices:
            raise NurecoilError(f"{self.name} cannot be {doing}: it is a choice, {self.allowed()}")

    def allowed(self) -> str:
        """Return in words which values are allowed."""
        if self.choices:
            return " or ".join(self.choices)
        low, high = (self.format(x) if math.isfinite(x) else "" for x in (self.low, self.high))
        if low and high:
            return f"between {low} and {high}"
        if low:
            return f"{low} or more"
        return f"{high} or less" if high else "a finite number"

    def format(self, value: float, digits: int = 6) -> str:
        """Return `value` (inside unit) as a text in the unit at the border, or the one that was asked for."""
        asked = self.as_asked
        return format_quantity(value / asked.inside, asked.unit, digits)


@dataclass(frozen=True)
class Range:
    """The range of a parameter that is scanned, sampled or profiled over (inside units: energies in MeV).

    Examples
    --------
    >>> mass = Parameter("m", "mass", "m", None, unit="MeV", low=0.0, log_scan=True)
    >>> within = Range.parse(mass, "0.1..2 TeV")
    >>> within.ends, within.log
    ((100000.0, 2000000.0), True)
    """

    parameter: Parameter
    low: float
    high: float

    def __post_init__(self) -> None:
        """Refuse a range that is reversed, empty, infinite or out of the parameter's bounds."""
        p = self.parameter
        if not self.low < self.high:
            raise NurecoilError(
                f"the range of {p.name}, {p.format(self.low)} to {p.format(self.high)}, is reversed or empty:"
                " write LOW..HIGH with LOW below HIGH"
            )
        p.check([self.low, self.high])

    @classmethod
    def parse(cls, parameter: Parameter, text: str) -> "Range":
        """Return the range that LOW..HIGH, such as 0.2..20TeV, stands for."""
        low, high = parse_range(text, parameter.unit, name=parameter.name)
        parameter = replace(parameter, shown=unit_of(text) if parameter.unit else "")
        return cls(parameter, low * parameter.inside, high * parameter.inside)

    @property
    def ends(self) -> tuple[float, float]:
        """Both ends."""
        return self.low, self.high

    @property
    def log(self) -> bool:
        """Whether points are spaced evenly in the logarithm."""
        return self.parameter.log_scan and self.low > 0


def find(parameters: Iterable[Parameter], name: str, kind: str = "parameter") -> Parameter:
    """Return the parameter called `name`, or raise an error with the nearest name."""
    by_name = {p.name: p for p in parameters}
    if name not in by_name:
        raise unknown_name(kind, name, by_name)
    return by_name[name]


def resolve(parameters: Iterable[Parameter], given: Values, model: str) -> dict[str, Value]:
    """Return a checked value for every parameter of a model: the one given, else its default.

    Raises
    ------
    NurecoilError
        For an unknown name, a value out of bounds, or a parameter without default that is not given.
    """
    parameters = tuple(parameters)
    for name in given:
        find(parameters, name).check(given[name], infinite=True)
    values: dict[str, Value] = {}
    for parameter in parameters:
        value = given.get(parameter.name, parameter.default)
        if value is None:
            raise NurecoilError(
                f"{model}: parameter {parameter.name} has no default and must be given:"
                f" {parameter.description}, {parameter.allowed()}"
            )
        values[parameter.name] = value
    return values


def written(parameters: Iterable[Parameter], values: Values, digits: int = 4) -> str:
    """Return "name = value" of each parameter that has a value."""
    found = ((p, values[p.name]) for p in parameters if p.name in values)
    return ", ".join(f"{p.name} = {p.format(float(value), digits)}" for p, value in found)


def at_border(parameters: Iterable[Parameter], values: Values) -> dict[str, dict[str, float | str]]:
    """Return each parameter's value and unit as a user writes them."""
    return {
        p.name: {"value": value if isinstance(value, str) else float(value) / p.inside, "unit": p.unit}
        for p in parameters
        if (value := values.get(p.name)) is not None
    }

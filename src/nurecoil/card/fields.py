"""Kinds of fields of an experiment card: numbers with units, bins, names; each refuses what is wrong."""

from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from nurecoil.checks import require_ascending
from nurecoil.errors import NurecoilError
from nurecoil.quantities import parse_quantity


def with_unit(unit: str) -> Callable[[object], float]:
    """Return what reads a text with a unit, in `unit`."""

    def read(value: object) -> float:
        if not isinstance(value, str):
            raise NurecoilError(f"{value} needs a unit: write it as a text, for example '{value} {unit}'")
        return parse_quantity(value, unit)

    return read


def ascending(numbers: tuple[float, ...]) -> tuple[float, ...]:
    """Return two or more numbers that ascend, refuse others."""
    require_ascending("value", numbers)
    return numbers


def name_for(load: Callable[[str], object]) -> Callable[[str], str]:
    """Return what passes the names that `load` knows."""

    def check(name: str) -> str:
        load(name)
        return name

    return check


def within(low: float, high: float, unit: str) -> AfterValidator:
    """Return what refuses numbers outside of bounds, and says these with their unit."""

    def check(number: float) -> float:
        if not low <= number <= high:
            raise NurecoilError(f"{number:g} is not allowed: it must be from {low:g} to {high:g} {unit}")
        return number

    return AfterValidator(check)


Positive = Annotated[float, Field(gt=0, le=1e9)]
NotNegative = Annotated[float, Field(ge=0, le=1e9)]
Number = Annotated[float, Field(ge=-1e9, le=1e9)]
Probability = Annotated[float, Field(ge=0, le=1)]
Counts = Annotated[float, within(0, 1e12, "counts")]
Width = Annotated[float, within(0, 3, "(a fraction: 0.1 is 10 %)")]
Ascending = Annotated[tuple[Number, ...], AfterValidator(ascending)]
Kilograms = Annotated[float, BeforeValidator(with_unit("kg")), within(1e-6, 1e9, "kg")]
Metres = Annotated[float, BeforeValidator(with_unit("m")), within(1, 1e4, "m")]
Microseconds = Annotated[float, BeforeValidator(with_unit("us")), within(-1e5, 1e5, "us")]
TimeEdges = Annotated[tuple[Annotated[float, within(-1e5, 1e5, "us")], ...], AfterValidator(ascending)]
Column = Annotated[int, Field(ge=0)]


class Section(BaseModel):
    """A section of a card: unknown fields are errors, numbers are finite, and true is no number."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)

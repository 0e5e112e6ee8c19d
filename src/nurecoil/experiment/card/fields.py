"""Kinds of fields of an experiment card: numbers with units, bins, names; each refuses what is wrong."""

from collections.abc import Callable
from dataclasses import MISSING, fields
from functools import partial
from typing import Annotated, Any, Literal, Union

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetPydanticSchema,
    create_model,
)

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


def kind(name: str, of: type, **types: Any) -> Any:
    """Return what reads a table of that `kind` into a call of a dataclass, whose fields are of those types.

    Defaults are those of the dataclass, and what its fields may be together is checked by the call.
    """
    given = [(f.name, ... if f.default is MISSING else f.default) for f in fields(of)]
    allowed: Any = {"kind": (Literal[name], ...)} | {f: (types[f], default) for f, default in given}
    section = create_model(of.__name__, __base__=Section, **allowed)
    return Annotated[section, AfterValidator(lambda read: partial(of, *(getattr(read, f) for f, _ in given)))]


def one_of(*kinds: Any) -> GetPydanticSchema:
    """Return what reads a table as its `kind` says."""
    union: Any = Union[kinds]  # noqa: UP007 (of a tuple)
    schema = Annotated[union, Field(discriminator="kind")]
    return GetPydanticSchema(lambda _, handler: handler.generate_schema(schema))

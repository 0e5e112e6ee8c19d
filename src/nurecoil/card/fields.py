"""Kinds of fields of an experiment card: numbers with units, bins, names; each refuses what is wrong."""

from collections.abc import Callable
from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

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
    if len(numbers) < 2 or any(low >= high for low, high in pairwise(numbers)):
        raise NurecoilError(
            f"{list(numbers)} is not allowed: it must be two or more numbers in ascending order"
        )
    return numbers


def name_for(load: Callable[[str], object]) -> Callable[[str], str]:
    """Return what passes the names that `load` knows."""

    def check(name: str) -> str:
        load(name)
        return name

    return check


Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Probability = Annotated[float, Field(ge=0, le=1)]
Ascending = Annotated[tuple[float, ...], AfterValidator(ascending)]
Kilograms = Annotated[Positive, BeforeValidator(with_unit("kg"))]
Metres = Annotated[Positive, BeforeValidator(with_unit("m"))]
Microseconds = Annotated[float, BeforeValidator(with_unit("us"))]
Column = Annotated[int, Field(ge=0)]


class Section(BaseModel):
    """A section of a card: unknown fields are errors, numbers are finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=False)

"""Refusing what cannot be: the rules of fields, told alike by Python, by cards and by the page on cards.

A rule stands in the annotation of a field, `factor: Annotated[float, Number(0, 1)]`. `check_fields` refuses
what breaks it where a thing is made, the reader of cards where one is read, with the field's place.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import inf
from numbers import Integral
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeAlias, TypeVar, Union, get_args, get_origin, get_type_hints

from nurecoil.errors import NurecoilError


@dataclass(frozen=True)
class Number:
    """A number from `low` (or above it) to `high`; if `written`, cards have it as a text with its unit.

    >>> print(Number(0, 1, above=True), "|", Number(1, 1e4, "m"))
    above 0 and at most 1 | from 1 to 10000 m
    """

    low: float = -1e9
    high: float = 1e9
    unit: str = ""
    above: bool = False
    written: bool = False

    def allows(self, value: float) -> bool:
        """Return whether a value is allowed; NaN is not."""
        return (self.low < value if self.above else self.low <= value) and value <= self.high

    def __str__(self) -> str:
        """Return in words what is allowed."""
        low, high = f"{self.low:g}", f"{self.high:g}"
        ends = f"above {low} and at most {high}" if self.above else f"from {low} to {high}"
        return f"{ends} {self.unit}".strip()


@dataclass(frozen=True)
class Ascending:
    """Finite numbers that ascend strictly."""

    at_least: int = 2

    def allows(self, values: Sequence[float]) -> bool:
        """Return whether values are allowed."""
        finite = all(abs(value) < float("inf") for value in values)
        return finite and len(values) >= self.at_least and all(a < b for a, b in pairwise(values))

    def __str__(self) -> str:
        """Return in words what is allowed."""
        return f"{self.at_least} or more finite numbers in ascending order"


@dataclass(frozen=True)
class Choice:
    """One of some words."""

    words: tuple[str, ...]

    def allows(self, value: object) -> bool:
        """Return whether a value is allowed."""
        return isinstance(value, str) and value in self.words

    def __str__(self) -> str:
        """Return in words what is allowed."""
        return " or ".join(map(repr, self.words))


@dataclass(frozen=True)
class LeftOut:
    """What a card means that leaves a field out which Python code must give."""

    value: object


T = TypeVar("T")
Rule: TypeAlias = Number | Ascending | Choice
Positive = Annotated[float, Number(0, above=True)]
NotNegative = Annotated[float, Number(0)]
Finite = Annotated[float, Number()]
Probability = Annotated[float, Number(0, 1)]
Fraction = Annotated[float, Number(0, 1, above=True)]
Microseconds = Annotated[float, Number(-1e5, 1e5, "us", written=True)]


def require(allowed: bool, name: str, value: object, what: object) -> None:
    """Raise an error that names the value and says `what` is allowed, unless it is `allowed`.

    Write the condition so that NaN fails it: every comparison with NaN is false.

    >>> require(0 < float("nan") <= 1, "factor", float("nan"), "above 0 and at most 1")
    Traceback (most recent call last):
    nurecoil.errors.NurecoilError: factor = nan is not allowed: it must be above 0 and at most 1
    """
    if not allowed:
        shown = list(value) if isinstance(value, tuple) else value
        raise NurecoilError(f"{name} = {shown} is not allowed: it must be {what}")


def require_whole(name: str, number: object, low: int, high: float = inf) -> None:
    """Raise an error unless `number` is whole, no truth value, and from `low` to `high`.

    >>> require_whole("toys", 0.5, 0)
    Traceback (most recent call last):
    nurecoil.errors.NurecoilError: toys = 0.5 is not allowed: it must be 0 or more, and whole
    """
    whole = isinstance(number, Integral) and not isinstance(number, bool)
    ends = f"{low} or more" if high == inf else f"between {low} and {high}"
    shown = repr(number) if isinstance(number, str) else number
    require(whole and low <= number <= high, name, shown, f"{ends}, and whole")  # type: ignore[operator]


def require_ascending(name: str, values: Sequence[float], at_least: int = 2) -> None:
    """Raise an error unless `values` are finite and ascend strictly.

    >>> require_ascending("edges", (0.0, 2.0, 1.0))
    Traceback (most recent call last):
    nurecoil.errors.NurecoilError: edges = [0.0, 2.0, 1.0] is not allowed: it must be 2 or more finite
    numbers in ascending order
    """
    rule = Ascending(at_least)
    require(rule.allows(values), name, tuple(values), rule)


def require_one_each(what: str, values: Sequence[float], name: str, of: Sequence[float]) -> None:
    """Raise an error unless there are as many `values` as there are `of`."""
    require(len(values) == len(of), f"number of {what}", len(values), f"{len(of)}, one for each {name}")


def check_fields(thing: Any, what: str = "") -> None:
    """Refuse a dataclass a field of which breaks the rule of its annotation; `what` is said before its name.

    >>> @dataclass(frozen=True)
    ... class Dimmed:
    ...     factor: Probability
    >>> check_fields(Dimmed(1.5), "dimming")
    Traceback (most recent call last):
    nurecoil.errors.NurecoilError: dimming factor = 1.5 is not allowed: it must be from 0 to 1
    """
    kind: Any = type(thing)
    for name, own, of_each in _rules(kind):
        value = getattr(thing, name)
        label = what if name in (what, "value") else f"{what} {name}".strip()
        for rule in own:
            require(value is None or _follows(value, rule), label, value, rule)
        for rule in of_each:
            require(_follows(value, rule, each=True), label, value, f"numbers {rule}")


def _follows(value: Any, rule: Any, each: bool = False) -> bool:
    """Return whether a value, or each of it, follows a rule; what cannot be compared does not."""
    try:
        return all(map(rule.allows, value)) if each else bool(rule.allows(value))
    except TypeError:
        return False


def opened(hint: Any) -> tuple[Any, list[Any]]:
    """Return the bare type of an annotation, all types if there are several but None, and its marks."""
    marks = list(getattr(hint, "__metadata__", ()))
    bare = get_args(hint)[0] if marks else hint
    if get_origin(bare) is Literal:
        return str, [*marks, Choice(get_args(bare))]
    if get_origin(bare) not in (Union, UnionType):
        return bare, marks
    parts = tuple(part for part in get_args(bare) if part is not NoneType)
    only, more = opened(parts[0])
    return (only, marks + more) if len(parts) == 1 else (parts, marks)


def checked(what: str) -> Callable[[type[T]], type[T]]:
    """Return what makes a dataclass refuse what its annotations do not allow; stands below `@dataclass`."""

    def with_check(kind: type[T]) -> type[T]:
        kind.__post_init__ = lambda thing: check_fields(thing, what)  # type: ignore[attr-defined]
        return kind

    return with_check


@cache
def _rules(kind: Any) -> list[tuple[str, list[Rule], list[Rule]]]:
    """Return the rules of each field of a dataclass, and those of each item of one that holds many."""
    found = []
    for name, hint in get_type_hints(kind, include_extras=True).items():
        bare, marks = opened(hint)
        many = get_origin(bare) is tuple and get_args(bare)[1:] == (...,)
        both = marks, opened(get_args(bare)[0])[1] if many else []
        own, of_each = ([mark for mark in some if isinstance(mark, Rule)] for some in both)
        found.append((name, own, of_each))
    return found

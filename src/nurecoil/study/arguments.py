"""What arguments of verbs may be: several things, mappings, confidence levels, whole numbers."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from nurecoil.checks import require_whole
from nurecoil.errors import NurecoilError
from nurecoil.quantities import parse_quantity

MOST_TOYS = 10_000_000


def mapping(given: Any, what: str) -> Mapping[str, Any]:
    """Return a mapping of names to what is said of them, or refuse what is none."""
    if given is not None and not isinstance(given, Mapping):
        raise NurecoilError(f"{what} = {given!r} is not allowed: give names with values, {{'NAME': VALUE}}")
    return given or {}


def several(given: Any, what: str, one: Any = str) -> Sequence[Any]:
    """Return several things, or the one that is given, or refuse what is no list of any."""
    if isinstance(given, one):
        return [given]
    if not isinstance(given, Iterable):
        raise NurecoilError(f"{what} = {given!r} is not allowed: give a name, or several in a list")
    return list(given)


def several_levels(cl: "float | str | Iterable[float | str]") -> list[float]:
    """Return confidence levels, each once: 0.9, "90%", or several of these."""
    levels = [level(each) for each in several(cl, "cl", str | int | float)]
    if not levels:
        raise NurecoilError("at least one confidence level is needed")
    for each in levels:
        if levels.count(each) > 1:
            raise NurecoilError(f"cl is given {levels.count(each)} times as {each:g}: once is enough")
    return levels


def level(given: float | str) -> float:
    """Return a confidence level: 0.9, "90%" or "90"."""
    if not isinstance(given, str | int | float | np.floating):
        raise NurecoilError(f"confidence level {given!r} is not a number, such as 0.9 or '90%'")
    found = parse_quantity(given, "", name="cl") if isinstance(given, str) else float(given)
    if 50 <= found < 100 and "%" not in str(given):
        found /= 100
    if not 0 < found < 1:
        raise NurecoilError(
            f"confidence level {given} is not allowed: it must lie between 0 and 1, such as 0.9 or 90%"
        )
    return found


def require_toys(toys: int, seed: int) -> None:
    """Refuse numbers of toys and seeds that cannot be."""
    require_whole("toys", toys, 0, MOST_TOYS)
    require_whole("seed", seed, 0)

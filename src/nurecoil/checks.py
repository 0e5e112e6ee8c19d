"""Refusing what cannot be: each value of a detector or a source is checked once, where it enters."""

from collections.abc import Sequence
from itertools import pairwise

from nurecoil.errors import NurecoilError


def require(allowed: bool, name: str, value: object, what: str) -> None:
    """Raise an error that names the value and says `what` is allowed, unless it is `allowed`.

    Write the condition so that NaN fails it: every comparison with NaN is false.

    >>> require(0 < float("nan") <= 1, "factor", float("nan"), "above 0 and at most 1")
    Traceback (most recent call last):
    nurecoil.errors.NurecoilError: factor = nan is not allowed: it must be above 0 and at most 1
    """
    if not allowed:
        shown = list(value) if isinstance(value, tuple) else value
        raise NurecoilError(f"{name} = {shown} is not allowed: it must be {what}")


def require_ascending(name: str, values: Sequence[float], at_least: int = 2) -> None:
    """Raise an error unless `values` are finite and ascend strictly.

    >>> require_ascending("edges", (0.0, 2.0, 1.0))
    Traceback (most recent call last):
    nurecoil.errors.NurecoilError: edges = [0.0, 2.0, 1.0] is not allowed: it must be 2 or more finite
    numbers in ascending order
    """
    finite = all(abs(value) < float("inf") for value in values)
    rising = all(low < high for low, high in pairwise(values))
    require(
        finite and rising and len(values) >= at_least,
        name,
        tuple(values),
        f"{at_least} or more finite numbers in ascending order",
    )

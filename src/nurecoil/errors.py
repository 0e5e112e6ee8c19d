"""The one kind of error that a user's input can cause."""

from collections.abc import Iterable
from difflib import get_close_matches


class NurecoilError(ValueError):
    """Bad input: its message is one sentence that names the value and what is allowed.

    Everything that nurecoil refuses raises this error; the command line prints the sentence
    and exits with status 2.
    """


def unknown_name(kind: str, name: str, known: Iterable[str]) -> NurecoilError:
    """Return the error for a `name` that is none of the `known` ones, with the nearest of them.

    >>> str(unknown_name("model", "331beta", ["standard-model", "331-beta"]))
    "unknown model '331beta': did you mean '331-beta'? (known: standard-model, 331-beta)"
    """
    return NurecoilError(f"unknown {kind} '{name}'{nearest_of(name, known)}")


def nearest_of(name: str, known: Iterable[str]) -> str:
    """Return which of the `known` names is nearest, and all of them."""
    of_lower = {one.lower(): one for one in known}
    nearest = get_close_matches(str(name).lower(), of_lower, n=1, cutoff=0.4)
    if not nearest:
        return f": known are {', '.join(of_lower.values())}"
    return f": did you mean '{of_lower[nearest[0]]}'? (known: {', '.join(of_lower.values())})"

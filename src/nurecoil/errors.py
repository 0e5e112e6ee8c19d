"""The one kind of error that a user's input can cause."""

from collections.abc import Iterable
from difflib import get_close_matches


class NurecoilError(ValueError):
    """Bad input: its message is one sentence that names the value and what is allowed.

    Everything that nurecoil refuses raises this error; the command line prints the sentence
    and exits with status 2.

    Examples
    --------
    >>> import nurecoil
    >>> try:
    ...     nurecoil.load_model("331beta")
    ... except nurecoil.NurecoilError as error:
    ...     print(str(error)[:51])
    unknown model '331beta': did you mean '331-beta'? (
    """


def unknown_name(kind: str, name: str, known: Iterable[str]) -> NurecoilError:
    """Return the error for a `name` that is none of the `known` ones, with the nearest of them.

    >>> str(unknown_name("model", "331beta", ["standard-model", "331-beta"]))
    "unknown model '331beta': did you mean '331-beta'? (known: standard-model, 331-beta)"
    """
    return NurecoilError(f"unknown {kind} '{name}'{nearest_of(name, known)}")


def nearest_of(name: str, known: Iterable[str]) -> str:
    """Return which of the `known` names is nearest, and all of them."""
    known = list(known)
    bare = {each.lower().strip("-"): each for each in known}  # nor do the dashes of options make two alike
    nearest = get_close_matches(str(name).lower().strip("-"), bare, n=1, cutoff=0.6)
    if not nearest:
        return f": known are {', '.join(known)}"
    return f": did you mean '{bare[nearest[0]]}'? (known: {', '.join(known)})"

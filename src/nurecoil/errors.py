"""The one kind of error that a user's input can cause."""

from collections.abc import Iterable
from difflib import get_close_matches

_MANY, _SHOWN = 32, 8  # names: of more than so many, so many are shown


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
    """Return which of the `known` names is nearest, and all of them; of many the nearest ones.

    >>> nearest_of("x7", [f"x{n}" for n in range(90)])
    ": did you mean 'x7'? (known: x7, x87, x79, x78, x77, x76, x75, x74 and 82 more)"
    """
    known = list(known)
    bare = {each.lower().strip("-"): each for each in known}  # nor do the dashes of options make two alike
    written = str(name).lower().strip("-")
    nearest = [bare[each] for each in get_close_matches(written, bare, n=_SHOWN, cutoff=0.6)]
    if len(known) > _MANY:
        shown = [*nearest, *(each for each in known if each not in nearest)][:_SHOWN]
        listed = f"{', '.join(shown)} and {len(known) - len(shown)} more"
    else:
        listed = ", ".join(known)
    return f": did you mean '{nearest[0]}'? (known: {listed})" if nearest else f": known are {listed}"

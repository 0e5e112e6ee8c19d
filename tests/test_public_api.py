"""The public names and their arguments are those of public_api.txt, so that nothing changes unseen.

Where a change is meant: `python tests/test_public_api.py` writes the file anew, the CHANGELOG says it, and
docs/deprecation.md what is due to those who use the old one.
"""

import inspect
import re
from pathlib import Path

import nurecoil
from nurecoil.verbs import VERBS

FROZEN = Path(__file__).with_name("public_api.txt")


def line(name, thing):
    """Return a name, with its arguments and their defaults if it is called."""
    if not callable(thing) or (isinstance(thing, type) and issubclass(thing, Exception)):
        return name
    told = inspect.signature(thing)
    bare = [each.replace(annotation=each.empty) for each in told.parameters.values()]
    return name + re.sub(
        " at 0x[0-9a-f]+", "", str(told.replace(parameters=bare, return_annotation=told.empty))
    )


def lines():
    """Return the line of each public name, and of what a study and a result are asked."""
    yield from (line(name, getattr(nurecoil, name)) for name in sorted(nurecoil.__all__))
    for owner, names in ((nurecoil.Study, VERBS), (nurecoil.Result, ("plot", "record", "save"))):
        yield from (line(f"{owner.__name__}.{name}", getattr(owner, name)) for name in names)


def test_public_names_are_those_that_are_frozen():
    assert list(lines()) == FROZEN.read_text(encoding="utf-8").splitlines()


if __name__ == "__main__":
    FROZEN.write_text("\n".join(lines()) + "\n", encoding="utf-8")

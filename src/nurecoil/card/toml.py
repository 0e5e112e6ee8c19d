"""A TOML file as a checked object, with all its errors at once."""

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from nurecoil.card.fields import Section
from nurecoil.errors import NurecoilError

Card = TypeVar("Card", bound=Section)


def read_toml(path: Path, kind: str, card: type[Card]) -> Card:
    """Return what a file says, checked; `kind` is what errors call it."""
    try:
        return card.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise NurecoilError(f"cannot read the {kind} {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise NurecoilError(f"the {kind} {path} is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise NurecoilError(f"the {kind} {path} is not TOML: {error}") from None
    except ValidationError as error:
        raise NurecoilError(f"the {kind} {path} has {_listing(error)}") from None


def _listing(error: ValidationError) -> str:
    """Return all errors of a card in one sentence."""
    lines = []
    for item in error.errors(include_url=False):
        field = ".".join(str(part) for part in item["loc"]) or "card"
        message = item["msg"].removeprefix("Value error, ")
        given = item["input"]
        shown = f" (given: {given!r})" if isinstance(given, str | int | float | bool) else ""
        lines.append(f"[{field}] {message}{shown}")
    return f"{len(lines)} error{'s' if len(lines) > 1 else ''}: " + "; ".join(lines)

"""A TOML file as a checked object, with all its errors at once."""

import tomllib
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from nurecoil.errors import NurecoilError
from nurecoil.experiment.card.fields import Section

Card = TypeVar("Card", bound=Section)


def read_toml(path: Path, kind: str, card: type[Card]) -> tuple[Card, str]:
    """Return what a file says, checked, and its SHA-256; `kind` is what errors call it."""
    try:
        content = path.read_bytes()
        found = card.model_validate(_tuples(tomllib.loads(content.decode("utf-8-sig"))))
        return found, sha256(content).hexdigest()
    except OSError as error:
        raise NurecoilError(f"cannot read the {kind} {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise NurecoilError(f"the {kind} {path} is not UTF-8 text") from None
    except ValidationError as error:
        raise NurecoilError(f"the {kind} {path} has {_listing(error)}") from None
    except (ValueError, RecursionError) as error:  # of tomllib, for a number of 5000 digits as well
        raise NurecoilError(f"the {kind} {path} is not TOML: {error}") from None


def _tuples(value: object) -> object:
    """Return what TOML gives with tuples in place of lists, as strict sections want them."""
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


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

"""Cards by name or path: found, read, checked, and built with all errors at once."""

import tomllib
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from importlib import resources
from pathlib import Path

from pydantic import ValidationError

from nurecoil.card import schema
from nurecoil.card.building import build
from nurecoil.errors import NurecoilError, unknown_name
from nurecoil.experiment import Experiment


def experiment_names() -> tuple[str, ...]:
    """Return the names of the experiments that come with the package."""
    return tuple(sorted(path.stem for path in _cards()))


def load_experiment(name: str | Path) -> Experiment:
    """Return an experiment by name, or by the path of its card (a file that ends in .toml).

    Raises
    ------
    NurecoilError
        For an unknown name, a missing card or data file, and, all at once, for every error of a card.
    """
    path, card = read_card(name)
    try:
        return replace(build(card, path.parent), card_hash=sha256(path.read_bytes()).hexdigest())
    except NurecoilError as error:
        what = f"experiment {card.name}" if str(name) == card.name else f"the experiment card {path}"
        raise NurecoilError(f"{what}: {error}") from None


def read_card(name: str | Path) -> tuple[Path, schema.Card]:
    """Return the path of a card and the card itself, checked, without reading any data file."""
    path = _path(name)
    try:
        return path, schema.Card.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise NurecoilError(f"cannot read the experiment card {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise NurecoilError(f"the experiment card {path} is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise NurecoilError(f"the experiment card {path} is not TOML: {error}") from None
    except ValidationError as error:
        raise NurecoilError(f"the experiment card {path} has {listing(error)}") from None


def _path(name: str | Path) -> Path:
    if str(name).endswith(".toml"):
        if not Path(name).is_file():
            raise NurecoilError(f"there is no experiment card {name}")
        return Path(name)
    by_name = {card.stem: card for card in _cards()}
    if str(name) not in by_name:
        raise unknown_name("experiment", str(name), experiment_names())
    return by_name[str(name)]


def _cards() -> Iterator[Path]:
    for entry in resources.files("nurecoil.experiments").iterdir():
        if entry.name.endswith(".toml") and isinstance(entry, Path):
            yield entry


def listing(error: ValidationError) -> str:
    """Return all errors of a card in one sentence."""
    lines = []
    for item in error.errors(include_url=False):
        field = ".".join(str(part) for part in item["loc"]) or "card"
        message = item["msg"].removeprefix("Value error, ")
        given = item["input"]
        shown = f" (given: {given!r})" if isinstance(given, str | int | float | bool) else ""
        lines.append(f"[{field}] {message}{shown}")
    return f"{len(lines)} error{'s' if len(lines) > 1 else ''}: " + "; ".join(lines)

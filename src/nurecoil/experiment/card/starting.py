"""Starter cards: the text of a card to begin with, and of those that are shipped."""

from importlib import resources
from pathlib import Path

from nurecoil.errors import NurecoilError
from nurecoil.experiment.card.reading import card_path
from nurecoil.experiment.card.schema import checked_name

_STARTERS = resources.files("nurecoil.experiment") / "starters"


def card_text(name: str | Path) -> str:
    """Return the text of a card, with its comments, by name or path."""
    return card_path(name).read_text(encoding="utf-8")


def write_starter(name: str, folder: Path, *, bins: bool = False) -> list[Path]:
    """Write a commented card that works at once, with its data file if it has bins; no file is overwritten.

    Raises
    ------
    NurecoilError
        For a name that no experiment may have, and for a file that is there already.
    """
    checked_name(name)
    kind, card, data = "binned" if bins else "counting", folder / f"{name}.toml", folder / f"{name}.txt"
    text = (_STARTERS / f"{kind}.toml").read_text(encoding="utf-8")
    files = {card: text.replace("NAME", name).replace("FILE", data.name)}
    if bins:
        files[data] = (_STARTERS / "binned.txt").read_text(encoding="utf-8")
    for path in files:
        if path.exists():
            raise NurecoilError(f"{path} is there already: choose another name, or move it away")
    for path, content in files.items():
        path.write_text(content, encoding="utf-8")
    return list(files)

"""Cards by name or path: found, read, checked, and built with all errors at once; and cards to begin with."""

import re
from collections.abc import Iterator
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any, Final

from nurecoil.errors import NurecoilError, unknown_name
from nurecoil.experiment import Experiment, read_only
from nurecoil.experiment.card import schema
from nurecoil.experiment.card.building import build
from nurecoil.experiment.card.template_schema import TemplateCard
from nurecoil.experiment.card.templates import build_templates
from nurecoil.experiment.card.toml import read_toml

ELECTRONS = "+electrons"
_KINDS: Final = {"weak_charge": schema.WeakChargeCard, "templates": TemplateCard}  # others by a section
_STARTERS = resources.files("nurecoil.experiment") / "starters"


def experiment_names() -> tuple[str, ...]:
    """Return the names of the experiments that come with the package.

    >>> "binh2021-csi" in experiment_names()
    True
    """
    return tuple(sorted(path.stem for path in _cards()))


def load_experiment(name: str | Path) -> Experiment:
    """Return an experiment by name, or by the path of its card (a file that ends in .toml).

    "NAME+electrons" is the experiment with recoils of electrons counted too, where its card does not say that
    it sees none: `electron_recoils = false`. "NAME+KEY" has the quenching KEY of the card's `quenchings`.

    Raises
    ------
    NurecoilError
        For an unknown name, a missing card or data file, and, all at once, for every error of a card.

    Examples
    --------
    >>> load_experiment("binh2021-csi").statistics.pulls[0].name
    'binh2021-csi_signal'
    """
    plain, variants = _split(name)
    path = card_path(plain)
    card, sha256 = _read(path)
    quenchings = [v for v in variants if f"+{v}" != ELECTRONS]
    if len(quenchings) > 1 or len(variants) > len(quenchings) + 1:
        raise NurecoilError(f"experiment {name} is not allowed: it has one quenching, and {ELECTRONS} once")
    for variant in variants:
        card = _with_electrons(card) if f"+{variant}" == ELECTRONS else _with_quenching(card, variant)
    try:
        of_kind = build_templates if isinstance(card, TemplateCard) else build
        experiment = read_only(replace(of_kind(card, path.parent), card_hash=sha256))
        return replace(experiment, as_read=experiment)
    except NurecoilError as error:
        what = f"experiment {card.name}" if plain == path.stem else f"the experiment card {path}"
        raise NurecoilError(f"{what}: {error}") from None


def _split(name: str | Path) -> tuple[str, list[str]]:
    """Return a name without its variants, and these: "ge" and ["ybe", "electrons"] of "ge+ybe+electrons"."""
    found = re.fullmatch(r"(.*?)((?:\+[\w-]+)*)", str(name), re.DOTALL)
    assert found
    return found[1], found[2].split("+")[1:]


def _with_quenching(card: Any, variant: str) -> Any:
    """Return a card, called NAME+VARIANT, with another quenching."""
    known = getattr(card, "quenchings", {})
    if variant not in known:
        raise unknown_name(f"variant of {card.name}", variant, [*known, ELECTRONS[1:]])
    detector = replace(card.detector, quenching=known[variant])
    title = f"{card.title}, quenching {variant}"
    return replace(card, name=f"{card.name}+{variant}", title=title, detector=detector)


def _with_electrons(card: Any) -> Any:
    """Return a card, called NAME+electrons, that counts recoils of electrons."""
    section = getattr(card, "detector", None)
    if section is None or section.electron_recoils is False:
        raise NurecoilError(
            f"{card.name}{ELECTRONS}: {card.name} sees no recoils of electrons, says its card"
        )
    title, detector = f"{card.title}, with electrons", replace(section, electron_recoils=True)
    return replace(card, name=card.name + ELECTRONS, title=title, detector=detector)


def read_card(name: str | Path) -> tuple[Path, Any]:
    """Return the path of a card and the card itself, checked, without reading any data file."""
    path = card_path(_split(name)[0])
    return path, _read(path)[0]


def _read(path: Path) -> tuple[Any, str]:
    content = path.read_bytes() if path.is_file() else b""
    kind = next((k for k in _KINDS if re.search(rb"(?m)^\s*\[%b\]" % k.encode(), content)), "")
    return read_toml(path, "experiment card", _KINDS.get(kind, schema.Card))


def card_text(name: str | Path) -> str:
    """Return the text of a card, with its comments, by name or path."""
    return card_path(name).read_text(encoding="utf-8")


def card_path(name: str | Path) -> Path:
    """Return where a card is, by its name or path."""
    if str(name).endswith(".toml"):
        if not Path(name).is_file():
            raise NurecoilError(f"there is no experiment card {name}")
        return Path(name)
    by_name = {card.stem: card for card in _cards()}
    if str(name) not in by_name:
        raise unknown_name("experiment", str(name), experiment_names())
    return by_name[str(name)]


def _cards() -> Iterator[Path]:
    for entry in resources.files("nurecoil.experiment.cards").iterdir():
        if entry.name.endswith(".toml") and isinstance(entry, Path):
            yield entry


def write_starter(name: str, folder: Path, *, bins: bool = False) -> list[Path]:
    """Write a commented card that works at once, with its data file if it has bins; no file is overwritten.

    Raises
    ------
    NurecoilError
        For a name that no experiment may have, and for a file that is there already.
    """
    schema.checked_name(name)
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

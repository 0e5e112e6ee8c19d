"""Study cards: a question in TOML, as it was asked; `nurecoil run` asks it again.

    question = "limit"

    [study]
    model = "331-beta"
    experiments = ["coherent-csi-2021"]
    beta = "-sqrt(3)"

    [ask]
    parameter = "m_zprime"
    within = "0.2..20 TeV"

A card that a result wrote has a third section, `[rests_on]`: versions, and hashes of cards and data.
That of a scan may be written in short, see `_of_scan`.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from nurecoil.errors import NurecoilError, unknown_name

_SECTIONS = ("question", "study", "ask", "rests_on")
_FILES = (".toml", ".py")  # cards and models of one's own


@dataclass(frozen=True)
class StudyCard:
    """One question: the verb, the arguments of its `Study`, its own, and what its answer rested on."""

    question: str
    study: Mapping[str, Any]
    ask: Mapping[str, Any] = field(default_factory=dict)
    rests_on: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, question: str, study: Mapping[str, Any], ask: Mapping[str, Any]) -> "StudyCard | None":
        """Return the card of a question, or None where an argument is an object that no text stands for."""
        try:
            return cls(question, _plain(study), _plain(ask)) if study else None
        except TypeError:
            return None

    @classmethod
    def read(cls, path: Path | str) -> "StudyCard":
        """Return the card in a .toml file, or in the provenance of a result's .json file."""
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8-sig")
            found = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
        except OSError as error:
            raise NurecoilError(f"cannot read {path}: {error.strerror}") from None
        except (tomllib.TOMLDecodeError, json.JSONDecodeError, UnicodeDecodeError) as error:
            raise NurecoilError(f"{path} is no study card: {error}") from None
        if path.suffix.lower() == ".json":
            found = (found.get("provenance") or {}).get("card") if isinstance(found, dict) else None
            if not isinstance(found, dict):
                raise NurecoilError(f"{path} is no study card: it has no 'card' in its provenance")
        if "question" not in found and "scan" in found:
            found = _of_scan(found)
        for name in found:
            if name not in _SECTIONS:
                raise NurecoilError(f"{path}: {unknown_name('section', name, _SECTIONS)}")
        if not isinstance(found.get("question"), str):
            raise NurecoilError(f'{path} does not say which question: question = "limit", or another verb')
        for name in _SECTIONS[1:]:
            if not isinstance(found.setdefault(name, {}), dict):
                raise NurecoilError(f"{path}: {name} must be a section, [{name}]")
        for name in ("model", "experiments"):
            if name not in found["study"]:
                raise NurecoilError(f"{path} does not say its {name}")
            found["study"][name] = _beside(path.parent, found["study"][name])
        return cls(**found)

    def record(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {"question": self.question, "study": dict(self.study), "ask": dict(self.ask)}

    def toml(self) -> str:
        """Return its text."""
        lines = [f"question = {_toml(self.question)}"]
        for name in _SECTIONS[1:]:
            if section := getattr(self, name):
                lines += [
                    "",
                    f"[{name}]",
                    *(f"{_key(key)} = {_toml(value)}" for key, value in section.items()),
                ]
        return "\n".join(lines) + "\n"

    def changes(self, rests_on: Mapping[str, Any]) -> Iterator[str]:
        """Yield what an answer rests on otherwise than the card says."""
        for name, before in self.rests_on.items():
            if rests_on.get(name) != before:
                yield f"the card's answer rested on {name} = {before}, this one on {rests_on.get(name)}"


def _of_scan(short: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sections of a scan's card in short.

    `model`, `experiments` and all else that a `Study` takes stand first, the values of parameters in
    `[set]`, the axes in `[scan.NAME]`, and ranges that are profiled over in `[profile.NAME]`.
    """
    study = {name: each for name, each in short.items() if name not in ("set", "scan", "pulls")}
    axes, ask = short["scan"], {name: short[name] for name in ("pulls",) if name in short}
    if isinstance(axes, dict):
        axes = {name: {"log": False, **a} if "low" in a else a for name, a in axes.items()}
    return {"question": "scan", "study": study | short.get("set", {}), "ask": {"axes": axes, **ask}}


def _beside(folder: Path, given: Any) -> Any:
    """Return names, those of files that lie in a folder with it."""
    if isinstance(given, list):
        return [_beside(folder, name) for name in given]
    is_file = isinstance(given, str) and given.endswith(_FILES) and (folder / given).is_file()
    return str(folder / given) if is_file else given


def _plain(value: Any) -> Any:
    """Return a value as TOML has it, without what is None; TypeError for an object."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, str | bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    raise TypeError(type(value).__name__)


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, str | bool):
        return json.dumps(value, ensure_ascii=False)  # which TOML reads alike
    return repr(value)


def _key(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else json.dumps(name)

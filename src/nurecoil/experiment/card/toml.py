"""A TOML file as a frozen dataclass, its sections as others: read as annotated, all errors told at once.

Types are strict: true is no number, 1 is no text. A field that is `written` with its unit has no unit in its
key: `mass = "10 kg"` becomes `mass_kg`. Of several dataclasses, a table's `kind` says which
(or `effect`, or `flux`).
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from hashlib import sha256
from math import isfinite
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from nurecoil.checks import LeftOut, Number, Rule, opened
from nurecoil.errors import NurecoilError, nearest_of
from nurecoil.quantities import parse_quantity

Card = TypeVar("Card")
_SIMPLE = {str: "a text", bool: "true or false", int: "a whole number", float: "a number"}


@dataclass(frozen=True)
class Read:
    """How a field is read that is no plain value: from what is written and the section around it."""

    of: Callable[[Any, Mapping[str, Any]], object]
    words: str


@dataclass(frozen=True)
class Key:
    """A key of a section: the field that it gives, its annotation, and what it is where left out."""

    field: str
    hint: Any
    default: object


def read_toml(path: Path, kind: str, card: type[Card]) -> tuple[Card, str]:
    """Return what a file says, checked, and its SHA-256; `kind` is what errors call it."""
    try:
        content = path.read_bytes()
        written = tomllib.loads(content.decode("utf-8-sig"))
    except OSError as error:
        raise NurecoilError(f"cannot read the {kind} {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise NurecoilError(f"the {kind} {path} is not UTF-8 text") from None
    except (ValueError, RecursionError) as error:  # of tomllib, for a number of 5000 digits as well
        raise NurecoilError(f"the {kind} {path} is not TOML: {error}") from None
    problems: list[str] = []
    found: Card = Reader(problems).section(card, written, "")
    if problems:
        many = f"{len(problems)} error{'s' if len(problems) > 1 else ''}"
        raise NurecoilError(f"the {kind} {path} has {many}: {'; '.join(problems)}")
    return found, sha256(content).hexdigest()


@cache
def keys(section: Any) -> dict[str, Key]:
    """Return the keys that a section may have."""
    hints, found = get_type_hints(section, include_extras=True), {}
    for f in fields(section):
        marks = opened(hints[f.name])[1]
        defaults = [mark.value for mark in marks if isinstance(mark, LeftOut)]
        defaults += [f.default] if f.default is not MISSING else []
        defaults += [f.default_factory()] if f.default_factory is not MISSING else []
        unit = _unit(marks)
        key = f.name.removesuffix(f"_{unit}") if unit else f.name
        found[key] = Key(f.name, hints[f.name], defaults[0] if defaults else MISSING)
    return found


def tag_of(section: Any) -> str | None:
    """Return which key says that a table is of this kind, if there is one."""
    return next((tag for tag in ("kind", "effect", "flux") if hasattr(section, tag)), None)


def kinds(hint: Any) -> dict[str, type]:
    """Return the sections that an annotation lets a table choose from, by kind; none where it lets it not."""
    parts = opened(hint)[0]
    found = (
        {getattr(part, tag_of(part) or "", ""): part for part in parts} if isinstance(parts, tuple) else {}
    )
    return {} if "" in found else found


def words(hint: Any) -> str:
    """Return what may be written for an annotation.

    >>> words(tuple[float, ...])
    'a list, each a number'
    """
    bare, marks = opened(hint)
    rule = " ".join(str(mark) for mark in marks if isinstance(mark, Rule))
    for mark in marks:
        if isinstance(mark, Read):
            return mark.words
    if kinds(hint):
        return f"a table with {tag_of(bare[0])} = {' or '.join(map(repr, kinds(hint)))}"
    if isinstance(bare, tuple):
        return ", or ".join(map(words, bare))
    if _unit(marks):
        return f"a text with its unit, {rule}"
    if get_origin(bare) is tuple:
        inner = get_args(bare)
        if inner[1:] != (...,):
            return f"[{', '.join(map(words, inner))}]"
        return rule or f"a list, each {words(inner[0])}"
    if get_origin(bare):
        return f"a table of names, each with {words(get_args(bare)[1])}"
    return rule if rule and bare is str else f"{_SIMPLE.get(bare, 'a section')} {rule}".strip()


def _unit(marks: list[Any]) -> str:
    """Return the unit that a number is written with, if it is."""
    return next((mark.unit for mark in marks if isinstance(mark, Number) and mark.written), "")


class Reader:
    """Reads one card, and notes what is wrong with it: what has a problem becomes None."""

    def __init__(self, problems: list[str]) -> None:
        """Take where to note problems."""
        self.problems = problems

    def section(self, section: Any, written: object, where: str) -> Any:
        """Return a section."""
        if not isinstance(written, dict):
            return self.refuse(where, written, "a table")
        before, known, tag = len(self.problems), keys(section), tag_of(section)
        named = [tag, *known] if tag else list(known)
        for name in written:
            if name not in named:
                self.problems.append(f"{where or 'the card'} has no key '{name}'{nearest_of(name, named)}")
        values: dict[str, object] = {}
        for name, key in known.items():
            place = f"{where}.{name}".lstrip(".")
            if name in written:
                values[key.field] = self.value(key.hint, written[name], place, written)
            elif key.default is MISSING:
                self.problems.append(f"{place} is missing: it must be {words(key.hint)}")
            else:
                values[key.field] = key.default
        try:
            return section(**values) if len(self.problems) == before else None
        except NurecoilError as error:
            self.problems.append(f"{where}: {error}".removeprefix(": "))

    def value(self, hint: Any, written: Any, where: str, around: Mapping[str, Any]) -> Any:
        """Return a value as annotated."""
        bare, marks = opened(hint)
        before, unit = len(self.problems), _unit(marks)
        found: Any
        try:
            for mark in marks:
                if isinstance(mark, Read):
                    return mark.of(written, around)
        except NurecoilError as error:
            self.problems.append(f"{where}: {error}")
            return None
        if isinstance(bare, tuple):
            return (
                self.chosen(kinds(hint), written, where) if kinds(hint) else self.any_of(hint, written, where)
            )
        if unit:
            found = self.quantity(written, unit, where)
        elif get_origin(bare) is tuple:
            found = self.items(bare, written, where)
        elif get_origin(bare) and isinstance(written, dict):
            each = get_args(bare)[1]
            return {k: self.value(each, v, f"{where}.{k}", written) for k, v in written.items()}
        elif bare not in _SIMPLE and not get_origin(bare):
            return self.section(bare, written, where)
        elif bare is float and type(written) is int and abs(written) < 1e300:
            found = float(written)
        elif type(written) is bare and (bare is not float or isfinite(written)):
            found = written
        else:
            return self.refuse(where, written, words(hint))
        for rule in marks:
            if isinstance(rule, Rule) and len(self.problems) == before and not rule.allows(found):
                self.refuse(where, written, rule)
        return found

    def quantity(self, written: object, unit: str, where: str) -> float | None:
        """Return a text with a unit as a number."""
        try:
            if isinstance(written, str):
                return parse_quantity(written, unit, name=where)
            example = f"write it as a text, for example '{_shown(written)} {unit}'"
            raise NurecoilError(f"{where} = {_shown(written)} needs a unit: {example}")
        except NurecoilError as error:
            self.problems.append(str(error))
            return None

    def items(self, bare: Any, written: object, where: str) -> Any:
        """Return a list as a tuple; its tables are called by their names."""
        inner = get_args(bare)
        if isinstance(written, dict):
            return self.refuse(where, written, f"a list of tables: write [[{where}]]")
        if not isinstance(written, list) or (inner[1:] != (...,) and len(written) != len(inner)):
            return self.refuse(where, written, words(bare))
        hints = [inner[0]] * len(written) if inner[1:] == (...,) else inner
        places = [f"{where}.{_name_of(item, number)}" for number, item in enumerate(written)]
        return tuple(self.value(h, v, p, {}) for h, v, p in zip(hints, written, places, strict=True))

    def chosen(self, known: Mapping[str, type], written: object, where: str) -> Any:
        """Return a section of the kind that a table says."""
        tag = tag_of(next(iter(known.values()))) or ""
        if not isinstance(written, dict):
            return self.refuse(where, written, f"a table with the key '{tag}' ({', '.join(known)})")
        if written.get(tag) in list(known):
            return self.section(known[written[tag]], written, where)
        if tag in written:
            hint = nearest_of(str(written[tag]), known)
            self.problems.append(f"{where} has no {tag} {_shown(written[tag])}{hint}")
        else:
            self.problems.append(f"{where}.{tag} is missing: it must be one of {', '.join(known)}")
        return None

    def any_of(self, hint: Any, written: object, where: str) -> Any:
        """Return the first of some readings that has no problem."""
        for part in opened(hint)[0]:
            reader = Reader([])
            found = reader.value(part, written, where, {})
            if not reader.problems:
                return found
        return self.refuse(where, written, words(hint))

    def refuse(self, where: str, written: object, allowed: object) -> Any:
        """Note a value, and what is allowed."""
        self.problems.append(f"{where} = {_shown(written)} is not allowed: it must be {allowed}")


def _name_of(item: object, number: int) -> str:
    """Return what an item of a list is called: by its name if it has one, else by its place from 0."""
    name = item.get("name") if isinstance(item, dict) else None
    return name if isinstance(name, str) else str(number)


def _shown(value: object) -> str:
    """Return a value as a card has it, no longer than a line."""
    if isinstance(value, dict):
        return "{ … }"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else f"{text[:50]}…"

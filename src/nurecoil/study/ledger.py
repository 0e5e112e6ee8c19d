"""What a result rests on, as people read it: in short, or all of it."""

from collections.abc import Mapping, Sequence
from string import hexdigits
from typing import Any

from nurecoil.parameters import Parameter, Values
from nurecoil.presentation.document import Block, Pairs

_CHECKSUM = 64  # hexadecimal digits of SHA-256
_WHERE = "--conventions, --json, or .conventions in Python"


def ledger(
    parameters: Sequence[Parameter], values: Values, conventions: Mapping[str, Any], whole: bool
) -> list[Block]:
    """Return the parameters that were held, and the conventions, each on a line if the `whole` is wanted."""
    used = [(p.name, _shown(p, values[p.name])) for p in parameters if p.name in values]
    if whole:
        return [Pairs("Parameters", tuple(used)), Pairs("Conventions", tuple(_lines(conventions)))]
    rows = [(name, _in_short(held)) for name, held in conventions["experiments"].items()]
    if used:
        zero = {p.name for p in parameters if p.default == 0 == values.get(p.name)}
        texts = [f"{name} = {text}" for name, text in used if name not in zero]
        texts += (
            ["all others 0"] if len(zero) > 1 else [f"{name} = {text}" for name, text in used if name in zero]
        )
        rows.insert(0, (str(conventions["model"]), ", ".join(texts)))
    for name in ("constraints", "profiled over"):
        if name in conventions:
            rows.append((name, _joined(conventions[name])))
    if conventions.get("nuisances", "profiled") != "profiled":
        rows.append(("nuisances", str(conventions["nuisances"])))
    return [Pairs("Rests on", (*rows, ("all of it", _WHERE)))]


def _in_short(experiment: Mapping[str, Any]) -> str:
    """Return the form factor, what was done to the card, and the prior widths that are not its own."""
    widths = experiment["pull_widths"]
    pulls = f"{len(widths)} pull{'s' * (len(widths) != 1)}"
    held = [name for name, width in widths.items() if width == 0]
    parts = [str(experiment["form_factor"]), pulls + (f" ({', '.join(held)} held)" if held else "")]
    card = str(experiment.get("card", ""))
    return "; ".join([*parts, card] if card.startswith("edited") else parts)


def _shown(parameter: Parameter, value: object) -> str:
    return value if isinstance(value, str) else parameter.format(float(value))  # type: ignore[arg-type]


def _lines(tree: Mapping[str, object], indent: str = "") -> list[tuple[str, str]]:
    """Return the names and values of nested mappings, one a line; the innermost are one, the nested last."""
    inner = {name: value for name, value in tree.items() if isinstance(value, Mapping)}
    lines = [(indent + name, _brief(value)) for name, value in tree.items() if name not in inner]
    for name, value in inner.items():
        if any(isinstance(part, Mapping) for part in value.values()):
            lines += [(indent + name, ""), *_lines(value, indent + "  ")]
        else:
            lines.append((indent + name, _joined(value)))
    return lines


def _joined(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {_brief(value)}" for name, value in values.items())


def _brief(value: object) -> str:
    """Return a value for people: six digits of a number, the beginning of a checksum (all of it in JSON)."""
    if isinstance(value, float):
        return f"{value:.6g}"
    text = str(value)
    return f"{text[:8]}…" if len(text) == _CHECKSUM and all(c in hexdigits for c in text) else text

"""NSI in the files of other programs: Wilson coefficients (WCxf), and blocks of numbers as SLHA has them.

WCxf (Aebischer:2017ugx): L = Σ_{O = O†} C O + Σ_{O ≠ O†} (C O + h.c.), with O = (ν̄_α γ^μ ν_β)(q̄ γ_μ P_X q) of
left-handed neutrinos, α <= β, and C in 1/GeV² (basis JMS), or 4G_F/√2 times that O (basis flavio). In the NSI
L = -2√2 G_F Σ_αβ ε_αβ^{qX} O the h.c. is the entry βα. So ε^{qX} = -C/(2√2 G_F), or -C, and ε^V = ε^L + ε^R.

Blocks are NSIU and NSID for Re ε^{uV} and Re ε^{dV}, IMNSIU and IMNSID for the imaginary parts, with lines
"i j value # comment", where 1, 2, 3 are e, mu, tau and i <= j; exponents may be Fortran's, 1.0D-3.
"""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from nurecoil.checks import require
from nurecoil.errors import NurecoilError, unknown_name
from nurecoil.models.nsi import ENTRIES, EPSILONS, OFF_DIAGONAL, QUARKS
from nurecoil.parameters import find
from nurecoil.physics.constants import FERMI_CONSTANT
from nurecoil.physics.couplings import FLAVOURS

EFTS: Final = ("WET", "WET-4", "WET-3", "WET-2")
UNITS: Final = {"JMS": 2 * math.sqrt(2) * FERMI_CONSTANT * 1e6, "flavio": 1.0}  # 2√2 G_F in 1/GeV²
_OF_QUARKS: Final = {"JMS": r"Vnu[ud](?!\w*_\d\d(?!11)\d\d$)", "flavio": r"C\w+_nu\w*(uu|dd)$"}
_SOME: Final = "operators such as VnuuLL_1111 (JMS), CVLL_nuenueuu (flavio), or a block such as NSIU"
_BLOCKS: Final = {f"{part}NSI{quark.upper()}": (quark, part) for quark in QUARKS for part in ("", "IM")}


Entry = tuple[str, str]
"""A quark, and the entry of its ε."""

Entries = dict[Entry, list[tuple[str, complex]]]
"""What adds to each entry: the names of operators or blocks, and values."""


class NsiFile(NamedTuple):
    """What a file says of NSI: values of the parameters of the model `nsi` that are not 0, and notes.

    ε is in units of √2 G_F, as in `nurecoil list parameters --model nsi`.

    Examples
    --------
    >>> found = NsiFile({"eps_u_ee": 0.1}, notes=())
    >>> found.values["eps_u_ee"]
    0.1
    """

    values: dict[str, float]
    notes: tuple[str, ...]


def read_nsi(path: Path | str) -> NsiFile:
    """Return the NSI of a WCxf file (JSON; YAML where PyYAML is installed) or of one with blocks.

    Other coefficients and blocks have no part in CEvNS; a note names them. Nothing is run to another scale.

    Raises
    ------
    NurecoilError
        For a file that is none of these or has no NSI, another EFT or basis, unknown operators of neutrinos
        with u and d, what is said twice, and numbers that are too large, or on the diagonal and not real.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "nsi.slha")
    ...     _ = path.write_text("BLOCK NSIU\\n  1 1  0.05\\n")
    ...     read_nsi(path).values
    {'eps_u_ee': 0.05}
    """
    name = _file_name(path)
    try:
        text = Path(name).read_text(encoding="utf-8-sig")
        found = _of_blocks(text) if re.search(r"(?im)^\s*block\s", text) else _of_wcxf(_tree(text))
    except OSError as error:
        raise NurecoilError(f"cannot read the NSI file {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise NurecoilError(f"the NSI file {path} is no text in UTF-8") from None
    except NurecoilError as error:
        raise NurecoilError(f"the NSI file {path}: {error}") from None
    return found


def _file_name(path: Path | str) -> Path | str:
    if not isinstance(path, str | PathLike):
        raise NurecoilError(f"the NSI file {path!r} is not allowed: it must be the path of a file")
    return path


def write_nsi(path: Path | str, values: Mapping[str, float]) -> None:
    """Write values of the parameters of `nsi` to a file that `read_nsi` reads.

    `.json`, `.yaml` and `.yml` are WCxf, in the basis JMS, with half of each ε^V in ε^L and in ε^R; `.slha`
    has blocks.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "nsi.json")
    ...     write_nsi(path, {"eps_d_mumu": 0.1})
    ...     round(read_nsi(path).values["eps_d_mumu"], 12)
    0.1
    """
    if not (values and isinstance(values, Mapping)):
        raise NurecoilError(f"cannot write {values!r} as NSI: give names with values, {{'eps_u_ee': 0.1}}")
    for name, value in values.items():
        if isinstance(value, bool) or np.ndim(value):
            raise NurecoilError(f"{name} = {value!r} is not a number")
        find(EPSILONS, name).check(value)
    values = {name: float(value) for name, value in values.items()}  # NumPy's print otherwise
    kind = Path(_file_name(path)).suffix
    if kind in (".json", ".yaml", ".yml"):
        names = {o: f"eps_{quark}_{entry}" for o, (quark, entry) in _operators("JMS").items()}
        given = {o: n for o, n in names.items() if not {n, f"{n}_im"}.isdisjoint(values)}
        numbers = {o: (values.get(name, 0.0), values.get(f"{name}_im", 0.0)) for o, name in given.items()}
        half = -UNITS["JMS"] / 2
        coefficients = {o: {"Re": half * x, "Im": half * y} for o, (x, y) in numbers.items()}
        tree = {"eft": "WET-3", "basis": "JMS", "scale": 2.0, "values": coefficients}
        text = json.dumps(tree, indent=2) if kind == ".json" else "\n".join(_yaml(tree))
    elif kind == ".slha":
        lines = []
        for block, (quark, part) in _BLOCKS.items():
            names = {f"{a + 1} {b + 1}": f"eps_{quark}_{e}{part and '_im'}" for (a, b), e in ENTRIES.items()}
            lines += [f"BLOCK {block}", *(f" {at} {values[n]!r}" for at, n in names.items() if n in values)]
        text = "\n".join(lines)
    else:
        raise NurecoilError(
            f"cannot write NSI to '{kind}': it must end in .json or .yaml (WCxf) or .slha (blocks)"
        )
    try:
        Path(path).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise NurecoilError(f"cannot write to '{path}': {error.strerror}") from None


def _yaml(tree: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    """Yield the lines of names, numbers and mappings; with a point in each number, as YAML 1.1 needs."""
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield f"{indent}{name}:"
            yield from _yaml(value, indent + "  ")
        else:
            yield f"{indent}{name}: {f'{value:.16e}' if isinstance(value, float) else value}"


def _operators(basis: str) -> dict[str, tuple[str, str]]:
    """Return the quark and the entry of ε of each operator of a basis."""
    found = {}
    for quark in QUARKS:
        for (a, b), entry in ENTRIES.items():
            flavours = f"nu{FLAVOURS[a]}nu{FLAVOURS[b]}{quark}{quark}"
            for x in "LR":
                jms = f"Vnu{quark}L{x}_{a + 1}{b + 1}11"
                found[jms if basis == "JMS" else f"CVL{x}_{flavours}"] = quark, entry
    return found


def _tree(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_once)
    except NurecoilError:
        raise
    except ValueError as error:
        wrong = error
    with suppress(ImportError):
        yaml: Any = import_module("yaml")
        with suppress(yaml.YAMLError):
            return yaml.safe_load(text)
    raise NurecoilError(f"it has no blocks, and is no JSON (YAML is read with PyYAML): {wrong}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    for name in found:
        if (times := [key for key, _ in pairs].count(name)) > 1:
            raise NurecoilError(f"{name} is there {times} times: once is enough")
    return found


def _of_wcxf(tree: Any) -> NsiFile:
    keys = ("eft", "basis", "scale", "values")
    if not (isinstance(tree, Mapping) and {*keys} <= {*tree} and isinstance(tree["values"], Mapping)):
        raise NurecoilError(
            f"it is no WCxf, which has the keys {', '.join(keys)}, the last with coefficients"
        )
    eft, basis, scale = tree["eft"], tree["basis"], _number("scale", tree["scale"]).real
    for kind, name, known in (("EFT", eft, EFTS), ("basis", basis, UNITS)):
        if name not in [*known]:
            raise unknown_name(kind, str(name), known)
    require(scale > 0, "scale", f"{scale:g}", "above 0, in GeV")
    operators, entries, others = _operators(basis), Entries(), []
    for name, given in tree["values"].items():
        if name in operators:
            epsilon = -_number(name, given) / UNITS[basis]
            entries.setdefault(operators[name], []).append((name, epsilon))
        elif re.match(_OF_QUARKS[basis], name):
            raise unknown_name(f"operator of the basis {basis}", name, operators)
        elif _number(name, given):
            others.append(name)
    return _file(entries, f"(WCxf, {eft}, {basis}), as they are at {scale:g} GeV: they are not run", others)


def _number(name: str, given: Any) -> complex:
    """Return a number as WCxf has it: a number, or its parts Re and Im."""
    parts = given if isinstance(given, Mapping) else {"Re": given}
    with suppress(TypeError, ValueError):
        numbers = {key: float(part) for key, part in parts.items() if not isinstance(part, bool)}
        if parts.keys() <= numbers.keys() & {"Re", "Im"} and all(map(math.isfinite, numbers.values())):
            return complex(numbers.get("Re", 0.0), numbers.get("Im", 0.0))
    raise NurecoilError(f"{name} = {given!r} is not allowed: it must be a number, or have Re and Im")


def _of_blocks(text: str) -> NsiFile:
    entries, others, block, seen = Entries(), list[str](), "", set[tuple[str, ...]]()

    def once(*what: str) -> None:
        if what in seen:
            raise NurecoilError(f"{' '.join(what)} is there twice: once is enough")
        seen.add(what)

    for line in text.splitlines():
        match line.partition("#")[0].upper().split():
            case ["BLOCK", name, *_]:
                block = name
                if block in _BLOCKS:
                    once("block", block)
                else:
                    others.append(block)
            case ["DECAY", *_]:
                block = ""
            case [*words] if words and block in _BLOCKS:
                quark, part = _BLOCKS[block]
                try:
                    i, j, number = words
                    entry, value = (
                        (quark, ENTRIES[int(i) - 1, int(j) - 1]),
                        _number(block, number.replace("D", "E")),
                    )
                except (ValueError, KeyError):
                    raise NurecoilError(
                        f"'{line.strip()}' in {block} is not 'i j value' with 1 <= i <= j <= 3"
                    ) from None
                once(*entry, f"in block {block}")
                entries.setdefault(entry, []).append((block, value * (1j if part else 1)))
    return _file(entries, "(blocks)", others)


def _file(entries: Entries, what: str, others: Iterable[str]) -> NsiFile:
    left = ", ".join(others)
    if not entries:
        raise NurecoilError(f"it has no NSI{left and ', only ' + left}: give {_SOME}")
    values = dict[str, float]()
    for (quark, entry), parts in entries.items():
        name, epsilon = f"eps_{quark}_{entry}", sum(part for _, part in parts)
        try:
            if epsilon.imag and entry not in OFF_DIAGONAL.values():
                raise NurecoilError(f"{name} = {epsilon:g} is not allowed: on the diagonal it must be real")
            for each, value in {name: epsilon.real, f"{name}_im": epsilon.imag}.items():
                if value:
                    find(EPSILONS, each).check(value)
                    values[each] = value
        except NurecoilError as error:
            raise NurecoilError(f"{error} (it is of {' and '.join(of for of, _ in parts)})") from None
    notes = f"NSI are those of a file {what}.", f"Of the file these have no part in the NSI: {left}."
    return NsiFile(values, notes if left else notes[:1])

"""Nuclides, and target materials of natural or given isotopic composition.

The table is `nuclides.csv`, whose header says where its numbers are from. Neutron radii are theory values,
not measurements, and given only where they are in common use: relativistic mean field for Cs and I (M.
Cadeddu et al., Phys. Rev. Lett. 120 (2018) 072501, Cadeddu:2017etk), a representative 3.50 fm for Ar40.
"""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from itertools import combinations, zip_longest
from math import isclose
from typing import Final

from nurecoil.checks import require
from nurecoil.errors import NurecoilError, unknown_name
from nurecoil.one_line import one_line
from nurecoil.physics.constants import ATOMIC_MASS_UNIT, AVOGADRO, ELECTRON_MASS

_NEUTRON_RADIUS_FM: Final[Mapping[str, float]] = {"Ar40": 3.50, "I127": 4.94, "Cs133": 5.01}

_NUCLIDE_NAME: Final = re.compile(r"([A-Z][a-z]?)-?([0-9]+)|([0-9]+)-?([A-Z][a-z]?)")
_TERM: Final = re.compile(r"(?:\[([0-9]+)([A-Z][a-z]?)\]|([A-Z][a-z]?))([1-9][0-9]{0,3})?")
_FORMULA: Final = re.compile(f"(?:{_TERM.pattern})+")
_CAPITALS: Final = re.compile("SI|PB|SN|IN|CU|BI|SB|NI|NB")  # no compound has these side by side
_SUM_TOLERANCE: Final = 5e-3  # of fractions, which tables round


@dataclass(frozen=True)
class Nuclide:
    """A nuclide, with the numbers that a recoil rate needs; radii are root mean squares.

    >>> from dataclasses import replace
    >>> replace(nuclide("Cs133"), neutron_radius_fm=5.2).neutron_radius_fm
    5.2
    """

    symbol: str
    Z: int
    N: int
    atomic_mass_u: float  # of the neutral atom
    abundance: float  # natural mole fraction within the element, 0 to 1
    charge_radius_fm: float
    radius_measured: bool  # if not, the charge radius is a neighbour's, scaled by A^(1/3)
    neutron_radius_fm: float | None  # of the distribution of neutrons; None where no value is tabulated

    @property
    def A(self) -> int:
        """Mass number, A = Z + N."""
        return self.Z + self.N

    @property
    def name(self) -> str:
        """Symbol and mass number, as in "Cs133"."""
        return f"{self.symbol}{self.A}"

    @property
    def mass(self) -> float:
        """Mass of the nucleus, without its electrons [MeV].

        M = m_atom u - Z m_e. The binding energy of the electrons, which would be added, is neglected:
        1e-7 of the mass for C, 1.7e-6 for Cs and 2.6e-6 for W.

        >>> f"{nuclide('Cs133').mass:.1f}"
        '123772.5'
        """
        return self.atomic_mass_u * ATOMIC_MASS_UNIT - self.Z * ELECTRON_MASS


@dataclass(frozen=True)
class Material:
    """A target material: its nuclides and how many nuclei of each there are in a kilogram."""

    formula: str  # or the sum of a mixture, as given
    nuclides: tuple[Nuclide, ...]  # all isotopes of all elements, in the order of the formula
    nuclei_per_kg: tuple[float, ...]  # of each nuclide

    def __repr__(self) -> str:
        """Return what it is in a line."""
        return one_line(self, self.formula, *(n.name for n in self.nuclides))

    @property
    def composition(self) -> str:
        """Formula and share of each nuclide in all nuclei, for printing with a result.

        >>> material({"76Ge": 0.87, "74Ge": 0.13}).composition
        '0.87 76Ge + 0.13 74Ge: 87 % 76Ge, 13 % 74Ge of its nuclei'
        """
        percent = [100 * number / sum(self.nuclei_per_kg) for number in self.nuclei_per_kg]
        shares = [
            f"{share:.4g} % {n.A}{n.symbol}{'' if n.radius_measured else ' (charge radius not measured)'}"
            for n, share in zip(self.nuclides, percent, strict=True)
        ]
        return f"{self.formula}: {', '.join(shares)} of its nuclei"


def isotopes(symbol: str) -> tuple[Nuclide, ...]:
    """Return the natural isotopes of an element, lightest first, with abundances that sum to 1.

    An error if there is no element of that chemical symbol, or none of its isotopes is found in nature.

    >>> [(i.name, i.abundance) for i in isotopes("C")]
    [('C12', 0.9894), ('C13', 0.0106)]
    """
    table = _table()
    if symbol not in table:
        raise NurecoilError(
            f"unknown element '{symbol}': allowed are the {len(table)} that are found in nature,"
            " H to U without Tc, Pm and Po to Ac"
        )
    return table[symbol]


@cache
def _table() -> Mapping[str, tuple[Nuclide, ...]]:
    """Return the isotopes of each element."""
    text = resources.files("nurecoil.physics").joinpath("nuclides.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
    percent: dict[str, float] = {}
    for row in rows:
        percent[row["symbol"]] = percent.get(row["symbol"], 0.0) + float(row["abundance_percent"])
    table: dict[str, tuple[Nuclide, ...]] = {}
    for row in rows:
        symbol, radius = row["symbol"], row["charge_radius_fm"]
        found = Nuclide(
            symbol=symbol,
            Z=int(row["Z"]),
            N=int(row["A"]) - int(row["Z"]),
            atomic_mass_u=float(row["atomic_mass_u"]),
            abundance=float(row["abundance_percent"]) / percent[symbol],
            charge_radius_fm=float(radius.removeprefix("~")),
            radius_measured="~" not in radius,
            neutron_radius_fm=_NEUTRON_RADIUS_FM.get(f"{symbol}{row['A']}"),
        )
        table[symbol] = (*table.get(symbol, ()), found)
    return table


def nuclide(name: str) -> Nuclide:
    """Return a nuclide by symbol and mass number in either order: "133Cs", "Cs-133" or "Cs133".

    An error if the name is malformed or the nuclide is not found in nature.

    >>> nuclide("133Cs").name, nuclide("Cs-133").N
    ('Cs133', 78)
    """
    match = _NUCLIDE_NAME.fullmatch(name)
    if match is None:
        raise NurecoilError(
            f"malformed nuclide '{name}': allowed are a symbol and a mass number, as in '133Cs' or 'Cs-133'"
        )
    symbol, A = match[1] or match[4], match[2] or match[3]
    wanted, found = f"{A}{symbol}", {f"{n.A}{n.symbol}": n for n in isotopes(symbol)}
    if wanted not in found:
        raise unknown_name("stable or primordial nuclide", wanted, found)
    return found[wanted]


def material(target: str | Mapping[str, float], fractions: str | None = None) -> Material:
    """Return a target material.

    n_i = N_A c_i / m, for a nuclide that stands c_i times in the formula, with m = sum_i c_i m_i the molar
    mass of one formula unit. A symbol stands for its element as found in nature.

    Parameters
    ----------
    target : str or mapping
        A formula: symbols, each followed by its count (1 to 9999) or by nothing for one, without round
        brackets; isotopes as in "76Ge", "Ge-76", "7LiF" or "Ca[100Mo]O4", and D for 2H. Or a mixture: the
        fraction of each formula, which sum to 1 (to 0.005, and are then scaled to 1).
    fractions : str, optional
        "mole" if the fractions count formula units, "mass" if they are of the mass. It must be said unless
        the parts differ in their isotopes alone: those are of moles.

    An error if a formula is malformed, can only be a mistake ("Ge76"), or has a nuclide that is not in the
    table; if fractions are not above 0, do not sum to 1, are two of the same, or may be of moles or of mass.

    >>> csi = material("CsI")
    >>> [n.name for n in csi.nuclides], [f"{n:.4e}" for n in csi.nuclei_per_kg]
    (['Cs133', 'I127'], ['2.3179e+24', '2.3179e+24'])
    >>> [n.name for n in material("7LiF").nuclides]
    ['Li7', 'F19']
    >>> material({"Ar": 0.9, "Xe": 0.1}, fractions="mass").formula
    '0.9 Ar + 0.1 Xe by mass'
    """
    if fractions not in (None, "mole", "mass"):
        raise unknown_name("kind of fractions", str(fractions), ("mole", "mass"))
    mixture = {target: 1.0} if isinstance(target, str) else target
    for formula, fraction in mixture.items():
        require(0 < fraction <= 1, f"the fraction of '{formula}'", fraction, "above 0 and at most 1")
    total = sum(mixture.values())
    require(isclose(total, 1, abs_tol=_SUM_TOLERANCE), "the sum of the fractions", total, "1, to 0.005")
    terms = {formula: _terms(formula) for formula in mixture}
    elements = [sorted(term.symbol for term in found for _ in range(term.count)) for found in terms.values()]
    if fractions is None and any(other != elements[0] for other in elements):
        raise NurecoilError(
            f"the mixture of {' and '.join(mixture)} needs fractions = 'mole' or 'mass', of what they are"
        )
    parts = {formula: _content(found) for formula, found in terms.items()}
    for one, other in combinations(parts, 2):
        if parts[one] == parts[other]:
            raise NurecoilError(
                f"the mixture has '{one}' and '{other}', which are the same: give one of them, with both"
                " fractions added up"
            )
    content: dict[Nuclide, float] = {}
    for formula, fraction in mixture.items():
        part = parts[formula]
        units = fraction / total / (_molar_mass(part) if fractions == "mass" else 1)
        for n, count in part.items():
            content[n] = content.get(n, 0.0) + units * count
    text = " + ".join(f"{fraction:g} {formula}" for formula, fraction in mixture.items())
    molar_mass_kg = 1e-3 * _molar_mass(content)
    return Material(
        formula=target if isinstance(target, str) else text + " by mass" * (fractions == "mass"),
        nuclides=tuple(content),
        nuclei_per_kg=tuple(AVOGADRO * moles / molar_mass_kg for moles in content.values()),
    )


def _molar_mass(content: Mapping[Nuclide, float]) -> float:
    """Return the mass of one formula unit [u]."""
    return sum(count * n.atomic_mass_u for n, count in content.items())


@dataclass(frozen=True)
class _Term:
    """One symbol of a formula with its mass number, 0 for the natural element, and its count."""

    A: int
    symbol: str
    count: int

    def __str__(self) -> str:
        symbol = f"[{self.A}{self.symbol}]" if self.A else self.symbol
        return symbol + (str(self.count) if self.count > 1 else "")


def _content(terms: Sequence[_Term]) -> dict[Nuclide, float]:
    """Return how often each nuclide stands in a formula.

    >>> {n.name: count for n, count in _content(_terms("D2[16O]")).items()}
    {'H2': 2.0, 'O16': 1.0}
    """
    content: dict[Nuclide, float] = {}
    for term in terms:
        for n in [nuclide(f"{term.A}{term.symbol}")] if term.A else isotopes(term.symbol):
            content[n] = content.get(n, 0.0) + term.count * (1.0 if term.A else n.abundance)
    return content


def _terms(formula: str) -> list[_Term]:
    """Return the terms of a formula, or refuse it."""
    written = re.sub(r"^([A-Z][a-z]?)-([0-9]+)\Z", r"[\2\1]", formula)
    written = re.sub(r"^([0-9]+)-?([A-Z][a-z]?)", r"[\1\2]", written)
    written = re.sub(r"D(?![a-z])", "[2H]", written)
    if not _FORMULA.fullmatch(written):
        raise NurecoilError(
            f"malformed formula '{formula}': allowed are symbols with counts from 1 to 9999, as in 'CsI' or"
            " 'CaWO4', and isotopes with the mass number before the symbol, as in '76Ge' or 'Ca[100Mo]O4'"
        )
    if formula.isupper() and _CAPITALS.search(formula):
        raise NurecoilError(
            f"formula '{formula}' is all in capitals: the second letter of a symbol is small, as in 'CsI'"
        )
    terms = [
        _Term(int(A or 0), labelled or symbol, int(count or 1))
        for A, labelled, symbol, count in _TERM.findall(written)
    ]
    _refuse_mass_numbers_as_counts(formula, terms)
    return terms


def _refuse_mass_numbers_as_counts(formula: str, terms: Sequence[_Term]) -> None:
    """Refuse Ge76, Li7F and Zn82Se: a count like a mass number, and three times all other atoms or more."""
    pairs = list(zip_longest(terms, terms[1:]))
    alone = len(terms) == 1
    read = [_with_mass_number(term, following, alone) for term, following in pairs]
    others = sum(term.count for term, other in zip(terms, read, strict=True) if not other)
    wrong = [i for i, other in enumerate(read) if other and terms[i].count >= 3 * others]
    if not wrong:
        return
    meant = list(terms)
    for i in wrong:
        meant[i : i + 2] = read[i]
    text, first = "".join(map(str, meant)), terms[wrong[0]]
    raise NurecoilError(
        f"formula '{formula}' can only be a mistake, {first.count} atoms of {first.symbol}: a mass number"
        f" stands before its symbol, write '{text.strip('[]') if alone else text}'"
        + (f" for the isotope, '{first.symbol}' for the natural element" if alone and meant[0].A else "")
    )


def _with_mass_number(term: _Term, following: _Term | None, alone: bool) -> list[_Term]:
    """Return both terms with the count as a mass number of one of them; none if it is like none."""
    found, count = isotopes(term.symbol), term.count
    Z, rest = found[0].Z, [following] if following else []
    if count in [n.A for n in found] and Z > 1:
        return [replace(term, A=count, count=1), *rest]
    if following and not following.A and count > 1:
        for n in isotopes(following.symbol):
            before = str(count).removesuffix(str(n.A))
            if before != str(count):
                return [replace(term, count=int(before or 1)), replace(following, A=n.A)]
    if (alone and Z == 1 and count == 3) or ((alone or Z > 10) and Z > 1 and 1.5 * Z <= count <= 2.7 * Z):
        return [replace(term, count=1), *rest]  # of a radioactive nuclide
    return []

"""Nuclides and target materials of natural isotopic composition.

The table below is our own. Atomic masses: AME2020 (M. Wang et al., Chin. Phys. C 45 (2021) 030003,
Wang:2021xhn), rounded to 1e-7 u. Isotopic abundances: IUPAC (J. Meija et al., Pure Appl. Chem. 88
(2016) 293). Charge radii: I. Angeli and K. P. Marinova, At. Data Nucl. Data Tables 99 (2013) 69
(Angeli:2013epw). Neutron radii are theory values, not measurements, and given only where they are in
common use: relativistic mean field for Cs and I (M. Cadeddu et al., Phys. Rev. Lett. 120 (2018)
072501, Cadeddu:2017etk), a representative 3.50 fm for Ar40.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from nurecoil.constants import ATOMIC_MASS_UNIT, AVOGADRO, ELECTRON_MASS
from nurecoil.errors import NurecoilError, unknown_name

# symbol: Z, then for each stable or primordial isotope: A, atomic mass [u], abundance [%], charge radius [fm]
_TABLE: Final[Mapping[str, tuple[int, tuple[tuple[int, float, float, float], ...]]]] = {
    "C": (6, ((12, 12.0, 98.94, 2.470), (13, 13.0033548, 1.06, 2.461))),
    "O": (
        8,
        (
            (16, 15.9949146, 99.757, 2.699),
            (17, 16.9991318, 0.03835, 2.693),
            (18, 17.9991596, 0.2045, 2.773),
        ),
    ),
    "F": (9, ((19, 18.9984032, 100.0, 2.898),)),
    "Na": (11, ((23, 22.9897693, 100.0, 2.994),)),
    "Al": (13, ((27, 26.9815384, 100.0, 3.061),)),
    "Si": (
        14,
        (
            (28, 27.9769265, 92.2545, 3.122),
            (29, 28.9764947, 4.672, 3.118),
            (30, 29.9737701, 3.0735, 3.134),
        ),
    ),
    "Ar": (
        18,
        (
            (36, 35.9675451, 0.3336, 3.390),
            (38, 37.9627321, 0.0629, 3.403),
            (40, 39.9623831, 99.6035, 3.427),
        ),
    ),
    "Ca": (
        20,
        (
            (40, 39.9625909, 96.941, 3.478),
            (42, 41.9586178, 0.647, 3.508),
            (43, 42.9587664, 0.135, 3.495),
            (44, 43.9554815, 2.086, 3.518),
            (46, 45.9536877, 0.004, 3.495),
            (48, 47.9525227, 0.187, 3.477),
        ),
    ),
    "Ge": (
        32,
        (
            (70, 69.9242485, 20.52, 4.041),
            (72, 71.9220758, 27.45, 4.058),
            (73, 72.9234590, 7.76, 4.063),
            (74, 73.9211778, 36.52, 4.074),
            (76, 75.9214027, 7.75, 4.081),
        ),
    ),
    "I": (53, ((127, 126.9044726, 100.0, 4.750),)),
    "Xe": (
        54,
        (
            (124, 123.9058852, 0.095, 4.766),
            (126, 125.9042974, 0.089, 4.772),
            (128, 127.9035308, 1.910, 4.777),
            (129, 128.9047809, 26.401, 4.778),
            (130, 129.9035093, 4.071, 4.782),
            (131, 130.9050841, 21.232, 4.781),
            (132, 131.9041551, 26.909, 4.786),
            (134, 133.9053930, 10.436, 4.790),
            (136, 135.9072145, 8.857, 4.796),
        ),
    ),
    "Cs": (55, ((133, 132.9054520, 100.0, 4.804),)),
    "W": (
        74,
        (
            (180, 179.9467133, 0.12, 5.349),
            (182, 181.9482056, 26.50, 5.356),
            (183, 182.9502244, 14.31, 5.361),
            (184, 183.9509332, 30.64, 5.366),
            (186, 185.9543651, 28.43, 5.374),
        ),
    ),
}

_NEUTRON_RADIUS_FM: Final[Mapping[str, float]] = {"Ar40": 3.50, "I127": 4.94, "Cs133": 5.01}

_NUCLIDE_NAME: Final = re.compile(r"([A-Z][a-z]?)([0-9]+)|([0-9]+)([A-Z][a-z]?)")
_FORMULA_TERM: Final = re.compile(r"([A-Z][a-z]?)([1-9][0-9]{0,3})?")


@dataclass(frozen=True)
class Nuclide:
    """A nuclide, with the numbers that a recoil rate needs.

    Attributes
    ----------
    symbol : str
        Chemical symbol.
    Z, N : int
        Numbers of protons and of neutrons.
    atomic_mass_u : float
        Mass of the neutral atom [u].
    abundance : float
        Natural mole fraction within the element, 0 to 1.
    charge_radius_fm : float
        Root-mean-square charge radius [fm].
    neutron_radius_fm : float or None
        Root-mean-square radius of the neutron distribution [fm]; None where no value is tabulated.

    Examples
    --------
    >>> from dataclasses import replace
    >>> replace(nuclide("Cs133"), neutron_radius_fm=5.2).neutron_radius_fm
    5.2
    """

    symbol: str
    Z: int
    N: int
    atomic_mass_u: float
    abundance: float
    charge_radius_fm: float
    neutron_radius_fm: float | None

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

        Examples
        --------
        >>> f"{nuclide('Cs133').mass:.1f}"
        '123772.5'
        """
        return self.atomic_mass_u * ATOMIC_MASS_UNIT - self.Z * ELECTRON_MASS


@dataclass(frozen=True)
class Material:
    """A target material: its nuclides and how many nuclei of each there are in a kilogram.

    Attributes
    ----------
    formula : str
        Chemical formula, as given.
    nuclides : tuple of Nuclide
        All isotopes of all elements, in the order of the formula.
    nuclei_per_kg : tuple of float
        Number of nuclei per kilogram of material [1/kg], one for each nuclide.
    """

    formula: str
    nuclides: tuple[Nuclide, ...]
    nuclei_per_kg: tuple[float, ...]


def isotopes(symbol: str) -> tuple[Nuclide, ...]:
    """Return the natural isotopes of an element, lightest first, with abundances that sum to 1.

    Parameters
    ----------
    symbol : str
        Chemical symbol, as in "Xe".

    Returns
    -------
    tuple of Nuclide

    Raises
    ------
    NurecoilError
        If the element is not in the table.

    Examples
    --------
    >>> [(i.name, i.abundance) for i in isotopes("C")]
    [('C12', 0.9894), ('C13', 0.0106)]
    """
    if symbol not in _TABLE:
        raise unknown_name("element", symbol, _TABLE)
    Z, rows = _TABLE[symbol]
    total_percent = sum(percent for _, _, percent, _ in rows)
    return tuple(
        Nuclide(
            symbol=symbol,
            Z=Z,
            N=A - Z,
            atomic_mass_u=mass_u,
            abundance=percent / total_percent,
            charge_radius_fm=radius_fm,
            neutron_radius_fm=_NEUTRON_RADIUS_FM.get(f"{symbol}{A}"),
        )
        for A, mass_u, percent, radius_fm in rows
    )


def nuclide(name: str) -> Nuclide:
    """Return a nuclide by its name.

    Parameters
    ----------
    name : str
        Symbol and mass number in either order, "Cs133" or "133Cs".

    Returns
    -------
    Nuclide

    Raises
    ------
    NurecoilError
        If the name is malformed or the nuclide is not in the table.

    Examples
    --------
    >>> nuclide("133Cs").name, nuclide("Cs133").N
    ('Cs133', 78)
    """
    match = _NUCLIDE_NAME.fullmatch(name)
    if match is None:
        raise NurecoilError(
            f"malformed nuclide '{name}': allowed are a symbol and a mass number, as in 'Cs133' or '133Cs'"
        )
    found = isotopes(match[1] or match[4])
    mass_number = match[2] or match[3]
    for candidate in found:
        if str(candidate.A) == mass_number:
            return candidate
    raise unknown_name("nuclide", name, [candidate.name for candidate in found])


def material(formula: str) -> Material:
    """Return a target material of natural isotopic composition.

    n_i = N_A c a_i / m, for an isotope of abundance a_i of an element that stands c times in the
    formula, with m = sum_i c a_i m_i the molar mass of one formula unit.

    Parameters
    ----------
    formula : str
        Symbols, each followed by its count (1 to 9999) or by nothing for one; no brackets.

    Returns
    -------
    Material
        Number of nuclei in 1/kg.

    Raises
    ------
    NurecoilError
        If the formula is malformed or has an element that is not in the table.

    Examples
    --------
    >>> csi = material("CsI")
    >>> [n.name for n in csi.nuclides], [f"{n:.4e}" for n in csi.nuclei_per_kg]
    (['Cs133', 'I127'], ['2.3179e+24', '2.3179e+24'])
    >>> [n.name for n in material("C3F8").nuclides]
    ['C12', 'C13', 'F19']
    """
    content = [
        (isotope, count * isotope.abundance)
        for symbol, count in _counts(formula).items()
        for isotope in isotopes(symbol)
    ]
    molar_mass_kg = 1e-3 * sum(moles * isotope.atomic_mass_u for isotope, moles in content)
    return Material(
        formula=formula,
        nuclides=tuple(isotope for isotope, _ in content),
        nuclei_per_kg=tuple(AVOGADRO * moles / molar_mass_kg for _, moles in content),
    )


def _counts(formula: str) -> dict[str, int]:
    """Return how often each element stands in a formula.

    >>> _counts("CaWO4")
    {'Ca': 1, 'W': 1, 'O': 4}
    """
    counts: dict[str, int] = {}
    position = 0
    while term := _FORMULA_TERM.match(formula, position):
        symbol, count = term.groups()
        counts[symbol] = counts.get(symbol, 0) + int(count or 1)
        position = term.end()
    if not counts or position != len(formula):
        raise NurecoilError(
            f"malformed formula '{formula}': allowed are symbols with counts from 1 to 9999, "
            f"as in 'CsI' or 'CaWO4', of {', '.join(_TABLE)}"
        )
    return counts

"""The table of nuclides against independent tables, and the counting of nuclei."""

import csv
import os
import re
from dataclasses import FrozenInstanceError
from math import fsum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nurecoil.errors import NurecoilError
from nurecoil.physics.nuclei import Material, Nuclide, _table, isotopes, material, nuclide

ELEMENTS = tuple(_table())
ALL = [isotope for symbol in ELEMENTS for isotope in isotopes(symbol)]
PUBLISHED = ("C", "O", "F", "Na", "Al", "Si", "Ar", "Ca", "Ge", "I", "Xe", "Cs", "W")
NOT_MEASURED = {"S33": "S32", "V50": "V51", "Ta180": "Ta181", "Pa231": "Th232"}
ATOMIC_MASS_KG = 1.66053906892e-27  # CODATA 2022
MEV_PER_U = 931.494104
ELECTRON_MEV = 0.510998951


def ids(isotope: Nuclide) -> str:
    return isotope.name


def nuclei_per_kg_of_elements(formula: str) -> dict[str, float]:
    target = material(formula)
    per_kg: dict[str, float] = {}
    for n, number in zip(target.nuclides, target.nuclei_per_kg, strict=True):
        per_kg[n.symbol] = per_kg.get(n.symbol, 0.0) + number
    return per_kg


@pytest.fixture(scope="module")
def published():
    folder = Path(os.environ.get("NURECOIL_DATA", Path(__file__).parents[2] / "shared" / "data"))
    path = folder / "nuclides.csv"
    if not path.is_file():
        pytest.skip(f"no table of nuclides at {path} (set NURECOIL_DATA)")
    with path.open() as lines:
        return {r["symbol"] + r["A"]: r for r in csv.DictReader(x for x in lines if not x.startswith("#"))}


def test_table_has_all_published_isotopes(published):
    assert {isotope.name for isotope in ALL if isotope.symbol in PUBLISHED} == set(published)


def test_table_has_all_elements_found_in_nature():
    # H to Bi without Tc and Pm, Th, Pa, U; 251 stable, and 38 that live for more than 10^4 years
    assert sorted(isotopes(symbol)[0].Z for symbol in ELEMENTS) == sorted(
        {*range(1, 84), 90, 91, 92} - {43, 61}
    )
    assert len(ALL) == 289


def test_table_has_every_isotope_of_periodictable_that_has_an_abundance():
    periodictable = pytest.importorskip("periodictable")
    theirs = {
        f"{element.symbol}{A}"
        for element in periodictable.elements
        for A in element.isotopes
        if element.number and element[A].abundance > 0
    }
    # it has no abundances of uranium
    assert {isotope.name for isotope in ALL} - theirs == {"U234", "U235", "U238"}
    assert theirs <= {isotope.name for isotope in ALL}


@pytest.mark.parametrize("isotope", [n for n in ALL if n.symbol in PUBLISHED], ids=ids)
def test_agrees_with_published_table(isotope, published):
    row = published[isotope.name]
    assert (isotope.symbol, isotope.Z, isotope.N, isotope.A) == (
        row["symbol"],
        int(row["Z"]),
        int(row["N"]),
        int(row["A"]),
    )
    assert isotope.atomic_mass_u == pytest.approx(float(row["atomic_mass_u"]), rel=1e-8)
    assert isotope.mass == pytest.approx(float(row["nuclear_mass_MeV"]), rel=1e-8)
    assert isotope.charge_radius_fm == pytest.approx(float(row["rms_charge_radius_fm"]), rel=2e-4)
    assert isotope.abundance == pytest.approx(float(row["abundance_percent"]) / 100, rel=1e-5)


@pytest.mark.parametrize("isotope", ALL, ids=ids)
def test_agrees_with_periodictable(isotope):
    periodictable = pytest.importorskip("periodictable")
    other = getattr(periodictable, isotope.symbol)[isotope.A]
    assert other.number == isotope.Z
    assert isotope.atomic_mass_u == pytest.approx(other.mass, rel=0, abs=5.1e-7)  # some to 1e-6 u there
    if isotope.symbol == "U":  # abundances: natural uranium, IUPAC
        assert isotope.abundance == pytest.approx(
            {234: 5.4e-5, 235: 7.204e-3, 238: 0.992742}[isotope.A], rel=1e-6
        )
    elif isotope.symbol not in ("N", "Yb", "Ir", "Ta"):  # which differ by one evaluation to the next
        assert isotope.abundance == pytest.approx(other.abundance / 100, rel=7e-3)
    else:
        assert isotope.abundance == pytest.approx(other.abundance / 100, rel=0.04)


@pytest.mark.parametrize("isotope", [n for n in ALL if n.A > 1], ids=ids)
def test_charge_radius_is_that_of_a_nucleus(isotope):
    # I. Angeli, At. Data Nucl. Data Tables 87 (2004) 185, a fit to all nuclei, which light ones do not follow
    smooth = 0.9071 + 1.105 / isotope.A ** (2 / 3) - 0.548 / isotope.A ** (4 / 3)
    within = 0.35 if isotope.A < 12 else 0.075
    assert isotope.charge_radius_fm == pytest.approx(smooth * isotope.A ** (1 / 3), rel=within)
    assert isotope.radius_measured == (isotope.name not in NOT_MEASURED)


@pytest.mark.parametrize(
    ("name", "radius_fm"),
    # Angeli and Marinova 2013, as the IAEA lists them (nds.iaea.org/radii)
    [("H1", 0.8783), ("He4", 1.6755), ("Li7", 2.444), ("Ne20", 3.0055), ("Kr84", 4.1884), ("Mo100", 4.4468),
     ("Te130", 4.7423), ("Pb208", 5.5012), ("Bi209", 5.5211), ("U238", 5.8571)],
)  # fmt: skip
def test_measured_charge_radii(name, radius_fm):
    assert nuclide(name).charge_radius_fm == pytest.approx(radius_fm, rel=0, abs=5.1e-4)


@pytest.mark.parametrize(("name", "other"), NOT_MEASURED.items())
def test_radii_that_are_not_measured_are_a_neighbour_s(name, other):
    A, B = nuclide(name), nuclide(other)
    expected = B.charge_radius_fm * (A.A / B.A) ** (1 / 3)
    assert A.charge_radius_fm == pytest.approx(expected, rel=0, abs=1e-3)
    assert f"{A.A}{A.symbol} (charge radius not measured)" in material(A.symbol).composition


@pytest.mark.parametrize("isotope", ALL, ids=ids)
def test_mass_is_nuclear_where_particle_gives_the_atomic_one(isotope):
    particle = pytest.importorskip("particle")
    of_atom = particle.Particle.from_nucleus_info(z=isotope.Z, a=isotope.A).mass
    if isotope.name == "H1":  # the proton
        assert of_atom == pytest.approx(isotope.mass, rel=1e-7)
        return
    assert of_atom == pytest.approx(isotope.atomic_mass_u * MEV_PER_U, rel=1e-7)
    assert of_atom - isotope.mass == pytest.approx(isotope.Z * ELECTRON_MEV, rel=1e-2, abs=1e-2)


def test_mass_of_the_carbon_nucleus():
    # 12 u by definition, less six electrons
    assert nuclide("C12").mass == pytest.approx(12 * MEV_PER_U - 6 * ELECTRON_MEV, rel=1e-9)


@pytest.mark.parametrize(("name", "percent"), [("C12", 9.2e-6), ("Cs133", 1.68e-4), ("W184", 2.57e-4)])
def test_neglected_electron_binding_is_what_the_docstring_says(name, percent):
    isotope = nuclide(name)
    # D. Lunney et al., Rev. Mod. Phys. 75 (2003) 1021, eq. A4
    binding_mev = (14.4381 * isotope.Z**2.39 + 1.55468e-6 * isotope.Z**5.35) * 1e-6
    assert 100 * binding_mev / isotope.mass == pytest.approx(percent, rel=0.02)


def test_neutron_radii_only_where_known():
    known = {n.name: n.neutron_radius_fm for n in ALL if n.neutron_radius_fm is not None}
    assert known == {"Ar40": 3.50, "I127": 4.94, "Cs133": 5.01}


@pytest.mark.parametrize("symbol", ELEMENTS)
def test_abundances_sum_to_one_and_isotopes_are_ordered(symbol):
    found = isotopes(symbol)
    assert fsum(isotope.abundance for isotope in found) == pytest.approx(1.0, rel=1e-15)
    assert [isotope.A for isotope in found] == sorted({isotope.A for isotope in found})


@pytest.mark.parametrize(
    ("symbol", "weight"),
    [
        ("C", 12.011),
        ("O", 15.999),
        ("Si", 28.085),
        ("Ar", 39.948),
        ("Ca", 40.078),
        ("Ge", 72.630),
        ("I", 126.904),
        ("Xe", 131.293),
        ("Cs", 132.905),
        ("W", 183.84),
        ("H", 1.0080),
        ("He", 4.0026),
        ("Ne", 20.180),
        ("Zn", 65.38),
        ("Ga", 69.723),
        ("As", 74.922),
        ("Se", 78.971),
        ("Kr", 83.798),
        ("Mo", 95.95),
        ("Te", 127.60),
        ("Ta", 180.95),
        ("Bi", 208.98),
        ("Th", 232.04),
        ("U", 238.03),
    ],
)
def test_standard_atomic_weight(symbol, weight):
    # IUPAC abridged standard atomic weights, 2021
    mean = sum(isotope.abundance * isotope.atomic_mass_u for isotope in isotopes(symbol))
    assert mean == pytest.approx(weight, rel=5e-5)


def test_number_of_nuclei_in_caesium_iodide():
    # 1000 g / 259.8099 g/mol * 6.02214e23
    csi = material("CsI")
    assert [n.name for n in csi.nuclides] == ["Cs133", "I127"]
    assert csi.nuclei_per_kg == pytest.approx([2.317902e24] * 2, rel=1e-6)


def test_stoichiometry_counts():
    # 1000 g / 287.914 g/mol * 6.02214e23 formula units of scheelite
    per_kg = {"Ca": 2.09165e24, "W": 2.09165e24, "O": 4 * 2.09165e24}
    assert nuclei_per_kg_of_elements("CaWO4") == pytest.approx(per_kg, rel=2e-5)
    octafluoropropane = nuclei_per_kg_of_elements("C3F8")
    assert octafluoropropane["F"] / octafluoropropane["C"] == pytest.approx(8 / 3, rel=1e-12)


def test_element_written_twice_is_counted_twice():
    once = material("NaI2O4")
    assert material("NaIO4I") == Material("NaIO4I", once.nuclides, once.nuclei_per_kg)


@given(
    st.lists(st.tuples(st.sampled_from(ELEMENTS), st.integers(1, 9)), min_size=1, max_size=4),
)
def test_nuclei_in_a_kilogram_weigh_a_kilogram(terms):
    target = material("Xe" + "".join(symbol * count for symbol, count in terms))
    atoms = zip(target.nuclides, target.nuclei_per_kg, strict=True)
    mass_kg = sum(number * n.atomic_mass_u * ATOMIC_MASS_KG for n, number in atoms)
    assert mass_kg == pytest.approx(1.0, rel=5e-9)


def test_nuclide_names_in_both_orders():
    assert (nuclide("Cs133").symbol, nuclide("Cs133").Z, nuclide("Cs133").N) == ("Cs", 55, 78)
    assert nuclide("133Cs") == nuclide("Cs133") == nuclide("Cs-133") == nuclide("133-Cs")
    assert all(nuclide(isotope.name) == isotope for isotope in ALL)


def test_nuclides_are_frozen():
    with pytest.raises(FrozenInstanceError):
        nuclide("Cs133").Z = 54  # type: ignore[misc]


@pytest.mark.parametrize(
    "name", ["", "Cs", "133", "cs133", "Cs133m", "Cs--133", "-133Cs", " Cs133", "Cs133\n"]
)
def test_malformed_nuclide(name):
    with pytest.raises(NurecoilError, match=r"malformed nuclide '\s?[\w-]*\s?': allowed are"):
        nuclide(name)


def test_unknown_names():
    for symbol in ("Tc", "Pm", "Po", "Rn", "Ra", "Pu", "Xx"):
        with pytest.raises(
            NurecoilError, match=f"unknown element '{symbol}': .* the 84 .* without Tc, Pm and Po"
        ):
            isotopes(symbol)
        with pytest.raises(NurecoilError, match=f"unknown element '{symbol}'"):
            material(f"{symbol}O2")
    for name in ("137Cs", "Cs-137"):
        with pytest.raises(NurecoilError, match=r"unknown stable or .* '137Cs': did you mean '133Cs'\?"):
            material(name)
    for radioactive, known in (
        ("3H", "1H, 2H"),
        ("85Kr", "86Kr"),
        ("39Ar", "36Ar, 38Ar, 40Ar"),
        ("3C", "12C"),
    ):
        for read in (nuclide, material):
            with pytest.raises(
                NurecoilError, match=f"unknown stable or primordial nuclide '{radioactive}'.*{known}"
            ):
                read(radioactive)


@pytest.mark.parametrize(
    "formula",
    ["", "csi", "Cs I", "Ca(OH)2", "C0", "C3.5", "C99999", "CsI\n", "C³", "ge76", "natGe", "Ge-76O2", "[Ge]",
     "Ge-", "76", "[76]Ge", "[76Ge", "Ge-76\n"],
)  # fmt: skip
def test_malformed_formula(formula):
    with pytest.raises(NurecoilError, match=r"malformed formula '(?s:.*)': allowed are .* as in '76Ge'"):
        material(formula)


# --- isotopes and mixtures ----------------------------------------------------------------------------


def moles(target: Material) -> dict[str, float]:
    """Nuclei of each nuclide over those of the first, by mass number before the symbol."""
    first = target.nuclei_per_kg[0]
    pairs = zip(target.nuclides, target.nuclei_per_kg, strict=True)
    return {f"{n.A}{n.symbol}": number / first for n, number in pairs}


@pytest.mark.parametrize(
    ("formula", "content"),
    [
        ("76Ge", {"76Ge": 1}),
        ("Ge-76", {"76Ge": 1}),
        ("[76Ge]", {"76Ge": 1}),
        ("He-3", {"3He": 1}),
        ("7LiF", {"7Li": 1, "19F": 1}),
        ("[7Li]F", {"7Li": 1, "19F": 1}),
        ("6Li2[100Mo][16O]4", {"6Li": 1, "100Mo": 1 / 2, "16O": 2}),
        ("[13C][2H]4", {"13C": 1, "2H": 4}),
        ("D2[16O]", {"2H": 1, "16O": 1 / 2}),
        ("[1H]D[16O]", {"1H": 1, "2H": 1, "16O": 1}),
        ("238U[19F]6", {"238U": 1, "19F": 6}),
    ],
)
def test_isotopes_in_a_formula(formula, content):
    assert moles(material(formula)) == pytest.approx(content, rel=1e-12)


def test_an_isotope_weighs_what_it_weighs():
    # 1000 g / 75.9214027 g/mol * 6.02214076e23
    assert material("76Ge").nuclei_per_kg == pytest.approx([7.9320725e24], rel=1e-7)


def test_isotopic_fractions_are_of_nuclei():
    enriched = material({"76Ge": 0.87, "74Ge": 0.13})
    molar = 0.87 * 75.9214027 + 0.13 * 73.9211778
    expected = [6.02214076e26 / molar * fraction for fraction in (0.87, 0.13)]
    assert enriched.nuclei_per_kg == pytest.approx(expected, rel=1e-7)
    assert material({"76Ge": 0.87, "74Ge": 0.13}, "mole") == enriched
    assert enriched.composition == "0.87 76Ge + 0.13 74Ge: 87 % 76Ge, 13 % 74Ge of its nuclei"


def test_mass_fractions_are_of_the_mass():
    mixed = material({"136Xe": 0.25, "40Ar": 0.75}, "mass")
    expected = [0.25 * 6.02214076e26 / 135.9072145, 0.75 * 6.02214076e26 / 39.9623831]
    assert mixed.nuclei_per_kg == pytest.approx(expected, rel=1e-7)
    assert mixed.formula == "0.25 136Xe + 0.75 40Ar by mass"


@pytest.mark.parametrize("fractions", ["mole", "mass"])
def test_a_part_of_all_is_all(fractions):
    for formula in ("Ge", "H2O", "7LiF"):
        assert material({formula: 1.0}, fractions).nuclei_per_kg == pytest.approx(
            material(formula).nuclei_per_kg, rel=1e-12
        )


def test_natural_abundances_as_fractions_are_the_element():
    table = {f"{n.A}{n.symbol}": n.abundance for n in isotopes("Xe")}
    assert material(table).nuclei_per_kg == pytest.approx(material("Xe").nuclei_per_kg, rel=1e-12)


def test_a_nuclide_of_several_parts_is_one():
    # depleted with natural: 0.5 76Ge and half of what nature has
    found = material({"76Ge": 0.5, "Ge": 0.5})
    assert len(found.nuclides) == 5
    assert moles(found)["70Ge"] == pytest.approx(0.5 * 0.2052 / (0.5 + 0.5 * 0.0775), rel=1e-9)


def test_fractions_of_compounds():
    # scintillator CH_1.1: 10 C for 11 H
    plastic = material({"C": 10 / 21, "H": 11 / 21}, "mole")
    per_kg = [
        sum(n for x, n in zip(plastic.nuclides, plastic.nuclei_per_kg, strict=True) if x.Z == Z)
        for Z in (6, 1)
    ]
    assert per_kg[1] / per_kg[0] == pytest.approx(1.1, rel=1e-12)
    # isotopes alone differ: no need to say that fractions are of moles
    assert moles(material({"7LiF": 0.95, "6LiF": 0.05}))["6Li"] == pytest.approx(5 / 95, rel=1e-12)
    assert material({"D2O": 0.99, "H2O": 0.01}) == material({"D2O": 0.99, "H2O": 0.01}, "mole")


@pytest.mark.parametrize(
    ("mixture", "reason"),
    [
        ({"H2O": 0.9, "NaCl": 0.1}, "needs fractions = 'mole' or 'mass'"),
        ({"Ar": 0.9, "Xe": 0.1}, "needs fractions"),
        ({"H2O": 0.5, "H2O2": 0.5}, "needs fractions"),
        ({"76Ge": 0.87}, "sum of the fractions = 0.87"),
        ({}, "sum of the fractions = 0 "),
        ({"76Ge": 0.87, "74Ge": 0.15}, "sum of the fractions = 1.02"),
        (
            {"76Ge": 87, "74Ge": 13},
            "fraction of '76Ge' = 87 is not allowed: it must be above 0 and at most 1",
        ),
        ({"76Ge": 1.0, "74Ge": 0.0}, "fraction of '74Ge' = 0"),
        ({"76Ge": 1.1, "74Ge": -0.1}, "fraction of '76Ge' = 1.1"),
        ({"76Ge": float("nan"), "74Ge": 0.13}, "fraction of '76Ge' = nan"),
        ({"Ge76": 0.87, "Ge74": 0.13}, "'Ge76' can only be a mistake"),
        ({"76Ge": 0.9, "Ge-76": 0.1}, "has '76Ge' and 'Ge-76', which are the same"),
        ({"D2O": 0.5, "H2O": 0.4, "[2H]2O": 0.1}, r"has 'D2O' and '\[2H\]2O', which are the same"),
        ({"CsI": 0.5, "ICs": 0.5}, "has 'CsI' and 'ICs', which are the same"),
        ({"76Ge": 0.87, "77Ge": 0.13}, "unknown stable or primordial nuclide '77Ge'"),
    ],
)
def test_fractions_that_cannot_be(mixture, reason):
    with pytest.raises(NurecoilError, match=reason):
        material(mixture)


def test_fractions_in_words():
    with pytest.raises(NurecoilError, match="unknown kind of fractions 'weight'"):
        material({"76Ge": 1.0}, "weight")


def test_rounded_fractions_are_scaled_to_one():
    assert material({"76Ge": 0.868, "74Ge": 0.130}).nuclei_per_kg == pytest.approx(
        material({"76Ge": 0.868 / 0.998, "74Ge": 0.130 / 0.998}).nuclei_per_kg, rel=1e-12
    )


# --- formulas that can only be a mistake --------------------------------------------------------------


@pytest.mark.parametrize("isotope", [n for n in ALL if n.Z > 1], ids=ids)
def test_a_mass_number_after_its_symbol_is_refused(isotope):
    name, symbol = f"{isotope.A}{isotope.symbol}", isotope.symbol
    meant = f"can only be a mistake.* write '{name}' for the isotope, '{symbol}' for the natural element"
    with pytest.raises(NurecoilError, match=meant):
        material(isotope.name)
    if symbol not in ("O", "He"):
        with pytest.raises(NurecoilError, match=rf"can only be a mistake.* write '\[{name}\]O2'"):
            material(f"{isotope.name}O2")


@pytest.mark.parametrize(
    "formula", ["Cs137", "Co60", "Kr85", "Ar39", "Ar42", "C14", "H3", "Ge68", "U233", "Am241"]
)
def test_a_radioactive_nuclide_is_refused(formula):
    with pytest.raises(NurecoilError, match=r"can only be a mistake|unknown element"):
        material(formula)


@pytest.mark.parametrize(
    ("formula", "meant"),
    [
        ("Li7F", "[7Li]F"),
        ("Li6I", "[6Li]I"),
        ("Na23I127", "[23Na][127I]"),
        ("Cs133I", "[133Cs]I"),
        ("Zn82Se", "Zn[82Se]"),
        ("CaMo100O4", "Ca[100Mo]O4"),
        ("Ca48MoO4", "[48Ca]MoO4"),
        ("Zn100MoO4", "Zn[100Mo]O4"),
        ("Li2100MoO4", "Li2[100Mo]O4"),
        ("40Ca100MoO4", "[40Ca][100Mo]O4"),
        ("H2O18", "H2[18O]"),
        ("H218O", "H2[18O]"),
        ("B10F3", "[10B]F3"),
        ("C13F4", "[13C]F4"),
        ("CaW183O4", "Ca[183W]O4"),
    ],
)
def test_what_was_meant_is_written_out_and_legal(formula, meant):
    with pytest.raises(NurecoilError, match="can only be a mistake") as refused:
        material(formula)
    assert str(refused.value).endswith(f"write '{meant}'")
    material(meant)


@pytest.mark.parametrize("formula", ["CSI", "SIO2", "PBWO4", "BI4GE3O12", "CUO", "SNO2"])
def test_capitals_are_refused(formula):
    with pytest.raises(NurecoilError, match=r"all in capitals|unknown element"):
        material(formula)


LEGAL = re.findall(
    r"\S+",
    """
H2 N2 O2 O3 F2 P4 S8 C60 H2O D2O HDO LiF NaI CsI CsBr KBr TlBr BaF2 CaF2 CeF3 CeBr3 LaBr3 SrI2 ZnS ZnSe CdTe
CdWO4 CaWO4 PbWO4 ZnWO4 PbF2 Bi4Ge3O12 Bi12GeO20 Y3Al5O12 Lu2SiO5 Gd2SiO5 Cs2LiYCl6 Al2O3 SiO2 TeO2 GaAs InSb
Li2MoO4 6Li2MoO4 116CdWO4 Li7La3Zr2O12 Li6PS5Cl UB12 CO CO2 HF NO CH CH2 CH4 C2H6 C6H6 C9H10 C9H12 C10H8 C8H8
C12H10 C12H26 C13H10 C14H10 C16H18 C16H26 C18H30 C15H11NO C12H22O11 C18H32O16 C3F8 C4F10 C2F4 CF4 SF6 C6F14
C7F16 C8F18 C9F20 CF3I CHF3 C2ClF5 XeF6 UF6 U3O8 Sc2W3O12 B4C BN LaB6 B10H14 C2B10H12 KSCN CS2 He Ne Ar Kr Xe
""",
)


@pytest.mark.parametrize("formula", LEGAL)
def test_formulas_of_real_materials_are_legal(formula):
    target = material(formula)
    assert fsum(
        number * n.atomic_mass_u * ATOMIC_MASS_KG
        for n, number in zip(target.nuclides, target.nuclei_per_kg, strict=True)
    ) == pytest.approx(1.0, rel=5e-9)

"""The table of nuclides against independent tables, and the counting of nuclei."""

import csv
import os
from dataclasses import FrozenInstanceError
from math import fsum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nurecoil.errors import NurecoilError
from nurecoil.nuclei import Material, Nuclide, isotopes, material, nuclide

ELEMENTS = ("C", "O", "F", "Na", "Al", "Si", "Ar", "Ca", "Ge", "I", "Xe", "Cs", "W")
ALL = [isotope for symbol in ELEMENTS for isotope in isotopes(symbol)]
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
    assert {isotope.name for isotope in ALL} == set(published)


@pytest.mark.parametrize("isotope", ALL, ids=ids)
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
    assert isotope.atomic_mass_u == pytest.approx(other.mass, rel=1e-8)
    assert isotope.abundance == pytest.approx(other.abundance / 100, rel=1e-3)


@pytest.mark.parametrize("isotope", ALL, ids=ids)
def test_mass_is_nuclear_where_particle_gives_the_atomic_one(isotope):
    particle = pytest.importorskip("particle")
    of_atom = particle.Particle.from_nucleus_info(z=isotope.Z, a=isotope.A).mass
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
    st.lists(st.tuples(st.sampled_from(ELEMENTS), st.integers(1, 99)), min_size=1, max_size=4),
)
def test_nuclei_in_a_kilogram_weigh_a_kilogram(terms):
    target = material("".join(f"{symbol}{count}" for symbol, count in terms))
    atoms = zip(target.nuclides, target.nuclei_per_kg, strict=True)
    mass_kg = sum(number * n.atomic_mass_u * ATOMIC_MASS_KG for n, number in atoms)
    assert mass_kg == pytest.approx(1.0, rel=5e-9)


def test_nuclide_names_in_both_orders():
    assert (nuclide("Cs133").symbol, nuclide("Cs133").Z, nuclide("Cs133").N) == ("Cs", 55, 78)
    assert nuclide("133Cs") == nuclide("Cs133")
    assert all(nuclide(isotope.name) == isotope for isotope in ALL)


def test_nuclides_are_frozen():
    with pytest.raises(FrozenInstanceError):
        nuclide("Cs133").Z = 54  # type: ignore[misc]


@pytest.mark.parametrize("name", ["", "Cs", "133", "cs133", "Cs133m", "Cs-133", " Cs133", "Cs133\n"])
def test_malformed_nuclide(name):
    with pytest.raises(NurecoilError, match=r"malformed nuclide '\s?[\w-]*\s?': allowed are"):
        nuclide(name)


def test_unknown_names():
    with pytest.raises(NurecoilError, match=r"unknown element 'Tl'.*\(known: C, O, F, .*, W\)$"):
        isotopes("Tl")
    with pytest.raises(NurecoilError, match=r"unknown nuclide 'Cs137': did you mean 'Cs133'\?"):
        nuclide("Cs137")
    with pytest.raises(NurecoilError, match="unknown element 'Tl'"):
        material("NaITl")


@pytest.mark.parametrize(
    "formula", ["", "csi", "Cs I", "Ca(OH)2", "C0", "3C", "C3.5", "C99999", "CsI\n", "C³"]
)
def test_malformed_formula(formula):
    with pytest.raises(NurecoilError, match=r"malformed formula '(?s:.*)': allowed are .* of C, O, F, "):
        material(formula)

"""Expected counts: every experiment against direct double integrals, and the symmetries of a rate."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reference
from nurecoil.detector.efficiency import ConstantEfficiency
from nurecoil.detector.quenching import ConstantQuenching
from nurecoil.detector.response import Detector
from nurecoil.detector.smearing import NoSmearing
from nurecoil.experiment import compile_experiment
from nurecoil.experiment.card import load_experiment
from nurecoil.models import STANDARD_MODEL, ZPRIME_331
from nurecoil.physics.couplings import Couplings
from nurecoil.physics.cross_section import Conventions
from nurecoil.physics.form_factors import form_factor
from nurecoil.physics.nuclei import Material, isotopes, material, nuclide
from nurecoil.sources import PionDecayAtRest
from universal import flavour_universal

POINTS_331 = [
    {"beta": math.sqrt(3), "m_zprime": 7e5, "sin2_theta_w": 0.2312, "s13_tilde": 0.1, "mu_nu": 1e-9},
    {"beta": -2 / math.sqrt(3), "m_zprime": 9e5, "sin2_theta_w": 0.23867, "s13_tilde": 0.03, "mu_nu": 0.0},
]
AWAY_FROM_SM = flavour_universal(0.1, -0.6, 0.0, 0.0, 1e-9)
TABLE_II = sorted(reference.SETUPS)


def with_detector(experiment, detector):
    """Return the experiment with another detector."""
    return experiment.with_signal(replace(experiment.signal, detector=detector))


# --- against the independent double integral ----------------------------------------------------------


@pytest.mark.parametrize("name", TABLE_II)
def test_standard_model_counts(compiled, name):
    expected = reference.counts(reference.SETUPS[name], reference.universal(*reference.couplings_sm(0.23867)))
    total = compiled[name].counts(STANDARD_MODEL.couplings(sin2_theta_w=0.23867)).sum()
    assert total == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("variant", ["equations", "numbers"])
@pytest.mark.parametrize("point", POINTS_331, ids=["+sqrt3", "-2/sqrt3"])
@pytest.mark.parametrize("name", TABLE_II)
def test_331_counts(compiled, name, point, variant):
    nucleons = reference.couplings_331(
        point["beta"], point["m_zprime"] / 1e3, point["sin2_theta_w"], point["s13_tilde"], variant
    )
    moments = {"e": point["mu_nu"], "mu": point["mu_nu"]}
    expected = reference.counts(reference.SETUPS[name], reference.universal(*nucleons), moments)
    total = compiled[name].counts(ZPRIME_331.couplings(**point, variant=variant)).sum()
    assert total == pytest.approx(expected, rel=1e-5)


# Steps at 5 and 6 PE; the ν_μ line ends near 17; the largest recoils are 52.8 and 55.3 PE
@pytest.mark.parametrize("low", [4, 6, 14, 16, 18, 44, 54])
def test_counts_per_bin(csi, low):
    bins = csi.counts(STANDARD_MODEL.couplings(sin2_theta_w=0.23867))
    expected = reference.counts(
        reference.SETUPS["binh2021-csi"],
        reference.universal(*reference.couplings_sm(0.23867)),
        low=low,
        high=low + 2,
    )
    assert bins[csi.experiment.signal.detector.edges.index(low)] == pytest.approx(expected, rel=1e-5)


def test_flavour_changing_complex_couplings_and_separate_form_factors(csi):
    g_p = np.array([[0.04, 0.3 - 0.2j, 0.1j], [0.3 + 0.2j, -0.2, 0.05], [-0.1j, 0.05, 0.7]])
    g_n = np.array([[-0.5, -0.1 + 0.3j, 0.2], [-0.1 - 0.3j, -0.9, 0.4j], [0.2, -0.4j, 0.3]])
    zero = np.zeros((3, 3))
    couplings = Couplings(g_p, g_n, zero, zero, np.array([1e-9, 5e-9, 1e-6]))
    usual = replace(csi.experiment.with_form_factor(form_factor("helm")), conventions=Conventions())
    expected = reference.counts(
        reference.SETUPS["binh2021-csi"],
        reference.by_flavour(g_p, g_n),
        {"e": 1e-9, "mu": 5e-9},  # no tau neutrinos: their moment must not matter
        form_factors=reference.helm_usual,
        of_the_seed=False,
    )
    assert compile_experiment(usual).counts(couplings).sum() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("flavour", "share"), [("e", 1), ("mu", 2)])
def test_one_third_of_the_neutrinos_are_of_electron_flavour_at_low_recoil(flavour, share):
    # at T -> 0 each neutrino counts the same, whatever its energy: ν_e once, ν_μ and ν̄_μ twice
    near_zero = Detector(
        "keV", (0.0, 1e-6), ConstantQuenching(1.0), 1.0, NoSmearing(), ConstantEfficiency(1.0)
    )
    point = load_experiment("binh2021-ge").with_form_factor(form_factor("point"))
    experiment = with_detector(point, near_zero)
    diagonal = np.diag([flavour == "e", flavour == "mu", False]).astype(float)
    zero = np.zeros((3, 3))
    alone = Couplings(zero, diagonal, zero, zero, np.zeros(3))
    whole = flavour_universal(0.0, 1.0, 0.0, 0.0)
    compiled = compile_experiment(experiment)
    assert compiled.counts(alone).sum() / compiled.counts(whole).sum() == pytest.approx(share / 3, rel=1e-5)


# --- the published count ------------------------------------------------------------------------------


def test_standard_model_count_of_the_seed_csi_setup(csi):
    # PHYSICS.md, section 5
    assert csi.counts(STANDARD_MODEL.couplings(sin2_theta_w=0.23867)).sum() == pytest.approx(187.0, abs=0.5)


def test_the_magnetic_moment_of_the_seed_adds_almost_nothing(csi):
    # PHYSICS.md, section 5, says 0.015 events at 2.9e-11 μ_B, which is what lies below 30 PE
    dipole = csi.counts(flavour_universal(0.0, 0.0, 0.0, 0.0, 2.9e-11))
    below_30 = csi.experiment.signal.detector.edges.index(30)
    assert dipole[:below_30].sum() == pytest.approx(0.015, abs=5e-4)
    moments = {"e": 2.9e-11, "mu": 2.9e-11}
    expected = reference.counts(reference.SETUPS["binh2021-csi"], reference.universal(0.0, 0.0), moments)
    assert dipole.sum() == pytest.approx(expected, rel=1e-5)


# --- exposure -----------------------------------------------------------------------------------------


def test_fluence_by_hand():
    # 0.08 · 1.76e23 / (4π (1930 cm)²) = 3.0081e14 per cm²
    assert PionDecayAtRest(1.76e23, 0.08, 19.3).fluence == pytest.approx(3.0081e14, rel=1e-4)


@pytest.mark.parametrize("name", TABLE_II)
def test_table_ii_and_365_days_of_the_same_beam(compiled, name):
    experiment, setup = compiled[name].experiment, reference.SETUPS[name]
    assert experiment.mass_kg == setup.mass_kg
    assert experiment.exposure.baseline_m == setup.baseline_m
    assert experiment.exposure.neutrinos_per_proton == 0.08
    assert experiment.exposure.protons_on_target == pytest.approx(1.76e23 * setup.days / 308.1, rel=1e-7)


@given(st.floats(0.01, 100), st.floats(0.01, 100), st.floats(0.01, 100))
def test_counts_are_linear_in_mass_protons_and_inverse_area(mass, protons, distance):
    experiment = load_experiment("binh2021-nai-185")
    exposure = experiment.exposure
    scaled = replace(
        experiment,
        mass_kg=experiment.mass_kg * mass,
        exposure=replace(
            exposure,
            protons_on_target=exposure.protons_on_target * protons,
            baseline_m=exposure.baseline_m * distance,
        ),
    )
    before, after = (compile_experiment(e).counts(AWAY_FROM_SM) for e in (experiment, scaled))
    np.testing.assert_allclose(after, before * mass * protons / distance**2, rtol=1e-12)


# --- symmetries ---------------------------------------------------------------------------------------


@given(st.permutations(range(5)))
def test_the_order_of_isotopes_does_not_matter(order):
    experiment = load_experiment("binh2021-ge")
    target = experiment.target
    shuffled = Material(
        target.formula,
        tuple(target.nuclides[i] for i in order),
        tuple(target.nuclei_per_kg[i] for i in order),
    )
    before, after = (compile_experiment(replace(experiment, target=t)) for t in (target, shuffled))
    np.testing.assert_allclose(after.counts(AWAY_FROM_SM), before.counts(AWAY_FROM_SM), rtol=1e-13)


def test_a_mixture_is_the_sum_of_its_isotopes():
    experiment = load_experiment("binh2021-csi")
    target = experiment.target
    parts = [
        compile_experiment(replace(experiment, target=Material(n.name, (n,), (per_kg,)))).counts(AWAY_FROM_SM)
        for n, per_kg in zip(target.nuclides, target.nuclei_per_kg, strict=True)
    ]
    whole = compile_experiment(experiment).counts(AWAY_FROM_SM)
    np.testing.assert_allclose(np.sum(parts, axis=0), whole, rtol=1e-13)


def counts_of(target, form_factor_name="point", edges=(5.0, 100.0)):
    """Counts of a detector of 10 kg for couplings to neutrons alone, 1/N² of them for a point nucleus."""
    experiment = load_experiment("binh2021-ge")
    detector = replace(experiment.signal.detector, edges=edges)
    signal = replace(experiment.signal, detector=detector, form_factor=form_factor(form_factor_name))
    compiled = compile_experiment(replace(experiment.with_signal(signal), target=target))
    return compiled.counts(flavour_universal(0.0, -0.5, 0.0, 0.0, 0.0))


def test_an_enriched_detector_counts_as_neutrons_squared():
    # all recoils of the whole spectrum, F = 1: σ = G_F² N² E²/4π, so that counts go as Σ n_i N_i² per kg
    enriched, natural = material({"76Ge": 0.87, "74Ge": 0.13}), material("Ge")
    found = counts_of(enriched, edges=(0.0, 1e3)).sum() / counts_of(natural, edges=(0.0, 1e3)).sum()
    by_hand = 0.87 * 44**2 + 0.13 * 42**2
    by_hand /= 0.2052 * 38**2 + 0.2745 * 40**2 + 0.0776 * 41**2 + 0.3652 * 42**2 + 0.0775 * 44**2
    by_hand *= 72.6296 / (0.87 * 75.9214 + 0.13 * 73.9212)  # nuclei in a kilogram
    assert found == pytest.approx(by_hand, rel=2e-5)  # T_max changes with the mass


def test_the_parts_of_a_mixture_add_up_by_mass():
    for parts in ({"76Ge": 0.87, "74Ge": 0.13}, {"H2O": 0.9, "NaCl": 0.1}, {"Ar": 0.99, "Xe": 0.01}):
        whole = counts_of(material(parts, "mass"), "helm")
        each = [share * counts_of(material(part), "helm") for part, share in parts.items()]
        np.testing.assert_allclose(whole, np.sum(each, axis=0), rtol=1e-6)


@pytest.mark.parametrize(
    "formula", ["H2O", "D2O", "GaAs", "TeO2", "PbWO4", "LiF", "ZnSe", "He", "Ne", "Kr", "S", "Pa"]
)
@pytest.mark.parametrize("name", ["helm", "helm-binh2021", "klein-nystrand", "symmetrised-fermi"])
def test_every_form_factor_takes_every_target(formula, name):
    counts = counts_of(material(formula), name)
    assert np.all(np.isfinite(counts))
    assert counts.sum() > 0
    assert counts.sum() <= counts_of(material(formula)).sum()


def test_hydrogen_counts_by_its_proton_alone():
    hydrogen = Material("1H", (nuclide("1H"),), (1e26,))
    assert counts_of(hydrogen).sum() == 0  # no neutrons
    Q = 0.5 - 2 * 0.23857  # (1 - 4 s²)/2
    experiment = load_experiment("binh2021-ge")
    compiled = compile_experiment(replace(experiment, target=hydrogen))
    given = compiled.counts(STANDARD_MODEL.couplings(sin2_theta_w=0.23857))
    np.testing.assert_allclose(
        given, Q**2 * compiled.counts(flavour_universal(1.0, 0.0, 0.0, 0.0, 0.0)), rtol=1e-9
    )
    assert len(isotopes("H")) == 2


def test_the_sign_of_all_couplings_changes_nothing(csi):
    flipped = flavour_universal(-0.1, 0.6, 0.0, 0.0, 1e-9)
    np.testing.assert_array_equal(csi.counts(flipped), csi.counts(AWAY_FROM_SM))


@given(st.floats(-2, 2), st.floats(-2, 2), st.floats(0, 1e-8))
def test_no_bin_is_ever_negative(csi, g_p, g_n, moment):
    assert np.all(csi.counts(flavour_universal(g_p, g_n, 0.0, 0.0, moment)) >= -1e-9)


# --- bins ---------------------------------------------------------------------------------------------


@given(st.lists(st.floats(4.01, 55.9), max_size=6, unique=True))
def test_bins_add_up_however_they_are_cut(csi, cuts):
    experiment = csi.experiment
    detector = replace(experiment.signal.detector, edges=(4.0, *sorted(cuts), 56.0))
    cut = compile_experiment(with_detector(experiment, detector)).counts(AWAY_FROM_SM)
    assert cut.sum() == pytest.approx(csi.counts(AWAY_FROM_SM).sum(), rel=1e-5)


def test_threshold_and_end_of_the_range_cut_counts_off():
    experiment = load_experiment("binh2021-ge")

    def total(*edges):
        detector = replace(experiment.signal.detector, edges=edges)
        return compile_experiment(with_detector(experiment, detector)).counts(AWAY_FROM_SM).sum()

    assert total(5.0, 20.0) + total(20.0, 100.0) == pytest.approx(total(5.0, 100.0), rel=1e-6)
    assert total(5.0, 100.0) == pytest.approx(total(5.0, 1e4), rel=1e-12)  # nothing above 86 keV
    assert total(90.0, 100.0) == 0.0
    assert total(5.0, 100.0) < 0.95 * total(0.1, 100.0)


def test_no_efficiency_no_counts_half_the_efficiency_half_the_counts():
    experiment = load_experiment("binh2021-ge")

    def total(efficiency):
        detector = replace(experiment.signal.detector, efficiency=ConstantEfficiency(efficiency))
        return compile_experiment(with_detector(experiment, detector)).counts(AWAY_FROM_SM).sum()

    assert total(0.0) == 0.0
    assert total(0.25) == pytest.approx(total(1.0) / 4, rel=1e-13)
    assert total(0.5) == pytest.approx(compile_experiment(experiment).counts(AWAY_FROM_SM).sum(), rel=1e-13)


def test_many_points_at_once_are_the_single_points(csi):
    masses = np.geomspace(2e5, 2e7, 7)
    together = csi.counts(ZPRIME_331.couplings(beta=-math.sqrt(3), m_zprime=masses))
    assert together.shape == (7, len(csi.experiment.signal.detector.edges) - 1)
    for row, mass in zip(together, masses, strict=True):
        single = csi.counts(ZPRIME_331.couplings(beta=-math.sqrt(3), m_zprime=float(mass)))
        np.testing.assert_allclose(row, single, rtol=1e-12)

"""Neutron radii as parameters: the counts of a compilation with that radius, pulls that are held, fits."""

import math
from dataclasses import replace

import numpy as np
import pytest

import nurecoil
import reference
from nurecoil.experiment import basis_of, compile_experiment
from nurecoil.experiment.card import load_experiment
from nurecoil.models import NSI, RADII_OF_NEUTRONS, STANDARD_MODEL, load_model
from nurecoil.models.loading import check
from nurecoil.physics.form_factors import form_factor, helm, with_neutrons_shifted
from nurecoil.physics.nuclei import isotopes, material, nuclide
from nurecoil.physics.radii import NEUTRON_RADII, SHIFTS, Radii, Radius
from test_channels import g_f_squared

SM = STANDARD_MODEL.couplings()
CASES = [("coherent-csi-2021", "rn_csi", 4.975), ("coherent-lar-2020", "rn_ar", 3.5)]
AWAY = [-1.4, -0.6, 0.0, 0.4957, 2.1, 3.5]  # fm, of the card's


def with_radius(compiled, shift):
    """Return the experiment compiled anew with neutron radii that are larger by a shift."""
    experiment = compiled.experiment
    signal = replace(
        experiment.signal, form_factor=with_neutrons_shifted(experiment.signal.form_factor, shift)
    )
    return compile_experiment(experiment.with_signal(signal, ()))


# --- nodes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("R", [3.6, 4.975, 5.47, 8.4])
def test_the_nodes_hold_the_form_factor_of_any_radius(R):
    q, nodes = np.linspace(1.0, 110.0, 50), Radii("csi")

    def squared(radius):
        return helm(q, math.sqrt(5 / 3 * (radius**2 - 3 * 0.9**2)), 0.9) ** 2

    at_nodes = np.array([squared(4.975 + shift) for shift in nodes.shifts])
    found = Radius("csi", np.array(R)).at(nodes) @ at_nodes
    np.testing.assert_allclose(found, squared(R), rtol=0, atol=1e-9)
    assert Radius("csi", np.array([R, R])).at(nodes).shape == (2, nodes.size)


def test_defaults_are_the_means_of_what_cards_take():
    def mean(*symbols):
        found = [n for symbol in symbols for n in isotopes(symbol)]
        radii = [n.neutron_radius_fm or n.charge_radius_fm for n in found]
        return np.average(radii, weights=[n.abundance for n in found])

    for elements, radius in NEUTRON_RADII.values():
        assert radius == pytest.approx(mean(*elements), abs=1e-3)
    for p in RADII_OF_NEUTRONS.parameters[:4]:
        assert (p.low, p.high) == pytest.approx((p.default + SHIFTS[0], p.default + SHIFTS[1]))


# --- counts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "parameter", "own"), CASES)
def test_counts_are_those_of_a_compilation_with_that_radius(coherent, name, parameter, own):
    compiled = coherent[name]
    found = compiled.counts(RADII_OF_NEUTRONS.couplings(**{parameter: own + np.array(AWAY)}))
    assert found.shape == (len(AWAY), *compiled.counts(SM).shape)
    for shift, counts in zip(AWAY, found, strict=True):
        expected = with_radius(compiled, shift).counts(SM)
        np.testing.assert_allclose(counts, expected, rtol=1e-6, atol=1e-9 * expected.max())
    totals = found.sum(axis=1)
    assert (np.diff(totals) < 0).all()
    assert totals[2] == pytest.approx(compiled.counts(SM).sum(), rel=1e-12)


def test_counts_of_argon_by_hand(coherent):
    # what 0.01 fm do, against a sum over recoils of the detector's response and F_n
    lar = coherent["coherent-lar-2020"]
    near = [lar.counts(RADII_OF_NEUTRONS.couplings(rn_ar=R)).sum() for R in (3.5, 3.51)]
    experiment, n = lar.experiment, nuclide("Ar40")
    T = np.linspace(0.0, 0.16, 4001)[1:]
    q, M = np.sqrt(2 * n.mass * T), n.mass
    E = np.linspace(1.0, reference.ENDPOINT, 400)
    kernel = np.maximum(1 - T[:, None] / E - M * T[:, None] / (2 * E**2), 0)
    flux = np.trapezoid(kernel * (np.vectorize(reference.nu_e)(E) + np.vectorize(reference.nu_mu_bar)(E)), E)
    flux = 0.87 * flux + np.maximum(1 - T / reference.NU_MU_LINE - M * T / (2 * reference.NU_MU_LINE**2), 0)
    seen = experiment.signal.detector.response(T).sum(axis=0) * flux * g_f_squared(M)
    F_p = form_factor("helm").proton(q, n)

    def total(R):
        F_n = helm(q, math.sqrt(5 / 3 * (R**2 - 3 * 0.9**2)), 0.9)
        return np.sum(seen * (18 * (0.5 - 2 * 0.23857) * F_p - 11 * F_n) ** 2)

    assert near[1] / near[0] - 1 == pytest.approx(total(3.51) / total(3.5) - 1, rel=0.01)


@pytest.mark.parametrize("names", [NAMES := tuple(case[0] for case in CASES), NAMES[:1]])
def test_strengths_of_a_few_modes_give_the_counts(coherent, names):
    experiments = [coherent[name] for name in names]
    basis = basis_of(RADII_OF_NEUTRONS.channels, experiments)
    couplings = RADII_OF_NEUTRONS.couplings(rn_csi=np.array([4.0, 5.5, 8.0]), rn_ar=3.3)
    strengths = basis.strengths(couplings)
    assert strengths.shape[1] < 80
    for experiment in experiments:
        for block in experiment.with_channels(RADII_OF_NEUTRONS.channels).blocks:
            expected = block.evaluate(couplings)
            floor = 1e-9 * expected.max()
            np.testing.assert_allclose(strengths @ basis.matrix(block), expected, rtol=1e-7, atol=floor)


def test_a_pull_of_the_radius_has_no_effect_and_others_have_theirs(coherent):
    compiled = coherent["coherent-csi-2021"].with_channels(RADII_OF_NEUTRONS.channels)
    couplings, at_5 = RADII_OF_NEUTRONS.couplings(rn_csi=5.5), with_radius(compiled, 5.5 - 4.975)
    expected = at_5.counts(SM)
    shapes = compiled.experiment.statistics.signal.shapes
    for shape, ends in zip(shapes, compiled.variations, strict=True):
        for templates in ends:
            same = np.allclose(templates.evaluate(couplings), expected, rtol=1e-7)
            assert same == (shape.pull.name == "neutron_radius_csi")
    of_card = compiled.variations[[s.pull.name for s in shapes].index("neutron_radius_csi")][0]
    assert not np.allclose(of_card.evaluate(SM), compiled.counts(SM), rtol=1e-3)


def test_elements_of_no_parameter_keep_their_radius():
    iodide = load_experiment("binh2021-nai-185").with_form_factor(form_factor("helm"))
    sodium = compile_experiment(replace(iodide, target=material("Na")))
    np.testing.assert_array_equal(sodium.counts(RADII_OF_NEUTRONS.couplings(rn_csi=6.0)), sodium.counts(SM))
    found = compile_experiment(iodide).counts(RADII_OF_NEUTRONS.couplings(rn_csi=6.0))
    moved = with_neutrons_shifted(iodide.signal.form_factor, 6.0 - 4.975)
    of_both = replace(iodide.signal, form_factor=moved)
    both = compile_experiment(iodide.with_signal(of_both, ())).counts(SM)
    before = compile_experiment(iodide).counts(SM)
    assert (both < found).all()
    assert (found < before).all()


# --- models ------------------------------------------------------------------------------------------


def test_the_model_is_what_it_says():
    assert check(RADII_OF_NEUTRONS, "test") is RADII_OF_NEUTRONS


def test_nsi_see_the_radius_too(coherent):
    lar, epsilons = coherent["coherent-lar-2020"], {"eps_u_ee": 0.2, "eps_d_emu": 0.1}
    found = lar.counts(load_model("neutron-radii+nsi").couplings(rn_ar=4.2, **epsilons))
    expected = with_radius(lar, 0.7).counts(NSI.couplings(**epsilons))
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9 * expected.max())


def test_recoils_and_counts_agree(coherent):
    study = nurecoil.Study("neutron-radii", coherent["coherent-lar-2020"], rn_ar="4.5 fm")
    heavier = nurecoil.Study("standard-model", with_radius(coherent["coherent-lar-2020"], 1.0))
    found, expected = (s.spectrum().values.parts[0] for s in (study, heavier))
    for nuclide_name, rates in found.rates.items():
        np.testing.assert_allclose(rates, expected.rates[nuclide_name], rtol=1e-9)
    np.testing.assert_allclose(found.counts, expected.counts, rtol=1e-6)
    assert study.predict().values.parts[0].total == pytest.approx(found.counts.sum(), rel=1e-6)


def test_the_radius_of_csi_is_the_published_one(coherent):
    """5.47 ± 0.38 fm (AtzoriCorona:2023ktl): the release read anew, so within half of that."""
    study = nurecoil.Study("neutron-radii", coherent["coherent-csi-2021"], electroweak="radiative")
    result = study.limit("rn_csi", "3.6..8.4 fm", cl=0.6827)
    ((low, high),) = result.record()["allowed"]
    assert (low + high) / 2 == pytest.approx(5.47, abs=0.19)
    assert (high - low) / 2 == pytest.approx(0.38, rel=0.2)
    assert "neutron_radius_csi has no effect on them" in " ".join(result.notes)


def test_a_constraint_on_the_radius_does_what_the_pull_of_the_card_does(coherent):
    held, of_card = {"rn_csi": "4.975fm+-0.0945fm"}, coherent["coherent-csi-2021"]
    found = nurecoil.Study("neutron-radii", of_card, constrain=held).limit("sin2_theta_w", "0.05..0.5")
    expected = nurecoil.Study("standard-model", of_card).limit("sin2_theta_w", "0.05..0.5")
    for one, other in zip(*(r.record()["allowed"][0] for r in (found, expected)), strict=True):
        assert one == pytest.approx(other, rel=1e-4)


def test_what_cannot_be_is_refused(compiled):
    with pytest.raises(
        nurecoil.NurecoilError, match=r"rn_csi = 9 fm is not allowed: .* between 3.575 fm and"
    ):
        RADII_OF_NEUTRONS.couplings(rn_csi=9.0)
    with pytest.raises(
        nurecoil.NurecoilError, match=r"binh2021-csi: form factor helm-binh2021 has no neutron"
    ):
        nurecoil.Study("neutron-radii", compiled["binh2021-csi"]).predict()
    with pytest.raises(nurecoil.NurecoilError, match=r"radius ar = 9 fm is not allowed: .* 2.1 and 7 fm"):
        Radius("ar", np.array([3.0, 9.0])).at(Radii("ar"))
    with pytest.raises(nurecoil.NurecoilError, match="allowed are helm, symmetrised-fermi"):
        with_neutrons_shifted(form_factor("point"), 0.1)

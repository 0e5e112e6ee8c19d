"""Axial and tensor interactions: kernels against Dirac traces, a nucleus by hand, limits, flavours, sums."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dirac
import nurecoil
import reference
from nurecoil.experiment.recoil import rates
from nurecoil.models import LIGHT_TENSOR, NSI, NSI_AXIAL, STANDARD_MODEL, TENSOR, load_model
from nurecoil.models.loading import check
from nurecoil.physics import cross_section
from nurecoil.physics.cross_section import Conventions
from nurecoil.physics.form_factors import form_factor
from nurecoil.physics.interactions import INTERACTIONS
from nurecoil.physics.nuclei import material, nuclide
from nurecoil.physics.products import PRODUCTS, stacked
from nurecoil.physics.spins import has_spin_table, spin_responses
from nurecoil.sources import Component, Flux, Line
from nurecoil.study.remarks import remarks
from test_channels import direct

SM = STANDARD_MODEL.couplings()
ENTRIES = ("ee", "mumu", "tautau", "emu", "etau", "mutau", "emu_im", "etau_im", "mutau_im")
MODELS = {"nsi-axial": (NSI_AXIAL, "axial"), "tensor": (TENSOR, "tensor")}
DELTA_U, DELTA_D = 0.842, -0.427  # HERMES
TENSOR_U, TENSOR_D = 0.784, -0.204  # PNDME


def line(E):
    return Flux("line", (Component("nu_mu", "mu", Line(E)),), "test")


def recoils(name, E, T, couplings, *channels):
    """Return dσ/dT (cm²/MeV) of a ν_μ on a nuclide as a point."""
    point = form_factor("point")
    return rates(nuclide(name), line(E), point, Conventions(), couplings, T, channels)[1]


def all_of(prefix):
    names = [f"eps_{prefix}_{quark}_{entry}" for quark in "ud" for entry in ENTRIES]
    return st.fixed_dictionaries(dict.fromkeys(names, st.floats(-3, 3)))


def matrix(values, prefix, quark):
    """ε^q from the parameters, written out."""
    found = np.diag([complex(values.get(f"eps_{prefix}_{quark}_{e}", 0.0)) for e in ENTRIES[:3]])
    for (a, b), entry in {(0, 1): "emu", (0, 2): "etau", (1, 2): "mutau"}.items():
        name = f"eps_{prefix}_{quark}_{entry}"
        found[a, b] = values.get(name, 0.0) + 1j * values.get(f"{name}_im", 0.0)
        found[b, a] = found[a, b].conjugate()
    return found


# --- kernels and prefactors ----------------------------------------------------------------------------


@pytest.mark.parametrize(("T", "E"), [(0.5, 40.0), (2.0, 60.0), (15.0, 100.0)])
def test_kernels_are_those_of_a_nucleus_of_spin_one_half(T, E):
    M, contact = 1000.0, 2 * math.sqrt(2) * reference.G_F
    tensor = contact**2 * dirac.cross_section(T, E, M, "tensor") * reference.CM2
    found = cross_section.tensor_prefactor(M) * cross_section.tensor_kernel(T, E, M)
    assert found == pytest.approx(tensor, rel=1e-8)
    # g_A of the package stands beside (1 - γ5) = 2 P_L in G_F/√2; the kernel leaves T²/2E² out
    axial = (contact / 2) ** 2 * dirac.cross_section(T, E, M, "axial") * reference.CM2
    prefactor = cross_section.vector_prefactor(M)
    found = prefactor * (cross_section.axial_kernel(T, E, M) + T**2 / (2 * E**2))
    assert found == pytest.approx(axial, rel=1e-8)
    assert cross_section.axial_kernel(T, E, M) > cross_section.vector_kernel(T, E, M)


@pytest.mark.parametrize("kernel", [cross_section.axial_kernel, cross_section.tensor_kernel])
def test_there_are_no_recoils_beyond_kinematics(kernel):
    M, E = 1000.0, 30.0
    top = 2 * E**2 / (M + 2 * E)
    assert (kernel([-1.0, 0.0, 1.0001 * top], E, M) == 0).all()
    assert kernel(0.9999 * top, E, M) > 0


# --- responses of spins --------------------------------------------------------------------------------


def test_responses_without_momentum_are_spins():
    # of the shell model behind the tables: I127 <S_p> = 0.264, <S_n> = 0.066; Xe129 <S_n> = 0.248
    def across(J, S):
        return 8 / 3 * (J + 1) / J * S**2

    at = {
        name: spin_responses(np.zeros(1), nuclide(name), "transverse")[0]
        for name in ("I127", "Xe129", "Ge73")
    }
    assert at["I127"][0] == pytest.approx(across(2.5, 0.264), rel=0.01)
    assert at["I127"][1] == pytest.approx(math.sqrt(across(2.5, 0.264) * across(2.5, 0.066)), rel=0.02)
    assert at["Xe129"][2] == pytest.approx(across(0.5, 0.248), rel=0.01)
    assert at["Ge73"][2] == pytest.approx(across(4.5, 0.439), rel=1e-12)


@pytest.mark.parametrize("name", ["F19", "Na23", "Ge73", "I127", "Xe129", "Xe131", "Cs133"])
def test_half_as_much_lies_along_q_as_across_and_both_fall(name):
    q = np.linspace(0.0, 80.0, 9)
    across, along = (spin_responses(q, nuclide(name), way) for way in ("transverse", "longitudinal"))
    odd = 0 if nuclide(name).Z % 2 else 2
    assert along[0, odd] == pytest.approx(across[0, odd] / 2, rel=0.03)
    assert (np.diff(across[:, odd]) < 0).all()
    assert (across[:, odd] > 0).all()
    assert has_spin_table(nuclide(name))


def test_what_has_no_spin_responds_to_none():
    for name in ("Ar40", "Ge74", "Xe132"):
        assert has_spin_table(nuclide(name))
        assert not spin_responses(np.linspace(0, 100, 5), nuclide(name), "transverse").any()
    assert not has_spin_table(nuclide("W183"))


# --- one nucleus ---------------------------------------------------------------------------------------


def test_an_axial_interaction_on_iodine_by_hand():
    T, E, M = np.array([0.002, 0.01]), 45.0, reference.nuclear_mass("I127")
    values = {"eps_axial_u_mumu": 3.0, "eps_axial_d_mumu": -2.0, "eps_axial_u_emu": 1.5}
    y = (
        np.sqrt(2 * M * T) * math.sqrt(41.467 / (45 * 127 ** (-1 / 3) - 25 * 127 ** (-2 / 3))) / 2 / 197.327
    ) ** 2
    pp = 0.26 - 1.6 * y + 5.3 * y**2 - 8.9 * y**3 + 8.7 * y**4 - 4.9 * y**5 + 1.5 * y**6 - 0.25 * y**7
    pn = 0.065 - 0.46 * y + 1.3 * y**2 - 1.8 * y**3 + 1.4 * y**4 - 0.65 * y**5 + 0.17 * y**6 - 0.026 * y**7
    nn = (
        0.016
        - 0.13 * y
        + 0.37 * y**2
        - 0.48 * y**3
        + 0.34 * y**4
        - 0.14 * y**5
        + 0.033 * y**6
        - 0.0048 * y**7
    )
    total = 0.0
    for u, d in ((0.5 + 3.0, -0.5 - 2.0), (1.5, 0.0)):  # to ν_μ, and to ν_e
        g_p, g_n = DELTA_U * u + DELTA_D * d, DELTA_D * u + DELTA_U * d
        total = total + (g_p**2 * pp + 2 * g_p * g_n * pn + g_n**2 * nn) / 2
    expected = reference.G_F**2 * M / math.pi * total * np.exp(-2 * y) * (1 - T / E + M * T / (2 * E**2))
    found = recoils("I127", E, T, NSI_AXIAL.couplings(**values), "axial")
    np.testing.assert_allclose(found, expected * reference.CM2, rtol=1e-6)


@pytest.mark.parametrize("m", [1e-6, 30.0, 1e6])
def test_a_tensor_on_cesium_by_hand(m):
    T, E, M, g = np.array([0.002, 0.02]), 45.0, reference.nuclear_mass("Cs133"), 1e-5 * max(1.0, m / 30)
    charge = (TENSOR_U + TENSOR_D) * (55 + 78)
    kernel = (2 - T / E) ** 2 - M * T / E**2
    expected = M / math.pi * (1.7 * g**2 * charge / (2 * M * T + m**2)) ** 2 * kernel * reference.CM2
    light = LIGHT_TENSOR.couplings(m_mediator=m, g_mediator=g, charge_nu_mu=-1.7)
    np.testing.assert_allclose(recoils("Cs133", E, T, light, "light-tensor"), expected, rtol=1e-7)
    if m == 1e6:
        epsilon = -1.7 * g**2 / (2 * math.sqrt(2) * reference.G_F * m**2)
        heavy = TENSOR.couplings(eps_tensor_u_mumu=epsilon, eps_tensor_d_mumu=epsilon)
        np.testing.assert_allclose(recoils("Cs133", E, T, heavy, "tensor"), expected, rtol=1e-7)


@given(all_of("tensor"))
@settings(max_examples=20)
def test_products_of_a_tensor_are_the_sum_over_outgoing_flavours(values):
    u, d = (matrix(values, "tensor", quark) for quark in "ud")
    expected = np.sum(
        np.abs(55 * (TENSOR_U * u + TENSOR_D * d) + 78 * (TENSOR_D * u + TENSOR_U * d)) ** 2, axis=1
    )
    ((terms, weight),) = PRODUCTS["tensor"](TENSOR.couplings(**values))
    assert weight is None
    scale = 133**2 * sum(np.abs(x).max() ** 2 for x in (u, d)) + 1e-300
    np.testing.assert_allclose(
        stacked(terms) @ [55**2, 55 * 78, 78**2], expected, rtol=1e-9, atol=1e-12 * scale
    )


# --- models --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [NSI_AXIAL, TENSOR, LIGHT_TENSOR], ids=lambda model: model.name)
def test_models_are_what_they_say(model):
    assert check(model, "test") is model


@pytest.mark.parametrize("name", MODELS)
@given(st.data())
@settings(max_examples=20)
def test_couplings_are_hermitian(name, data):
    model, prefix = MODELS[name]
    values = data.draw(all_of(prefix))
    couplings = model.couplings(**values)
    u, d = (matrix(values, prefix, quark) for quark in "ud")
    if name == "tensor":
        pairs = (
            (couplings.tensor_p, TENSOR_U * u + TENSOR_D * d),
            (couplings.tensor_n, TENSOR_D * u + TENSOR_U * d),
        )
    else:
        pairs = (
            (couplings.axial_p, np.eye(3) / 2 + 2 * u + d),
            (couplings.axial_n, -np.eye(3) / 2 + u + 2 * d),
        )
    for found, expected in pairs:
        np.testing.assert_array_equal(found, found.conj().T)
        np.testing.assert_allclose(found, expected, atol=1e-13)
    np.testing.assert_array_equal(couplings.vector_p, SM.vector_p)


@pytest.mark.parametrize("name", MODELS)
def test_a_coupling_of_one_flavour_leaves_the_others_alone(name):
    model, prefix = MODELS[name]
    ((before, _),) = PRODUCTS[prefix](model.couplings())
    ((after, _),) = PRODUCTS[prefix](model.couplings(**{f"eps_{prefix}_u_mumu": 0.7}))
    change = stacked(after) - stacked(before)
    assert (change[[0, 2]] == 0).all()
    assert change[1, 0] > 0


@pytest.mark.parametrize("name", MODELS)
def test_arrays_are_points_one_by_one(coherent, name):
    model, prefix = MODELS[name]
    csi = coherent["coherent-csi-2021"]
    x, y = np.array([-0.1, 0.0, 0.3]), np.array([0.2, 0.0, -0.5])
    names = f"eps_{prefix}_u_ee", f"eps_{prefix}_d_emu_im"
    together = csi.counts(model.couplings(**dict(zip(names, (x, y), strict=True))))
    for number, point in enumerate(zip(x, y, strict=True)):
        one = csi.counts(model.couplings(**dict(zip(names, point, strict=True))))
        np.testing.assert_allclose(together[number], one, rtol=1e-12)


def test_the_axial_part_of_the_standard_model_is_small(coherent, compiled):
    couplings = NSI_AXIAL.couplings()
    lar = coherent["coherent-lar-2020"]
    np.testing.assert_array_equal(lar.counts(couplings), lar.counts(SM))  # no spin at all
    for experiment, most in ((coherent["coherent-csi-2021"], 1e-3), (compiled["binh2021-nai-185"], 1e-2)):
        share = experiment.counts(couplings).sum() / experiment.counts(SM).sum() - 1
        assert 1e-5 < share < most


def test_a_tensor_without_couplings_is_the_standard_model(coherent):
    for compiled in (coherent["coherent-csi-2021"], coherent["coherent-lar-2020"]):
        np.testing.assert_array_equal(compiled.counts(TENSOR.couplings()), compiled.counts(SM))
        light = compiled.counts(LIGHT_TENSOR.couplings(m_mediator=math.inf, g_mediator=1e-3))
        np.testing.assert_allclose(light, compiled.counts(SM), rtol=1e-12)


@pytest.mark.parametrize("m", [1e-6, 30.0, 1e4])
@pytest.mark.parametrize("name", ["coherent-csi-2021", "coherent-lar-2020"])
def test_counts_of_a_light_tensor_are_the_direct_integral(coherent, name, m):
    compiled, g = coherent[name], 3e-5 * max(1.0, m / 30)
    found = compiled.counts(LIGHT_TENSOR.couplings(m_mediator=m, g_mediator=g)) - compiled.counts(SM)
    expected = direct(
        compiled.experiment,
        compiled.experiment.signal,
        lambda q, p, n: (g**2 * (TENSOR_U + TENSOR_D) * (p + n) / (q**2 + m**2)) ** 2,
        lambda T, E, M: (2 - T / E) ** 2 - M * T / E**2,
        lambda M: M / math.pi,
    )
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9 * expected.max())


def test_axial_and_vector_interactions_add_up(coherent):
    csi = coherent["coherent-csi-2021"]
    vector, axial = {"eps_u_ee": 0.1, "eps_d_emu": 0.2}, {"eps_axial_u_ee": 20.0}
    both = csi.counts(load_model("nsi+nsi-axial").couplings(**vector, **axial))
    alone = csi.counts(NSI_AXIAL.couplings(**axial)) - csi.counts(SM)
    np.testing.assert_allclose(both, csi.counts(NSI.couplings(**vector)) + alone, rtol=1e-10)
    assert alone.sum() > 1


@pytest.mark.parametrize(
    ("formula", "told"), [("CF4", {"nsi"}), ("[13C]O2", {"nsi", "nsi-axial"}), ("Ar", set())]
)
def test_only_who_has_a_table_of_spins_is_spared_the_remark(csi, formula, told):
    experiment = replace(csi, experiment=replace(csi.experiment, target=material(formula)))
    for name in ("nsi", "nsi-axial"):
        model = load_model(name)
        notes = remarks(model, [experiment], model.resolve({}), ())
        assert any("axial part of the cross section, which is neglected" in n for n in notes) == (
            name in told
        )


def test_conventions_and_notes_say_what_is_taken():
    axial = nurecoil.Study("nsi-axial", "binh2021-csi").predict().conventions
    assert axial["axial"] == "axial-vector part by spin responses of the shell model"
    tensor = nurecoil.Study("tensor", "binh2021-csi").predict()
    assert tensor.conventions["axial"] == "axial-vector part neglected"
    assert "tensor currents are taken as coherent" in " ".join(tensor.notes)


@pytest.mark.parametrize("name", MODELS)
def test_what_is_out_of_bounds_is_refused(name):
    model, prefix = MODELS[name]
    with pytest.raises(nurecoil.NurecoilError, match=rf"eps_{prefix}_u_ee = 10000.* must be between"):
        model.couplings(**{f"eps_{prefix}_u_ee": 1e4})


def test_interactions_of_spins_have_terms_for_all_pairs():
    T = np.array([0.01])
    factors = INTERACTIONS["axial"].factors(nuclide("Xe131"), form_factor("point"), Conventions(), T)
    assert factors.shape == (1, 3)

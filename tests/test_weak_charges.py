"""Weak charges by parity violation, as experiments: closed forms, and how they go with CEvNS."""

import math

import numpy as np
import pytest

import command_line
import nurecoil
import reference
from nurecoil.errors import NurecoilError
from nurecoil.models import STANDARD_MODEL, U1_PRIME, ZPRIME_331, load_model
from nurecoil.physics.couplings import flavour_diagonal

SQRT3, S2, M_Z = math.sqrt(3), 0.23857, 0.0911876  # TeV
BETAS = [n / SQRT3 for n in (3, 2, 1, 0, -1, -2, -3)]
NUCLEI = {"apv-cesium": (55, 78, -72.82, 0.4201, -73.23), "qweak-proton": (1, 0, 0.0719, 0.0045, 0.0711)}


def shift(beta, Z, N):
    """ΔQ_W m_Z'² = -4 m_Z² g_A^Z'(e) [Z g_V^Z'(p) + N g_V^Z'(n)] in TeV²: the electron beside Table I."""
    table = reference.table_one(beta, S2, 0.03)
    f = 1 / math.sqrt(1 - (1 + beta**2) * S2)
    left, right = (1 - S2) - SQRT3 * beta * S2, -2 * SQRT3 * beta * S2  # of the electron, over g f/(2√3 c_W)
    u, d = table["u"][0], table["d"][0]
    return -4 * M_Z**2 * f / (2 * SQRT3) * (left - right) * (Z * (2 * u + d) + N * (u + 2 * d))


def predicted(name, model="331-beta", **values):
    (part,) = nurecoil.Study(model, name, **values).predict().values.parts
    return part.total


@pytest.mark.parametrize("name", NUCLEI)
def test_the_standard_model_has_its_published_values_and_their_slope(name):
    Z, _, _, _, standard = NUCLEI[name]
    for electroweak in ("tree", "radiative"):
        assert predicted(name, "standard-model", electroweak=electroweak) == pytest.approx(
            standard, rel=1e-12
        )
    slope = predicted(name, "standard-model", sin2_theta_w=S2 + 0.001) - standard
    assert slope == pytest.approx(-4 * Z * 0.001)


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("name", NUCLEI)
def test_what_the_zprime_adds_is_the_product_of_charges(name, beta):
    Z, N, _, _, standard = NUCLEI[name]
    added = predicted(name, beta=beta, m_zprime="2 TeV") - standard
    assert added == pytest.approx(shift(beta, Z, N) / 4, rel=1e-9)
    both = ZPRIME_331.couplings(beta=beta, m_zprime=np.array([1e6, 2e6]))
    assert Z * both.weak_p[1] + N * both.weak_n[1] - standard == pytest.approx(added)


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("name", NUCLEI)
def test_limits_are_those_of_a_gaussian(name, beta):
    """ΔQ = a/m² > 0 for every β: (a/m² - Δ)²/σ² = 2.706 with Δ = measured - Standard Model > 0, best 0."""
    Z, N, value, width, standard = NUCLEI[name]
    a = shift(beta, Z, N)
    assert a > 0
    expected = math.sqrt(a / (value - standard + width * math.sqrt(2.7055)))
    found = nurecoil.Study("331-beta", name, beta=beta).limit("m_zprime", "0.3..100 TeV")
    assert found.values.profile.lower_limit / 1e6 == pytest.approx(expected, rel=2e-4)
    assert found.converged


def test_cesium_and_the_proton_together():
    """Long et al. (2019), 1812.08669, have 1.27 TeV; no mixing here: 0.96 to 1.29 TeV, and 3.25 at β = √3."""
    limits = {}
    for beta in BETAS:
        study = nurecoil.Study("331-beta", [*NUCLEI], beta=beta)
        limits[beta] = study.limit("m_zprime", "0.3..100 TeV").values.profile.lower_limit / 1e6
    assert list(limits.values()) == pytest.approx(
        [3.247, 1.199, 1.036, 0.980, 0.957, 0.958, 1.291], abs=0.002
    )


@pytest.mark.parametrize("model", ["nsi", "light-vector", "standard-model+magnetic-moments"])
def test_models_without_parity_violation_change_nothing(model):
    more = {"nsi": {"eps_u_ee": 0.3}, "light-vector": {"g_mediator": 1e-4, "m_mediator": "10 MeV"}}
    assert predicted("apv-cesium", model, **more.get(model, {})) == pytest.approx(-73.23)


def test_u1_prime_changes_weak_charges_by_its_axial_electron():
    """-4 A_e (Z V_p + N V_n) g²/√2 G_F m²: χ has A_e = 1, V_d = -2 and V_u = 0 over √40, B - L no A_e."""
    m, g = 2.0, 0.46  # TeV
    unit = g**2 / (math.sqrt(2) * reference.G_F * (1e6 * m) ** 2)
    at = {"m_mediator": f"{m} TeV", "g_mediator": g}
    for name, (Z, N, _, _, standard) in NUCLEI.items():
        added = predicted(name, "u1-prime", charges="E6-chi", **at) - standard
        assert added == pytest.approx(8 / 40 * (Z + 2 * N) * unit, rel=1e-6)
        for charges in ("B-L", "E6-psi", "L_mu-L_tau"):
            assert predicted(name, "u1-prime", charges=charges, **at) == pytest.approx(standard, rel=1e-12)
    light = {"charges": "B-L", "m_mediator": "1 MeV", "g_mediator": 1e-4}
    assert predicted("apv-cesium", "u1-prime", **light) == pytest.approx(-73.23)


@pytest.mark.parametrize("angle", [0.0, 0.01, -0.03])
def test_both_bosons_of_a_mass_matrix_exchange_weak_charges(angle):
    """J_A M⁻² J_V with M² = R diag(m_Z², m²) Rᵀ, over that of the Z alone."""
    m, g, m_z = 800e3, 0.3, 91187.6
    R = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    m_0 = math.sqrt((m_z * math.cos(angle)) ** 2 + (m * math.sin(angle)) ** 2)
    g_0 = 2 * m_0 * math.sqrt(math.sqrt(2) * reference.G_F)
    inverse = R @ np.diag([m_z**-2, m**-2]) @ R.T
    axial = np.array([g_0 * -0.25, g * 1 / math.sqrt(40)])  # T3/2 of the Z, and χ
    for field, z, chi in (("weak_p", (0.5 - 2 * S2) / 2, -2), ("weak_n", -0.25, -4)):
        vector = np.array([g_0 * z, g * chi / math.sqrt(40)])
        unit = math.sqrt(2) * reference.G_F
        expected = -4 * (axial @ inverse @ vector) / unit - (-4 * -0.25 * z * 4)
        point = {"charges": "E6-chi", "m_mediator": m, "g_mediator": g, "mixing_angle": angle}
        found = getattr(U1_PRIME.couplings(**point), field) - getattr(STANDARD_MODEL.couplings(), field)
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_a_light_vector_that_violates_parity_says_nothing_of_weak_charges():
    with pytest.raises(
        NurecoilError,
        match=r"apv-cesium is a weak charge, of which u1-prime says nothing where .* than 2 GeV",
    ):
        predicted("apv-cesium", "u1-prime", charges="sequential", m_mediator="1 GeV", g_mediator=1e-3)
    heavier = predicted("apv-cesium", "u1-prime", charges="sequential", m_mediator="2 GeV", g_mediator=1e-4)
    assert heavier == pytest.approx(predicted("apv-cesium", "standard-model"), rel=0.05)


def test_sums_of_models_add_their_changes():
    at = {"beta": 0.0, "m_zprime": 1e6}
    alone = ZPRIME_331.couplings(**at)
    summed = load_model("331-beta+nsi").couplings(**at)
    assert (summed.weak_p, summed.weak_n) == (alone.weak_p, alone.weak_n)
    assert alone.weak_n != STANDARD_MODEL.couplings().weak_n


def test_recoils_and_weak_charges_go_together():
    """Δχ² of both is the sum: no pull is shared, and CEvNS counts stay to the bit."""
    csi, cesium, both = (
        nurecoil.Study("331-beta", names, beta="-sqrt(3)")
        for names in ("binh2021-csi", "apv-cesium", ["binh2021-csi", "apv-cesium"])
    )
    chi2 = [study.question({"m_zprime": 2e6}).chi2([[1.3e6], [2e6]]) for study in (csi, cesium, both)]
    assert chi2[0] + chi2[1] == pytest.approx(chi2[2], rel=1e-9)
    parts = nurecoil.Study("331-beta", ["binh2021-csi", "apv-cesium"], beta=0, m_zprime="1 TeV").predict()
    (alone,) = nurecoil.Study("331-beta", "binh2021-csi", beta=0, m_zprime="1 TeV").predict().values.parts
    assert np.array_equal(parts.values.parts[0].counts, alone.counts)


def test_verbs_take_a_weak_charge(tmp_path):
    where = ("--model", "standard-model", "--experiment", "apv-cesium", "--experiment", "binh2021-csi")
    fit = command_line.result("fit", *where, "--free", "sin2_theta_w=0.23857", "--no-minos")
    only = command_line.result("fit", *where[:4], "--free", "sin2_theta_w=0.23857")
    # -73.23 - 220 (s2 - 0.23857) = -72.82
    assert only["best_fit"]["sin2_theta_w"]["value"] == pytest.approx(0.23857 - 0.41 / 220, abs=1e-6)
    assert only["best_fit"]["sin2_theta_w"]["error"] == pytest.approx(0.4201 / 220, rel=1e-3)
    assert fit["best_fit"]["sin2_theta_w"]["error"] < only["best_fit"]["sin2_theta_w"]["error"]
    varied = command_line.result("limit", *where, "--scan", "sin2_theta_w=0.2..0.28", "--vary")
    assert varied["converged"]
    conventions = fit["conventions"]["experiments"]["apv-cesium"]
    assert conventions["form_factor"] == "none (a weak charge)"
    assert "133" in str(conventions["target"])


@pytest.mark.parametrize("engine", ["numpy", "auto"])
def test_a_combination_has_the_limits_of_each(engine):
    names, within = ["apv-cesium", "binh2021-csi"], ("sin2_theta_w", "0.1..0.35")
    found = nurecoil.Study("standard-model", names, engine=engine).combine(*within, cl=0.68).values.alone
    for name, part in zip(names, found, strict=True):
        alone = nurecoil.Study("standard-model", name, engine=engine).limit(*within, cl=0.68).values.profile
        assert part.profile.best_fit == pytest.approx(alone.best_fit, rel=1e-6)
        assert part.profile.intervals[0].low == pytest.approx(alone.intervals[0].low, rel=1e-6)


def test_what_a_weak_charge_has_not_is_refused(tmp_path):
    with pytest.raises(NurecoilError, match="apv-cesium is a weak charge and has no recoils"):
        nurecoil.Study("standard-model", "apv-cesium").spectrum()
    silent = nurecoil.Model("silent", "", "", (), lambda values: flavour_diagonal(0.02, -0.5))
    with pytest.raises(NurecoilError, match=r"apv-cesium is a weak charge, of which silent says nothing$"):
        nurecoil.Study(silent, "apv-cesium").predict()
    card = tmp_path / "mine.toml"
    head = 'name = "mine"\ntitle = "P2"\nreference = "me"\n'
    text = head + '[weak_charge]\nnuclide = "{}"\nvalue = 0.07\nwidth = {}\n'
    card.write_text(text.format("1H", 0.001))
    assert predicted(card, "standard-model") == pytest.approx(0.0711)
    for nuclide, width, message in (("Xe", 1, "one nuclide"), ("1H", 0, "width"), ("133Xx", 1, "nuclide")):
        card.write_text(text.format(nuclide, width))
        with pytest.raises(NurecoilError, match=message):
            nurecoil.load_experiment(card)


def test_a_weak_charge_is_no_count_and_has_no_pulls():
    shown = str(nurecoil.Study("standard-model", "apv-cesium").predict())
    assert shown.startswith("Weak charge of 133Cs")
    assert "count" not in shown.split("Rests on")[0]
    assert "total" not in shown.split("Rests on")[0]
    code, out, _ = command_line.run("list", "pulls", "--experiment", "apv-cesium")
    assert (code, out) == (0, "apv-cesium has no pulls.\n")

"""Scattering on electrons of the target: shells, closed forms, and a card that counts electron recoils."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad

import nurecoil
import reference
from nurecoil.errors import NurecoilError
from nurecoil.experiment import basis_of, compile_experiment
from nurecoil.experiment.card import load_experiment
from nurecoil.experiment.recoil import recoil_templates
from nurecoil.models import LIGHT_VECTOR, MILLICHARGES, NSI, STANDARD_MODEL, U1_PRIME, ZPRIME_331
from nurecoil.physics.cross_section import Conventions
from nurecoil.physics.electrons import binding_energies, electrons_freed
from nurecoil.physics.form_factors import form_factor
from nurecoil.physics.nuclei import nuclide
from nurecoil.sources import Component, Flux, Line
from nurecoil.sources.pion_decay_at_rest import pion_decay_at_rest
from nurecoil.study.question import Question
from releases import data_folder

S2 = 0.23857
SOURCE = pion_decay_at_rest()
CARD = "coherent-csi-2021"


def line(name, E):
    return Flux("line", (Component(name, name.split("_")[1], Line(E)),), "test")


def on_electrons(symbol, flux, T, couplings):
    """Return dσ/dT (cm²/MeV) of an atom's electrons at recoils T (MeV), averaged over a source."""
    return recoil_templates(
        nuclide(symbol), flux, form_factor("point"), Conventions(), T, ("electron",)
    ).evaluate(couplings)


def by_hand(name, T, E):
    """Return dσ/dT of one free electron in cm²/MeV ('t Hooft 1971)."""
    left, right = S2 + (0.5 if name.startswith("nu_e") else -0.5), S2
    if name.endswith("_bar"):
        left, right = right, left
    m = reference.ELECTRON
    brackets = left**2 + right**2 * (1 - T / E) ** 2 - left * right * m * T / E**2
    return 2 * reference.G_F**2 * m / math.pi * brackets * reference.CM2


@pytest.fixture(scope="module")
def seeing(coherent):
    """Return CsI 2021 with a detector that counts recoils of electrons as well."""
    experiment = coherent[CARD].experiment

    def with_electrons(signal):
        return replace(signal, detector=replace(signal.detector, electron_recoils=True))

    shapes = tuple(
        replace(v, up=with_electrons(v.up), down=with_electrons(v.down))
        for v in experiment.statistics.signal.shapes
    )
    return compile_experiment(experiment.with_signal(with_electrons(experiment.signal), shapes))


# --- shells -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("symbol", "Z"), {"Na": 11, "Si": 14, "Ar": 18, "Ge": 32, "I": 53, "Xe": 54, "Cs": 55}.items()
)
def test_every_electron_is_freed_above_the_innermost_shell_and_none_below_the_outermost(symbol, Z):
    energies = binding_energies(symbol)
    assert electrons_freed(symbol, energies[-1] * 1.001) == Z
    assert electrons_freed(symbol, energies[0] * 0.999) == 0
    assert electrons_freed(symbol, energies[-1] * 0.999) == Z - 2  # the K shell has two


def test_shells_of_germanium():
    """K 11.1 keV; L 1.2 to 1.4 keV; M 30 to 180 eV (X-ray Data Booklet)."""
    T = np.array([11.2e-3, 11.0e-3, 1.3e-3, 1.0e-3, 0.1e-3])
    assert electrons_freed("Ge", T).tolist() == [32, 30, 28, 22, 14]


def test_an_element_without_shells_is_refused():
    with pytest.raises(NurecoilError, match=r"electrons of U have no tabulated.*known are Na, Si, Ar"):
        electrons_freed("U", 1.0)


# --- cross section ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["nu_e", "nu_mu", "nu_tau", "nu_e_bar", "nu_mu_bar"])
def test_free_electrons_by_hand(name):
    T, E = np.array([0.1, 1.0, 20.0]), 30.0  # MeV, far above all binding energies
    got = on_electrons("Cs133", line(name, E), T, STANDARD_MODEL.couplings())
    np.testing.assert_allclose(got, 55 * by_hand(name, T, E), rtol=1e-7)


def test_bound_electrons_are_left_out():
    T = np.array([0.020, 0.050])  # I: the K shell is bound by 33.2 keV
    got = on_electrons("I127", line("nu_mu", 30.0), T, STANDARD_MODEL.couplings())
    np.testing.assert_allclose(got, np.array([51, 53]) * by_hand("nu_mu", T, 30.0), rtol=1e-7)


@pytest.mark.parametrize("name", ["nu_e", "nu_mu", "nu_mu_bar"])
def test_the_total_cross_section_is_the_textbook_one(name):
    """Far above m_e, σ = (2 G_F² m_e E/π)(g_L² + g_R²/3), 95e-46 cm² at 1 MeV for ν_e, 15.5e-46 for ν_μ."""
    E, m = 1000.0, reference.ELECTRON
    end = 2 * E**2 / (m + 2 * E)

    def integrand(T):
        return float(on_electrons("Cs133", line(name, E), T, STANDARD_MODEL.couplings())[0])

    total = sum(quad(integrand, a, b, epsabs=0)[0] for a, b in ((0.04, 10.0), (10.0, end)))
    left, right = S2 + (0.5 if name == "nu_e" else -0.5), S2
    if name.endswith("_bar"):
        left, right = right, left
    textbook = 2 * reference.G_F**2 * m * E / math.pi * (left**2 + right**2 / 3) * reference.CM2
    assert total == pytest.approx(55 * textbook, rel=2e-3)
    per_mev = {"nu_e": 95e-46, "nu_mu": 15.5e-46, "nu_mu_bar": 13.3e-46}[name]
    assert textbook / E == pytest.approx(per_mev, rel=0.03)
    assert integrand(end * 1.0001) == 0


def test_couplings_of_the_standard_model():
    found = STANDARD_MODEL.couplings(sin2_theta_w=np.array([0.2, 0.3]))
    np.testing.assert_allclose(found.electron_left[1], np.diag([0.8, -0.2, -0.2]), rtol=1e-15)
    np.testing.assert_allclose(found.electron_right[0], 0.2 * np.eye(3), rtol=1e-15)


def erler_and_su(flavour, s2):
    """Return g_V and g_A of electrons at q = 0 in one loop (arXiv:1303.5522), and g_V of p and n likewise.

    All in MS-bar: ρ, WW and ZZ boxes with α(m_Z) and s_W²(m_Z), QCD in those of quarks, and the charge radius
    -α/6π [ln(m_W²/m²) + 3/2] of the flavour.
    """
    rho, alpha_z, s_z, alpha_s = 1.00064, 1 / 127.95, 0.23122, 0.12
    mass = {"e": 0.511, "mu": 105.66, "tau": 1776.9}[flavour]
    radius = -reference.ALPHA / (6 * math.pi) * (math.log((80377 / mass) ** 2) + 1.5)
    ww_up, ww_down = alpha_z / (8 * math.pi * s_z), -alpha_z / (2 * math.pi * s_z)
    zz = -3 * alpha_z / (8 * math.pi * s_z * (1 - s_z))

    def of(isospin, charge, box, zz):
        left, right = zz * (isospin - charge * s_z) ** 2, zz * (charge * s_z) ** 2
        g_v = rho * (isospin - 2 * charge * s2 + left - right) - 2 * charge * radius + box
        return np.array([g_v, rho * (isospin + left + right) + box])

    qcd_zz, qcd_ww = 1 - alpha_s / math.pi, alpha_s / (2 * math.pi)
    up = of(1 / 2, 2 / 3, ww_up * (1 + qcd_ww), zz * qcd_zz)
    down = of(-1 / 2, -1 / 3, ww_down * (1 - qcd_ww), zz * qcd_zz)
    electron = of(-1 / 2, -1, ww_down, zz) + (flavour == "e")  # and the charged current
    return {"e": electron, "p": 2 * up[0] + down[0], "n": up[0] + 2 * down[0]}


def test_radiative_corrections_reach_the_electrons():
    """PDG and Erler & Su: g_V = -0.0396 and g_A = -0.5064 of ν_μ e, at s_W² = 0.23867."""
    found = STANDARD_MODEL.couplings(sin2_theta_w=0.23867, electroweak="radiative")
    both = np.array([found.electron_left + found.electron_right, found.electron_left - found.electron_right])
    np.testing.assert_allclose(both[:, 1, 1], [-0.0396, -0.5064], rtol=1e-12)
    np.testing.assert_allclose(both, both * np.eye(3), rtol=0)


@pytest.mark.parametrize("flavour", ["e", "mu", "tau"])
@pytest.mark.parametrize("s2", [0.2312, S2])
def test_radiative_couplings_of_nucleons_and_electrons_are_of_one_scheme(flavour, s2):
    expected, at = erler_and_su(flavour, s2), ["e", "mu", "tau"].index(flavour)
    found = STANDARD_MODEL.couplings(sin2_theta_w=s2, electroweak="radiative")
    left, right = found.electron_left[at, at], found.electron_right[at, at]
    np.testing.assert_allclose([left + right, left - right], expected["e"], atol=3e-4)
    assert found.vector_p[at, at] == pytest.approx(expected["p"], abs=3e-4)
    assert found.vector_n[at, at] == pytest.approx(expected["n"], abs=1e-4)
    tree = STANDARD_MODEL.couplings(sin2_theta_w=s2)
    assert abs(left + right - (tree.electron_left + tree.electron_right)[at, at]) > 0.01


def test_radiative_corrections_of_electrons_are_in_every_model():
    at = {"electroweak": "radiative", "sin2_theta_w": 0.2312}
    expected = STANDARD_MODEL.couplings(**at)
    heavy, zero = {"beta": 0.5, "m_zprime": 1e30}, {"m_mediator": 1.0, "g_mediator": 1e-10}
    for model, values in ((NSI, {}), (LIGHT_VECTOR, zero), (ZPRIME_331, heavy)):
        found = model.couplings(**at, **values)
        np.testing.assert_allclose(found.electron_left, expected.electron_left, rtol=1e-14, atol=1e-15)
        np.testing.assert_allclose(found.electron_right, expected.electron_right, rtol=1e-14, atol=1e-15)


# --- in a detector ------------------------------------------------------------------------------------


def direct(compiled, per_electron):
    """Return counts per energy bin: Σ exposure ∫dT R(T) Z_eff(T) ∫dE φ dσ/dT, and shares of cells."""
    experiment, detector = compiled.experiment, compiled.experiment.signal.detector.of_electrons()
    edges = [binding_energies("Cs"), binding_energies("I"), np.linspace(0, 9e-3, 400)]
    edges = np.unique(np.concatenate(edges))
    edges = edges[edges <= 9e-3]  # 60 photoelectrons are 4.5 keV
    x, w = np.polynomial.legendre.leggauss(8)
    half = np.diff(edges)[:, np.newaxis] / 2
    T, dT = (edges[:-1, np.newaxis] + half * (x + 1)).ravel(), (half * w).ravel()
    y, v = np.polynomial.legendre.leggauss(60)
    E, dE = reference.ENDPOINT * (y + 1) / 2, reference.ENDPOINT * v / 2
    column = T[:, np.newaxis]
    rates = np.stack(
        [
            per_electron("nu_mu", T, reference.NU_MU_LINE),
            per_electron("nu_mu_bar", column, E) @ (dE * np.vectorize(reference.nu_mu_bar)(E)),
            per_electron("nu_e", column, E) @ (dE * np.vectorize(reference.nu_e)(E)),
        ],
        axis=1,
    )
    target, exposure = experiment.target, experiment.exposure.fluence * experiment.mass_kg
    electrons = sum(
        per_kg * electrons_freed(n.symbol, T)
        for n, per_kg in zip(target.nuclides, target.nuclei_per_kg, strict=True)
    )
    energy = exposure * (detector.response(T) * dT * electrons) @ rates
    return np.einsum("bc,cbk->bk", energy, experiment.signal.spread).ravel()


def test_counts_of_a_detector_are_the_direct_integral(seeing, coherent):
    """E_min of a recoil of 5 keV is 38 keV: below, the spectrum has next to no neutrinos."""
    extra = seeing.counts(STANDARD_MODEL.couplings()) - coherent[CARD].counts(STANDARD_MODEL.couplings())
    expected = direct(seeing, by_hand)
    np.testing.assert_allclose(extra, expected, rtol=3e-5, atol=1e-7 * expected.max())
    by_hand_estimate = 3.6e27 * 5.8e14 * 95e-46 * 4.5e-3  # electrons, fluence, dσ_e/dT, keV of the window
    assert extra.sum() == pytest.approx(by_hand_estimate, rel=0.3)


@pytest.mark.parametrize("m", [1e-6, 0.05, 10.0])
def test_counts_of_a_light_vector_on_electrons_are_the_direct_integral(seeing, m):
    g = 2e-6 * max(1.0, m)
    couplings = LIGHT_VECTOR.couplings(m_mediator=m, g_mediator=g, charge_u=0, charge_d=0, charge_nu_e=-1)

    def per_electron(name, T, E):
        sign = -1 if name.startswith("nu_e") else 1
        extra = sign * g**2 / (2 * math.sqrt(2) * reference.G_F * (2 * reference.ELECTRON * T + m**2))
        left, right = S2 + (0.5 if name.startswith("nu_e") else -0.5) + extra, S2 + extra
        if name.endswith("_bar"):
            left, right = right, left
        brackets = left**2 + right**2 * (1 - T / E) ** 2 - left * right * reference.ELECTRON * T / E**2
        return 2 * reference.G_F**2 * reference.ELECTRON / math.pi * brackets * reference.CM2

    found = seeing.counts(couplings) - seeing.templates.evaluate(replace(couplings, light_vector=None))
    expected = direct(seeing, per_electron)
    np.testing.assert_allclose(found, expected, rtol=3e-5, atol=1e-7 * expected.max())
    assert abs(expected.sum() / direct(seeing, by_hand).sum() - 1) > 0.1


@pytest.mark.parametrize("m", [1e-6, 0.05, 10.0])
def test_counts_of_l_e_minus_l_mu_on_electrons_are_the_direct_integral(seeing, coherent, m):
    """ν_e has the electron's charge, ν_μ the opposite one; by the loop the electron has less of it."""
    g = 2e-6 * max(1.0, m)
    couplings = U1_PRIME.couplings(m_mediator=m, g_mediator=g, charges="L_e-L_mu")

    def per_electron(name, T, E):
        q2 = 2 * reference.ELECTRON * T
        loop = 2 / 137.035999 / math.pi * (math.log(105.6583755 / reference.ELECTRON) / 3)
        loop -= 2 / 137.035999 / math.pi * q2 / (30 * reference.ELECTRON**2)  # ∫x²(1-x)² = 1/30
        sign = 1 if name.startswith("nu_e") else -1
        extra = sign * g**2 * (1 - loop) / (2 * math.sqrt(2) * reference.G_F * (q2 + m**2))
        left, right = S2 + (0.5 if name.startswith("nu_e") else -0.5) + extra, S2 + extra
        if name.endswith("_bar"):
            left, right = right, left
        brackets = left**2 + right**2 * (1 - T / E) ** 2 - left * right * reference.ELECTRON * T / E**2
        return 2 * reference.G_F**2 * reference.ELECTRON / math.pi * brackets * reference.CM2

    found = seeing.counts(couplings) - coherent[CARD].counts(couplings)
    expected = direct(seeing, per_electron)
    np.testing.assert_allclose(found, expected, rtol=3e-5, atol=1e-7 * expected.max())
    assert abs(expected.sum() / direct(seeing, by_hand).sum() - 1) > 0.1


def test_counts_of_a_magnetic_moment_on_electrons_are_the_direct_integral(seeing, coherent):
    heavy = {"beta": 0.0, "m_zprime": 1e12}

    def per_electron(name, T, E):
        m = reference.ELECTRON
        allowed = 2 * E**2 / (m + 2 * E) >= T
        brackets = np.where(allowed, 1 / T - 1 / E, 0.0)
        return math.pi * 7.2973525643e-3**2 / m**2 * 1e-10**2 * brackets * reference.CM2

    def moment(compiled):
        with_it, without = (ZPRIME_331.couplings(mu_nu=mu, **heavy) for mu in (1e-10, 0.0))
        return compiled.counts(with_it) - compiled.counts(without)

    found, expected = moment(seeing) - moment(coherent[CARD]), direct(seeing, per_electron)
    np.testing.assert_allclose(found, expected, rtol=3e-5, atol=1e-7 * expected.max())
    assert 0.05 < expected.sum() / moment(coherent[CARD]).sum() < 0.2  # Z electrons, and a nucleus of Z²


def test_the_z_prime_of_331_on_electrons():
    """At β = √3, s_W² = 1/5: f² = 5, ν has 1 - 4/5, e_L as ν by SU(2), e_R -6/5, over f²/6 (m_Z/m_Z')²."""
    found = ZPRIME_331.couplings(beta=math.sqrt(3), m_zprime=1e6, sin2_theta_w=0.2)
    unit = (91187.6 / 1e6) ** 2 * 5 / 6
    np.testing.assert_allclose(
        found.electron_left, np.diag([0.7, -0.3, -0.3]) + unit * 0.04 * np.eye(3), rtol=1e-6
    )
    np.testing.assert_allclose(found.electron_right, 0.2 * np.eye(3) - unit * 0.24 * np.eye(3), rtol=1e-6)


def test_331_with_a_heavy_z_prime_counts_the_electrons_of_the_standard_model(seeing):
    heavy = ZPRIME_331.couplings(beta=-math.sqrt(3), m_zprime=1e12)
    np.testing.assert_allclose(
        seeing.counts(heavy), seeing.counts(STANDARD_MODEL.couplings()), rtol=1e-9, atol=1e-12
    )


def test_only_a_card_that_says_so_counts_electrons(seeing, coherent):
    channels = LIGHT_VECTOR.channels
    assert "electron" not in coherent[CARD].with_channels(channels).templates.channels
    assert "electron" in seeing.with_channels(channels).templates.channels
    basis = basis_of(channels, [coherent[CARD]])
    mass_states = [name for name in channels if "interference" in name]
    electrons = ("electron", "light-vector-electron", "magnetic-electron")
    assert set(basis.unseen) == {*electrons, "weak-charge", *mass_states}
    both = basis_of(channels, [seeing, coherent["coherent-lar-2020"]])
    assert set(both.unseen) == {"weak-charge", *mass_states}
    lar = coherent["coherent-lar-2020"].with_channels(channels)
    couplings = LIGHT_VECTOR.couplings(m_mediator=1.0, g_mediator=1e-5)
    counts = both.strengths(couplings) @ both.matrix(lar.templates)
    np.testing.assert_allclose(counts[0], lar.counts(couplings), rtol=1e-6)


def test_a_card_has_a_word_for_it(tmp_path):
    from importlib import resources

    card = resources.files("nurecoil.experiment.cards").joinpath("binh2021-ge.toml").read_text("utf-8")
    path = tmp_path / "mine.toml"
    path.write_text(card.replace("[detector]\n", "[detector]\nelectron_recoils = true\n"), encoding="utf-8")
    mine, usual = (
        compile_experiment(load_experiment(str(path))),
        compile_experiment(load_experiment("binh2021-ge")),
    )
    assert not usual.experiment.signal.detector.electron_recoils
    couplings = STANDARD_MODEL.couplings()
    assert mine.counts(couplings).sum() > usual.counts(couplings).sum()
    np.testing.assert_allclose(  # an NSI with quarks leaves electrons alone
        mine.counts(NSI.couplings(eps_u_ee=0.3)) - usual.counts(NSI.couplings(eps_u_ee=0.3)),
        mine.counts(couplings) - usual.counts(couplings),
        rtol=1e-9,
    )


def test_a_question_counts_electrons(seeing):
    at = {"m_mediator": 0.01, "charge_u": 0.0, "charge_d": 0.0}
    question = Question.of(LIGHT_VECTOR, [seeing], at, {"g_mediator": 1e-6})
    assert "light-vector-electron" in question.likelihood.basis.channels
    found = question.profiled([[1e-10], [1e-6], [1e-4]])
    assert found.converged.all()
    assert found.chi2[2] > found.chi2[0] + 100


def test_a_model_that_says_nothing_of_electrons_is_told_of_where_they_are_seen(seeing):
    silent = replace(
        STANDARD_MODEL,
        evaluate=lambda values: replace(
            STANDARD_MODEL.evaluate(values), electron_left=None, electron_right=None
        ),
    )
    basis, couplings = basis_of(silent.channels, [seeing]), silent.couplings()
    assert all(np.full(n, 7.0).any() for n in range(1, 200))  # leaves numbers in the memory
    assert (basis.strengths(couplings)[0, 12:21] == 0).all()
    told, usual = (nurecoil.Study(model, seeing).predict().notes for model in (silent, STANDARD_MODEL))
    assert any("sees recoils of electrons, of which standard-model says nothing" in note for note in told)
    assert not any("sees recoils of electrons" in note for note in usual)


@pytest.fixture
def found(monkeypatch, coherent):
    """Let names of cards find the data."""
    monkeypatch.setenv("NURECOIL_DATA", str(data_folder()))


def test_a_shipped_card_counts_electrons_if_asked(coherent, found):
    """The Standard Model's are 7e-5 of 324 counts in CsI; millicharges scatter on electrons most of all."""
    usual, both = (coherent[CARD], compile_experiment(load_experiment(f"{CARD}+electrons")))
    assert both.experiment.name == f"{CARD}+electrons"
    more = both.counts(STANDARD_MODEL.couplings()).sum() - usual.counts(STANDARD_MODEL.couplings()).sum()
    assert more == pytest.approx(7.5e-5, rel=0.02)
    at = MILLICHARGES.couplings(q_nu_mu=1e-9)
    assert both.counts(at).sum() > 100 * more + usual.counts(at).sum()
    with pytest.raises(NurecoilError, match="same observed counts, which would count twice"):
        nurecoil.Study("standard-model", [CARD, f"{CARD}+electrons"]).fit({"sin2_theta_w": 0.24})


def test_a_card_may_say_that_it_sees_none():
    with pytest.raises(NurecoilError, match="coherent-lar-2020 sees no recoils of electrons, says its card"):
        load_experiment("coherent-lar-2020+electrons")


@pytest.mark.parametrize(
    ("model", "scan", "told"),
    [
        ("millicharges", {"q_nu_e": "-1e-7..1e-7 e"}, True),
        ("magnetic-moments", {"mu_nu_e": "0..1e-8 mu_B"}, True),
        ("nsi", {"eps_u_ee": "-0.1..0.1"}, False),
    ],
)
def test_what_does_not_count_electrons_says_so(found, model, scan, told):
    for name, said in ((CARD, told), (f"{CARD}+electrons", False), ("coherent-lar-2020", False)):
        notes = " ".join(nurecoil.Study(model, name).limit(*next(iter(scan.items()))).notes)
        assert (f"count too in {CARD}+electrons" in notes) == said

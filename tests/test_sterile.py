"""Oscillations into a sterile neutrino: probabilities by a 4 x 4 evolution, counts by direct integrals."""

import math
from dataclasses import replace

import numpy as np
import pytest

import asking
import direct
import nurecoil
import reference
from nurecoil.errors import NurecoilError
from nurecoil.experiment import basis_of, compile_experiment
from nurecoil.experiment.card import load_experiment
from nurecoil.experiment.recoil import pieces_of
from nurecoil.models import STANDARD_MODEL, STERILE, load_model
from nurecoil.physics.oscillations import disappeared
from nurecoil.physics.products import PRODUCTS
from nurecoil.physics.shapes import Energies
from nurecoil.study.minima import spread

NAMES = ("coherent-csi-2021", "coherent-lar-2020")
SM = STANDARD_MODEL.couplings()
MIXED = {"u2_e4": 0.12, "u2_mu4": 0.2, "u2_tau4": 0.05}
EXTENT = 0.5  # m
PER_M = 1.26693268  # of Δm²[eV²] L[m]/E[MeV], PDG 2022, eq. 14.39 has 1.267


def phase(dm2, L, E):
    return PER_M * dm2 * L / E


# --- probabilities --------------------------------------------------------------------------------------


def amplitudes(dm2, L, E, squares):
    """Return A_αβ of e, mu, tau, s by evolving with the Hamiltonian of one massive neutrino."""
    from scipy.linalg import expm

    fourth = np.sqrt([*squares, 1 - sum(squares)])
    return expm(-2j * phase(dm2, L, E) * np.outer(fourth, fourth))


def test_what_disappears_is_the_mean_over_baselines():
    L = 19.3 + EXTENT * (np.arange(2000) + 0.5) / 2000 - EXTENT / 2
    for dm2, E in ((0.3, 40.0), (4.0, 25.0), (100.0, 30.0)):
        mean = np.mean(np.sin(phase(dm2, L, E)) ** 2)
        assert disappeared(dm2, E, 19.3, EXTENT) == pytest.approx(mean, abs=1e-6)
    assert disappeared(1.0, 30.0, 20.0, 0.0) == pytest.approx(math.sin(1.267 * 20 / 30) ** 2, rel=1e-3)
    few, many = (1 - abs(1 - 2 * disappeared(d, 30.0, 19.3, EXTENT)) for d in (1e-9, 100.0))
    assert few < 1e-12
    assert many > 0.4  # so far apart are baselines


@pytest.mark.parametrize(
    "change", [np.zeros((3, 3)), [[0.1, 0.2, -0.1], [0.2, -0.3, 0.05], [-0.1, 0.05, 0.02]]]
)
@pytest.mark.parametrize("seed", [1, 2])
def test_products_are_those_of_what_arrives(change, seed):
    rng = np.random.default_rng(seed)
    squares = rng.dirichlet(np.ones(4))[:3]
    values = {f"u2_{f}4": float(u) for f, u in zip(("e", "mu", "tau"), squares, strict=True)}
    dm2, L, E = 1.7, 19.3, 31.0
    couplings = STERILE.couplings(dm2_41=dm2, electroweak="radiative", **values)
    p, n = couplings.vector_p + change, couplings.vector_n + 2 * np.array(change)
    couplings = replace(couplings, vector_p=p, vector_n=n)
    ((before, _),), ((more, _),) = PRODUCTS["vector"](couplings), PRODUCTS["sterile"](couplings)
    found = [b + m * math.sin(phase(dm2, L, E)) ** 2 for b, m in zip(before, more, strict=True)]
    arrived = amplitudes(dm2, L, E, squares)[:3, :3]
    P, N = (arrived @ g for g in (p, n))  # rows: what was sent
    expected = [(abs(P) ** 2).sum(1), 2 * (P * N.conj()).real.sum(1), (abs(N) ** 2).sum(1)]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_a_universal_coupling_loses_what_becomes_sterile():
    couplings = STERILE.couplings(dm2_41=1.0, **MIXED)
    ((standard, _),), ((lost, _),) = PRODUCTS["vector"](couplings), PRODUCTS["sterile"](couplings)
    u2 = np.array([0.12, 0.2, 0.05])
    np.testing.assert_allclose(lost[2] / standard[2], -4 * u2 * (1 - 0.37), rtol=1e-12)
    one = STERILE.couplings(dm2_41=1.0, u2_mu4=0.2)
    ((lost, _),) = PRODUCTS["sterile"](one)
    np.testing.assert_allclose(lost[2] / standard[2], [0, -4 * 0.2 * 0.8, 0], atol=1e-14)  # sin²2θ


# --- counts ---------------------------------------------------------------------------------------------


def by_hand(compiled, dm2, U):
    """Return the counts of the Standard Model at tree level after oscillations."""
    experiment = compiled.experiment
    L = experiment.exposure.baseline_m
    sterile = 1 - sum(U.values())
    lost = [4 * U["u2_mu4"] * sterile] * 2 + [4 * U["u2_e4"] * sterile]

    def of(T, n):
        M, t = n.mass, T[:, np.newaxis]

        def seen(E, oscillates):
            kernel = np.maximum(1 - t / E - M * t / (2 * E**2), 0.0)
            x = phase(dm2, 1.0, E)
            damped = np.cos(2 * x * L) * np.sin(x * EXTENT) / (x * EXTENT)
            return kernel * ((1 - damped) / 2 if oscillates else 1.0)

        low = (T + np.sqrt(T**2 + 2 * M * T)) / 2
        all_, gone = (direct.over_flux(lambda E, o=o: seen(E, o), low, 900) for o in (False, True))
        q = np.sqrt(2 * M * T)
        form = experiment.signal.form_factor
        Q = n.Z * form.proton(q, n) * (0.5 - 2 * 0.23857) - n.N * form.neutron(q, n) / 2
        return reference.G_F**2 * M / math.pi * (Q**2)[:, np.newaxis] * (all_ - gone * lost)

    def cuts(n):
        return np.array([2 * E**2 / (n.mass + 2 * E) for E in (reference.NU_MU_LINE, reference.ENDPOINT)])

    return direct.counts(experiment, experiment.signal, of, cuts)


@pytest.mark.parametrize("dm2", [0.05, 1.3, 11.7, 99.0])
@pytest.mark.parametrize("name", NAMES)
def test_counts_are_the_direct_integral(coherent, name, dm2):
    found = coherent[name].counts(STERILE.couplings(dm2_41=dm2, **MIXED))
    expected = by_hand(coherent[name], dm2, MIXED)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7 * expected.max())


@pytest.mark.parametrize("name", [*NAMES, "binh2021-ge"])
def test_without_mixing_and_without_mass_it_is_the_standard_model(coherent, compiled, name):
    experiment = {**coherent, **compiled}[name]
    standard = experiment.counts(SM)
    np.testing.assert_array_equal(experiment.counts(STERILE.couplings(dm2_41=3.0)), standard)
    nearly = experiment.counts(STERILE.couplings(dm2_41=0.01, **MIXED))
    np.testing.assert_allclose(nearly, standard, rtol=1e-3, atol=1e-9)  # (1.267 · 0.01 · L/E)²
    assert nearly.sum() < standard.sum()


@pytest.mark.parametrize("name", NAMES)
def test_fast_oscillations_average_to_one_half(coherent, name):
    dm2 = np.linspace(30.0, 100.0, 400)
    counts = coherent[name].counts(STERILE.couplings(dm2_41=dm2, u2_e4=0.1, u2_mu4=0.1)).sum(axis=1)
    expected = 1 - 4 * 0.1 * 0.8 / 2
    assert counts.mean() / coherent[name].counts(SM).sum() == pytest.approx(expected, abs=3e-3)


def test_nu_e_alone_leaves_the_prompt_line_alone(coherent):
    csi = coherent["coherent-csi-2021"]
    templates = csi.with_channels(["sterile"]).templates["sterile"]
    assert not templates[:, 2].any()
    gone = {
        u: (csi.counts(SM) - csi.counts(STERILE.couplings(dm2_41=2.0, **{u: 0.2}))).reshape(
            csi.experiment.shape
        )
        for u in ("u2_e4", "u2_mu4", "u2_tau4")
    }
    early = {u: lost[:, :4].sum() / lost.sum() for u, lost in gone.items() if lost.any()}
    assert set(early) == {"u2_e4", "u2_mu4"}
    delayed = csi.experiment.signal.spread[2, 3]
    assert early["u2_e4"] == pytest.approx(delayed[:4].sum() / delayed.sum(), rel=0.05)
    assert early["u2_mu4"] > 1.5 * early["u2_e4"]


@pytest.mark.parametrize("names", [NAMES, NAMES[:1], ("binh2021-ge", "binh2021-csi")])
def test_strengths_of_a_few_modes_give_the_counts_of_all_nodes(coherent, compiled, names):
    experiments = [{**coherent, **compiled}[name] for name in names]
    basis = basis_of(STERILE.channels, experiments)
    dm2 = np.append(np.random.default_rng(4).uniform(0.01, 100, 20), [0.01, 100.0])
    couplings = STERILE.couplings(dm2_41=dm2, **MIXED)
    strengths = basis.strengths(couplings)
    for experiment in experiments:
        for block in experiment.with_channels(STERILE.channels).blocks:
            expected = block.evaluate(couplings)
            floor = 1e-8 * expected.max(axis=1, keepdims=True)
            assert (np.abs(strengths @ basis.matrix(block) - expected) <= 1e-6 * expected + floor).all()


@pytest.mark.parametrize(
    ("M", "T_kev", "share"),
    [(37215.5, (1.0, 2.0), 6e-5), (37215.5, (0.05, 0.2), 3e-3), (reference.ELECTRON, (1.0, 10.0), 4e-3)],
)
def test_what_does_not_oscillate_is_as_little_as_is_said(M, T_kev, share):
    """The part of ν_e's recoils from below the lowest energy of the nodes: E² (1 - E/E_max) by hand."""
    flux = load_experiment("coherent-lar-2020").flux
    lowest = min(piece.low for piece in pieces_of(Energies, flux, (M,), 27.5).pieces)
    E, T = np.linspace(1e-3, reference.ENDPOINT, 20001), np.linspace(*T_kev, 41)[:, np.newaxis] / 1e3
    low = (T + np.sqrt(T**2 + 2 * M * T)) / 2
    # of electrons the largest part is that of g_L, alike at all energies
    kernel = np.where(low <= E, 1.0 if M < 1 else 1 - T / E - M * T / (2 * E**2), 0.0)
    rate = kernel * E**2 * (1 - E / reference.ENDPOINT)
    assert rate[:, lowest > E].sum() / rate.sum() == pytest.approx(share, rel=0.12)


def test_electrons_oscillate_as_well():
    experiment = load_experiment("binh2021-csi")
    detector = replace(experiment.signal.detector, electron_recoils=True)
    seen = compile_experiment(experiment.with_signal(replace(experiment.signal, detector=detector)))
    blind = compile_experiment(experiment)

    def electrons(**u2):
        couplings = STERILE.couplings(dm2_41=np.linspace(60, 100, 200), **u2)
        return (seen.counts(couplings) - blind.counts(couplings)).sum(axis=1).mean()

    standard = electrons()
    of_e = 1 - electrons(u2_e4=1e-3) / standard
    of_mu = 1 - electrons(u2_mu4=1e-3) / standard
    # ν_e have six times the cross section of ν_μ and ν̄_μ, half of what oscillates is lost: 2 |U|² of each
    assert 2e-3 * 0.9 < of_e + of_mu < 2e-3 * 1.1
    assert of_e > 1.5 * of_mu


# --- questions ------------------------------------------------------------------------------------------


def test_every_question_takes_it(coherent):
    csi = coherent["coherent-csi-2021"]
    study = nurecoil.Study("sterile", csi, dm2_41="1 eV²", u2_mu4=0.3)
    (predicted,) = study.predict().values.parts
    (recoils,) = study.spectrum([5.0, 10.0]).values.parts
    assert 0.7 < predicted.total / predicted.standard_model_total < 0.9
    assert np.sum(recoils.counts) == pytest.approx(predicted.total, rel=1e-9)
    assert (
        recoils.rate < nurecoil.Study("standard-model", csi).spectrum([5.0, 10.0]).values.parts[0].rate
    ).all()
    assert nurecoil.Study("sterile", csi, dm2_41="1 eV2").fit({"u2_mu4": 0.1}).converged
    mapped = nurecoil.Study("sterile", csi).map({"dm2_41": "0.1..10 eV2", "u2_mu4": "0..0.5"}, points=21)
    assert mapped.values.surface.delta_chi2.min() < 0.1
    assert mapped.values.surface.delta_chi2.max() > 1


def test_rates_at_one_recoil_by_hand(coherent):
    lar = coherent["coherent-lar-2020"]
    T = np.array([0.02, 0.05])
    n, t = lar.experiment.target.nuclides[-1], T[:, np.newaxis]
    (with_it,) = nurecoil.Study("sterile", lar, dm2_41="3 eV2", u2_mu4=0.2).spectrum(1e3 * T).values.parts
    (without,) = nurecoil.Study("standard-model", lar).spectrum(1e3 * T).values.parts

    def seen(E, dm2):
        L = lar.experiment.exposure.baseline_m + EXTENT * np.linspace(-0.5, 0.5, 201)[:, None, None]
        kernel = np.maximum(1 - t / E - n.mass * t / (2 * E**2), 0.0)
        return kernel * (1 - 4 * 0.2 * 0.8 * np.mean(np.sin(phase(dm2, L, E)) ** 2, axis=0))

    low = (T + np.sqrt(T**2 + 2 * n.mass * T)) / 2
    after, before = (direct.over_flux(lambda E, d=d: seen(E, d), low)[:, :2].sum(axis=1) for d in (3.0, 0.0))
    ratio = with_it.rates[n.name][1] / without.rates[n.name][1]
    np.testing.assert_allclose(ratio, after / before, rtol=1e-3)
    assert (np.abs(ratio - 1) > 0.05).all()


def test_limits_are_those_of_a_lost_flavour_where_oscillations_average(coherent):
    csi = [coherent["coherent-csi-2021"]]
    found = asking.limit(STERILE, csi, {"dm2_41": 80.0}, ("u2_mu4", 0.0, 0.5), vary=True)
    assert found.converged
    assert not any("could not be tried" in note for note in found.notes)
    assert any("first energy bin dropped" in v.choice for v in found.values.variations)
    slow = asking.limit(STERILE, csi, {"dm2_41": 0.02}, ("u2_mu4", 0.0, 0.5))
    assert slow.values.profile.delta_chi2.max() < 0.1  # nothing is seen


def test_what_is_not_allowed(coherent, compiled):
    with pytest.raises(NurecoilError, match=r"sterile does not exist at u2_e4 \+ u2_mu4 \+ u2_tau4 = 1\.2"):
        STERILE.couplings(dm2_41=1.0, u2_e4=0.5, u2_mu4=0.7)
    with pytest.raises(NurecoilError, match=r"u2_mu4 = -0\.1 is not allowed: it must be between 0 and 1"):
        STERILE.couplings(dm2_41=1.0, u2_mu4=-0.1)
    with pytest.raises(NurecoilError, match=r"dm2_41 = 200 eV² is not allowed"):
        STERILE.couplings(dm2_41=200.0)
    far = load_experiment("binh2021-ge")
    far = compile_experiment(replace(far, exposure=replace(far.exposure, baseline_m=5000.0)))
    with pytest.raises(NurecoilError, match=r"binh2021-ge: its baseline, 5000 m, is too long"):
        far.counts(STERILE.couplings(dm2_41=1.0, u2_mu4=0.1))


# --- sums -----------------------------------------------------------------------------------------------


def test_real_contact_couplings_oscillate_as_they_are(compiled):
    both, nsi = load_model("nsi+sterile"), load_model("nsi")
    ge = compiled["binh2021-ge"]
    epsilon = {"eps_u_ee": 0.1, "eps_u_mumu": -0.1}
    at = np.linspace(30, 100, 300)
    found = ge.counts(both.couplings(dm2_41=at, u2_e4=0.1, **epsilon)).sum(axis=1).mean()
    with_nsi = ge.counts(nsi.couplings(**epsilon)).sum()
    of_e = (ge.counts(nsi.couplings(eps_u_ee=0.1)) - ge.counts(SM)).sum()
    assert with_nsi - found > 0.1 * of_e
    none = ge.counts(both.couplings(dm2_41=1.0, **epsilon))
    np.testing.assert_allclose(none, ge.counts(nsi.couplings(**epsilon)), rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("sterile+magnetic-moments", {"mu_nu_e": 1e-10}),
        ("light-vector+sterile", {"m_mediator": 1.0, "g_mediator": 1e-5}),
        ("sterile+dipole-portal", {"m_4": 1.0, "d_e": 1e-9}),
        ("nsi+sterile", {"eps_u_emu_im": 0.1}),
        ("sterile+tensor", {"eps_tensor_u_ee": 0.1}),
    ],
)
def test_other_sums_are_refused(name, values):
    with pytest.raises(NurecoilError, match="real vector couplings alone"):
        load_model(name).couplings(dm2_41=1.0, u2_mu4=0.1, **values)


def test_a_fit_of_two_mixings_stays_where_the_model_exists():
    """From 0.3 each, other starts and the ends of both ranges lie beyond u2_e4 + u2_mu4 = 1."""
    study = nurecoil.Study("sterile", "binh2021-csi", dm2_41="1 eV2")
    question = study.question(study.free({"u2_e4": 0.3, "u2_mu4": 0.3}))
    starts = np.array([[start["u2_e4"], start["u2_mu4"]] for start in spread(question, 50)])
    assert starts.sum(axis=1).max() == pytest.approx(1, abs=1e-8)
    inside = question.existing(np.array([[0.6, 0.6], [0.2, 0.5]]))
    np.testing.assert_allclose(inside, [[0.5, 0.5], [0.2, 0.5]], rtol=1e-8)
    many = question.with_data(question.expected([0.0, 0.0], [0.3, 0.0]))  # nothing is sterile at a sum of 1
    found = many.fitted(starts[starts.sum(axis=1) > 0.9], np.zeros(2), np.ones(2))
    assert (found.points.sum(axis=1) <= 1).all()
    np.testing.assert_allclose(many.chi2(found.points), found.chi2, rtol=1e-6, atol=1e-9)


def test_the_fit_of_two_mixings_answers():
    study = nurecoil.Study("sterile", "binh2021-csi", dm2_41="1 eV2")
    found = study.fit({"u2_e4": 0.3, "u2_mu4": 0.3}, starts=3).values.fit
    assert sum(found.values.values()) <= 1
    assert set(found.flat) == {"u2_e4", "u2_mu4"}  # two parameters, one bin

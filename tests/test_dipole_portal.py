"""The dipole portal: its cross section against Dirac traces, its counts against direct integrals."""

import math
from dataclasses import replace

import numpy as np
import pytest

import asking
import direct
import nurecoil
import reference
from nurecoil.detector.quenching import ConstantQuenching
from nurecoil.detector.response import Detector
from nurecoil.detector.smearing import GaussianSmearing
from nurecoil.errors import NurecoilError
from nurecoil.experiment import basis_of, compile_experiment
from nurecoil.experiment.card import load_experiment
from nurecoil.models import DIPOLE_PORTAL, MAGNETIC_MOMENTS, STANDARD_MODEL
from nurecoil.physics import cross_section

NAMES = ("coherent-csi-2021", "coherent-lar-2020")
SM = STANDARD_MODEL.couplings()
MASSES = [0.37, 9.7, 24.31, 29.51, 29.77, 30.4, 43.21, 50.9]  # none is a node
CASES = [
    (1.2e5, 30.0, 0.0),
    (1.2e5, 30.0, 12.0),
    (3.7e4, 45.0, 40.0),
    (9.0, 30.0, 4.0),
    (reference.ELECTRON, 40.0, 3.0),
]


# --- the cross section ----------------------------------------------------------------------------------


def of_traces(T, E, M, m, spin):
    """Return dσ/dT over α d² by traces of Dirac matrices, for L = (d/2) N̄ σ P_L ν F and a point charge."""
    sigma = [[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]]
    zero, one = np.zeros((2, 2)), np.eye(2)
    gamma = [np.block([[one, zero], [zero, -one]])]
    gamma += [np.block([[zero, np.array(s)], [-np.array(s), zero]]) for s in sigma]
    metric = np.diag([1, -1, -1, -1])
    left = (np.eye(4) - 1j * gamma[0] @ gamma[1] @ gamma[2] @ gamma[3]) / 2

    def slash(p):
        return sum(metric[i, i] * p[i] * gamma[i] for i in range(4))

    q = math.sqrt(T**2 + 2 * M * T)
    cosine = (E**2 + q**2 - (E - T) ** 2 + m**2) / (2 * E * q)
    k, p = np.array([E, 0, 0, E]), np.array([M, 0, 0, 0])
    moved = np.array([T, q * math.sqrt(1 - cosine**2), 0, q * cosine])
    vertex = [
        sum(0.5j * (a @ b - b @ a) * low for b, low in zip(gamma, metric @ moved, strict=True)) @ left
        for a in gamma
    ]
    barred = [gamma[0] @ v.conj().T @ gamma[0] for v in vertex]
    lepton = [
        [np.trace((slash(k - moved) + m * np.eye(4)) @ v @ slash(k) @ w) for w in barred] for v in vertex
    ]
    lowered = [metric[a, a] * gamma[a] for a in range(4)]
    before, after = slash(p) + M * np.eye(4), slash(p + moved) + M * np.eye(4)
    target = [[np.trace(after @ a @ before @ b) / 2 for b in lowered] for a in lowered]
    if not spin:
        target = np.outer(metric @ (2 * p + moved), metric @ (2 * p + moved))
    squared = 4 * math.pi * np.sum(np.array(lepton) * np.array(target)).real / (2 * M * T) ** 2
    return squared / (32 * math.pi * M * E**2)


@pytest.mark.parametrize("spin", [0, 1])
@pytest.mark.parametrize(("M", "E", "m"), CASES)
def test_the_kernel_is_the_squared_amplitude(M, E, m, spin):
    low, high = cross_section.upscattering_recoils(E, M, m)
    for share in (0.02, 0.3, 0.97):
        T = low + share * (high - low)
        kernel = cross_section.upscattering_kernel(T, E, M, m, recoil_term=not spin)
        assert kernel == pytest.approx(of_traces(float(T), E, M, m, spin), rel=1e-9, abs=0)
        assert kernel > 0


@pytest.mark.parametrize(("M", "E", "m"), CASES[1:])
def test_recoils_end_where_the_energy_no_longer_suffices(M, E, m):
    low, high = cross_section.upscattering_recoils(E, M, m)
    for T in (low, high):
        # energy and momentum: the heavy neutrino goes on along the same line
        q = math.sqrt(T**2 + 2 * M * T)
        assert min(abs(math.hypot(E - sign * q, m) - (E - T)) for sign in (1, -1)) < 1e-9 * E
        assert cross_section.upscattering_energy_min(T, M, m) == pytest.approx(E, rel=1e-9)
    inside = cross_section.upscattering_kernel(np.array([low * 0.999, high * 1.001]), E, M, m)
    assert (inside == 0).all()
    top = cross_section.heaviest(E, M)
    assert math.sqrt(M**2 + 2 * M * E) == pytest.approx(M + top, rel=1e-14)
    assert not cross_section.upscattering_kernel(np.geomspace(1e-9, 1, 500) * E, E, M, top * 1.0001).any()


@pytest.mark.parametrize("recoil_term", [True, False])
def test_without_a_mass_it_is_a_magnetic_moment(recoil_term):
    T = np.geomspace(1e-6, 0.05, 50)
    found = cross_section.upscattering_kernel(T, 40.0, 1.2e5, 0.0, recoil_term=recoil_term)
    expected = cross_section.magnetic_kernel(T, 40.0, 1.2e5, recoil_term=recoil_term)
    np.testing.assert_allclose(found, expected, rtol=1e-14)


# --- counts ---------------------------------------------------------------------------------------------


def by_hand(compiled, m, moments):
    """Return what moments (mu_B) to the flavours e and mu add to the counts."""
    experiment = compiled.experiment
    d_e, d_mu = moments

    def of(T, n):
        M = n.mass
        low = (T + np.sqrt(T**2 + 2 * M * T)) / 2 * (1 + m**2 / (2 * M * T))
        t = T[:, np.newaxis]

        def kernel(E):
            weak = m**2 * (t - 2 * E - M) / (4 * E**2 * t * M) + m**4 * (t - M) / (8 * E**2 * t**2 * M**2)
            return 1 / t - 1 / E + weak

        charge = n.Z * experiment.signal.form_factor.proton(np.sqrt(2 * M * T), n)
        factor = math.pi * reference.ALPHA**2 / reference.ELECTRON**2 * charge**2
        return factor[:, np.newaxis] * direct.over_flux(kernel, low) * np.square([d_mu, d_mu, d_e])

    def cuts(n):
        ends = [
            E for E in (reference.NU_MU_LINE, reference.ENDPOINT) if m < cross_section.heaviest(E, n.mass)
        ]
        return np.concatenate([[0.0], *(cross_section.upscattering_recoils(E, n.mass, m) for E in ends)])

    return direct.counts(experiment, experiment.signal, of, cuts)


@pytest.mark.parametrize("m", MASSES)
@pytest.mark.parametrize("name", NAMES)
def test_counts_are_the_direct_integral(coherent, name, m):
    compiled = coherent[name]
    found = compiled.counts(DIPOLE_PORTAL.couplings(m_4=m, d_e=5e-9, d_mu=3e-9)) - compiled.counts(SM)
    expected = by_hand(compiled, m, (5e-9, 3e-9))
    # liquid argon's efficiency is a line with corners, at which counts of the line of ν_μ bend
    tolerance = {"coherent-csi-2021": 1e-7, "coherent-lar-2020": 1e-5}[name]
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * expected.max())
    assert found.sum() == pytest.approx(expected.sum(), rel=tolerance, abs=0)


@pytest.mark.parametrize("name", NAMES)
def test_hard_edges_are_where_panels_end(coherent, name):
    experiment = coherent[name].experiment
    detector = replace(
        load_experiment("binh2021-ge").signal.detector, edges=(0.2, 1.0, 5.0, 10.0, 20.0, 30.0, 40.0)
    )
    signal = replace(experiment.signal, detector=detector, spread=None)
    sharp = compile_experiment(experiment.with_signal(signal, ())).with_channels(DIPOLE_PORTAL.channels)
    masses = np.concatenate([[1e-6], np.linspace(0.3, 52.7, 40), np.linspace(29.6, 29.82, 12)])
    found = sharp.counts(DIPOLE_PORTAL.couplings(m_4=masses, d_all=1e-6)) - sharp.counts(SM)
    expected = np.array([by_hand(sharp, m, (1e-6, 1e-6)) for m in masses])
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-8 * expected.max())


@pytest.mark.parametrize("name", [*NAMES, "binh2021-ge"])
def test_counts_without_a_mass_are_those_of_magnetic_moments(coherent, compiled, name):
    experiment = {**coherent, **compiled}[name]
    found = experiment.counts(DIPOLE_PORTAL.couplings(m_4=1e-6, d_all=1e-9, d_mu=2e-9))
    expected = experiment.counts(MAGNETIC_MOMENTS.couplings(mu_nu_e=1e-9, mu_nu_mu=3e-9, mu_nu_tau=1e-9))
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7 * expected.max())


@pytest.mark.parametrize("name", NAMES)
def test_what_is_too_heavy_is_not_made(coherent, name):
    found = coherent[name].counts(DIPOLE_PORTAL.couplings(m_4=np.array([52.85, 1e3, np.inf]), d_all=1e-6))
    np.testing.assert_array_equal(found, np.tile(coherent[name].counts(SM), (3, 1)))


def test_each_flavour_keeps_its_times(coherent):
    csi = coherent["coherent-csi-2021"]
    standard = csi.counts(SM).reshape(csi.experiment.shape)

    def times(**values):
        added = csi.counts(DIPOLE_PORTAL.couplings(**values)).reshape(csi.experiment.shape) - standard
        return added[0] / added[0].sum()  # of one bin in energy

    of_e = times(m_4=5.0, d_e=1e-8)
    np.testing.assert_allclose(times(m_4=31.0, d_mu=1e-8), of_e, rtol=1e-6)  # the line is out of reach
    assert times(m_4=5.0, d_mu=1e-8)[:4].sum() > 1.3 * of_e[:4].sum()
    assert not csi.with_channels(["dipole-portal"]).templates["dipole-portal"][:, 2].any()


@pytest.mark.parametrize("names", [NAMES, NAMES[:1], ("binh2021-ge", "binh2021-csi")])
def test_strengths_of_a_few_modes_give_the_counts_of_all_nodes(coherent, compiled, names):
    experiments = [{**coherent, **compiled}[name] for name in names]
    basis = basis_of(DIPOLE_PORTAL.channels, experiments)
    couplings = DIPOLE_PORTAL.couplings(m_4=np.array([*MASSES, 1e-3, 52.0, np.inf]), d_all=1e-8)
    strengths = basis.strengths(couplings)
    assert strengths.shape[1] < 160
    for experiment in experiments:
        for block in experiment.with_channels(DIPOLE_PORTAL.channels).blocks:
            expected = block.evaluate(couplings)
            floor = 1e-8 * expected.max(axis=1, keepdims=True)
            assert (np.abs(strengths @ basis.matrix(block) - expected) <= 1e-6 * expected + floor).all()


def test_electrons_are_hit_as_well():
    experiment = load_experiment("binh2021-csi")
    detector = replace(experiment.signal.detector, electron_recoils=True)
    seen = compile_experiment(experiment.with_signal(replace(experiment.signal, detector=detector)))
    blind = compile_experiment(experiment)

    def electrons(couplings):
        return (seen.counts(couplings) - blind.counts(couplings)).sum()

    standard = electrons(SM)
    light = electrons(DIPOLE_PORTAL.couplings(m_4=1e-6, d_mu=1e-8)) - standard
    magnetic = electrons(MAGNETIC_MOMENTS.couplings(mu_nu_mu=1e-8)) - standard
    assert light == pytest.approx(magnetic, rel=1e-4)  # bins have hard edges
    heavy = electrons(DIPOLE_PORTAL.couplings(m_4=1.5, d_mu=1e-8)) - standard
    assert 0 < heavy < 0.95 * light  # recoils of a few keV, which begin at m⁴/4sT
    assert electrons(DIPOLE_PORTAL.couplings(m_4=7.0, d_mu=1e-8)) == pytest.approx(standard, rel=1e-12)


# --- questions ------------------------------------------------------------------------------------------


def end(experiments, model, values, name):
    found = asking.limit(model, experiments, values, (name, 0.0, 1e-7))
    assert found.converged
    return found.values.profile.intervals[0].high


def test_limits_begin_at_those_of_magnetic_moments_and_weaken_with_the_mass(coherent):
    csi = [coherent["coherent-csi-2021"]]
    ends = [end(csi, DIPOLE_PORTAL, {"m_4": m}, "d_mu") for m in (1e-6, 1.0, 10.0, 40.0)]
    assert ends[0] == pytest.approx(end(csi, MAGNETIC_MOMENTS, {}, "mu_nu_mu"), rel=1e-5)
    assert ends == sorted(ends)
    assert ends[1] == pytest.approx(ends[0], rel=2e-3)
    assert ends[3] > 1.5 * ends[0]
    varied = nurecoil.Study("dipole-portal", csi, m_4="10 MeV").limit("d_mu", "0..1e-7 mu_B", vary=True)
    assert not any("could not be tried" in note for note in varied.notes)


def test_every_question_takes_it(coherent):
    csi = coherent["coherent-csi-2021"]
    study = nurecoil.Study("dipole-portal", csi, m_4="10 MeV", d_mu="3e-9 mu_B")
    (predicted,) = study.predict().values.parts
    (recoils,) = study.spectrum([5.0, 10.0]).values.parts
    assert predicted.total > predicted.standard_model_total + 10
    assert np.sum(recoils.counts) == pytest.approx(predicted.total, rel=1e-9)
    fit = nurecoil.Study("dipole-portal", csi, m_4="10 MeV").fit({"d_e": "1e-9 mu_B"})
    assert fit.converged
    mapped = nurecoil.Study("dipole-portal", csi).map({"m_4": "1..50 MeV", "d_mu": "0..2e-8"}, points=21)
    assert mapped.values.surface.delta_chi2.min() < 0.1
    assert mapped.values.surface.delta_chi2.max() > 10


def test_rates_at_one_recoil_by_hand(coherent):
    csi = coherent["coherent-csi-2021"]
    T, m = np.array([0.004, 0.012]), 20.0
    at = {"m_4": "20 MeV", "d_e": "4e-9 mu_B"}
    (with_d,) = nurecoil.Study("dipole-portal", csi, **at).spectrum(1e3 * T).values.parts
    (without,) = nurecoil.Study("standard-model", csi).spectrum(1e3 * T).values.parts
    n = csi.experiment.target.nuclides[0]
    low = (T + np.sqrt(T**2 + 2 * n.mass * T)) / 2 * (1 + m**2 / (2 * n.mass * T))
    averaged = direct.over_flux(
        lambda E: cross_section.upscattering_kernel(T[:, np.newaxis], E, n.mass, m), low
    )[:, 2]
    charge = n.Z * csi.experiment.signal.form_factor.proton(np.sqrt(2 * n.mass * T), n)
    factor = math.pi * reference.ALPHA**2 / reference.ELECTRON**2 * (4e-9 * charge) ** 2 * reference.CM2
    exposure = (
        csi.experiment.exposure.fluence * csi.experiment.mass_kg * csi.experiment.target.nuclei_per_kg[0]
    )
    added = with_d.rates[n.name].sum(axis=0) - without.rates[n.name].sum(axis=0)
    np.testing.assert_allclose(added, exposure * factor * averaged / 1e3, rtol=1e-6)


def test_it_needs_a_threshold_and_a_mass():
    experiment = load_experiment("binh2021-ge")
    smeared = Detector(
        "E", (1.0, 200.0), ConstantQuenching(1.0), 1.0, GaussianSmearing(0.3, 0.5, "true"),
        experiment.signal.detector.efficiency,
    )  # fmt: skip
    everything = compile_experiment(experiment.with_signal(replace(experiment.signal, detector=smeared)))
    with pytest.raises(NurecoilError, match=r"binh2021-ge: it sees recoils down to T = 0.*threshold"):
        everything.counts(DIPOLE_PORTAL.couplings(m_4=1.0, d_mu=1e-9))
    with pytest.raises(NurecoilError, match="m_4"):
        DIPOLE_PORTAL.couplings(d_mu=1e-9)
    with pytest.raises(NurecoilError, match="d_mu = -1e-09 μ_B is not allowed"):
        DIPOLE_PORTAL.couplings(m_4=1.0, d_mu=-1e-9)

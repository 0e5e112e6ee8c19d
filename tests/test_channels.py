"""Channels with a weight against direct integrals; strengths of any number; today's channels unchanged."""

import math
from dataclasses import replace

import numpy as np
import pytest

import asking
import reference
from nurecoil.detector.quenching import ConstantQuenching
from nurecoil.detector.response import Detector
from nurecoil.detector.smearing import GaussianSmearing
from nurecoil.errors import NurecoilError
from nurecoil.experiment import STANDARD_BASIS, basis_of, compile_experiment
from nurecoil.experiment.card import load_experiment
from nurecoil.models import LIGHT_SCALAR, LIGHT_VECTOR, NSI, STANDARD_MODEL, ZPRIME_331
from nurecoil.physics.couplings import Exchange
from nurecoil.physics.weights import Nodes, Weight
from nurecoil.study.question import Question

MASSES = [0.0, 1e-3, 0.3, 5.0, 20.0, 60.0, 300.0, 1e4, 1e7, math.inf]
NAMES = ("coherent-csi-2021", "coherent-lar-2020")


# --- the plain way ------------------------------------------------------------------------------------


def flux_average(kernel, T, M):
    """Return ∫φ(E) k(T, E) dE of each component of a stopped-pion source, (n, 3), by 200 points each."""
    x, w = np.polynomial.legendre.leggauss(200)
    low = np.minimum((T + np.sqrt(T**2 + 2 * M * T)) / 2, reference.ENDPOINT)[:, np.newaxis]
    E = low + (reference.ENDPOINT - low) * (x + 1) / 2
    per_E = kernel(T[:, np.newaxis], E, M) * w * (reference.ENDPOINT - low) / 2
    line = np.where(low[:, 0] < reference.NU_MU_LINE, kernel(T, reference.NU_MU_LINE, M), 0.0)
    of_e, of_mu_bar = np.vectorize(reference.nu_e)(E), np.vectorize(reference.nu_mu_bar)(E)
    return np.stack([line, (per_E * of_mu_bar).sum(axis=1), (per_E * of_e).sum(axis=1)], axis=1)


def vector_kernel(T, E, M):
    return 1 - T / E - M * T / (2 * E**2)


def scalar_kernel(T, E, M):
    return T / E**2


def direct(experiment, signal, amplitude, kernel, prefactor):
    """Return counts in the cells of a signal: nuclei · fluence · ∫dT R Σ prefactor |amplitude(q)|² K(T)."""
    x, w = np.polynomial.legendre.leggauss(12)
    detector, target = signal.detector, experiment.target
    energies = reference.NU_MU_LINE, reference.ENDPOINT
    cuts = [2 * E**2 / (n.mass + 2 * E) for n in target.nuclides for E in energies]
    edges = np.unique(np.concatenate([[0.0], detector.breakpoints(), cuts, np.linspace(0, max(cuts), 150)]))
    edges = np.sqrt(edges[edges <= max(cuts)])
    half = np.diff(edges)[:, np.newaxis] / 2
    root = (edges[:-1, np.newaxis] + half * (x + 1)).ravel()
    T, dT = root**2, 2 * root * (half * w).ravel()
    total = np.zeros((T.size, 3))
    for n, per_kg in zip(target.nuclides, target.nuclei_per_kg, strict=True):
        q = np.sqrt(2 * n.mass * T)
        nucleus = amplitude(q, n.Z * signal.form_factor.proton(q, n), n.N * signal.form_factor.neutron(q, n))
        nucleus = nucleus.reshape(T.size, -1)  # the same for all components, or not
        total += per_kg * prefactor(n.mass) * nucleus * flux_average(kernel, T, n.mass)
    exposure = experiment.exposure.fluence * experiment.mass_kg * reference.CM2
    per_component = exposure * (detector.response(T) * dT) @ total
    spread = np.ones((1, 1, 1)) if signal.spread is None else signal.spread
    return np.einsum("bc,cbk->bk", per_component, np.broadcast_to(spread, (3, *spread.shape[1:]))).ravel()


def g_f_squared(M):
    return reference.G_F**2 * M / math.pi


def light_vector(m, g):
    """Return |Q|² of a universal mediator: each quark has the charge g, so each nucleon 3 g."""

    def amplitude(q, p, n):
        extra = 3 * g**2 / (math.sqrt(2) * reference.G_F * (q**2 + m**2))
        return (p * (0.5 - 2 * 0.23857 + extra) + n * (-0.5 + extra)) ** 2

    return amplitude


# --- weights and nodes --------------------------------------------------------------------------------


@pytest.mark.parametrize("m", MASSES)
@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("low", [0.05, 8.0, 60.0])
def test_the_nodes_hold_the_propagator_of_any_mass(low, power, m):
    nodes, weight = Nodes(low, 110.0), Weight(np.array(m), power)
    q = np.geomspace(low, 110.0, 999)
    found = nodes.interpolation(q) @ weight(nodes.q)
    np.testing.assert_allclose(found, weight(q), rtol=0, atol=1e-11 * weight(q).max())
    np.testing.assert_allclose(nodes.interpolation(q).sum(axis=1), 1.0, rtol=1e-12)
    below = nodes.interpolation(np.array([low / 2])) @ weight(nodes.q)
    assert below == pytest.approx(weight([low]), rel=1e-10)


# --- counts -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("m", [1e-6, 1.0, 30.0, 1e4])
@pytest.mark.parametrize("name", NAMES)
def test_counts_of_a_light_vector_are_the_direct_integral(coherent, name, m):
    compiled, g = coherent[name], 3e-5 * max(1.0, m / 30)
    found = compiled.counts(LIGHT_VECTOR.couplings(m_mediator=m, g_mediator=g))
    signal = compiled.experiment.signal
    expected = direct(compiled.experiment, signal, light_vector(m, g), vector_kernel, g_f_squared)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9 * expected.max())
    standard = compiled.counts(STANDARD_MODEL.couplings()).sum()
    assert abs(expected.sum() / standard - 1) > 0.05


def test_counts_of_a_light_vector_at_a_pull_are_the_direct_integral(coherent):
    compiled = coherent["coherent-csi-2021"].with_channels(["light-vector"])
    couplings = LIGHT_VECTOR.couplings(m_mediator=2.0, g_mediator=4e-5)
    for variation, ends in zip(
        compiled.experiment.statistics.signal.shapes, compiled.variations, strict=True
    ):
        for signal, templates in zip((variation.up, variation.down), ends, strict=True):
            expected = direct(
                compiled.experiment, signal, light_vector(2.0, 4e-5), vector_kernel, g_f_squared
            )
            np.testing.assert_allclose(
                templates.evaluate(couplings), expected, rtol=1e-6, atol=1e-9 * expected.max()
            )


@pytest.mark.parametrize("m", [1e-6, 1.0, 30.0, 1e4])
@pytest.mark.parametrize("name", NAMES)
def test_counts_of_a_light_scalar_are_the_direct_integral(coherent, name, m):
    compiled, g = coherent[name], 3e-5 * max(1.0, m / 30)
    couplings = LIGHT_SCALAR.couplings(m_mediator=m, g_mediator=g)
    found = compiled.counts(couplings) - compiled.counts(STANDARD_MODEL.couplings())

    def amplitude(q, p, n):
        return g**4 * (15.1 * p + 14 * n) ** 2 / (q**2 + m**2) ** 2

    signal = compiled.experiment.signal
    expected = direct(compiled.experiment, signal, amplitude, scalar_kernel, lambda M: M**2 / (4 * math.pi))
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9 * expected.max())


@pytest.mark.parametrize("model", [LIGHT_VECTOR, LIGHT_SCALAR], ids=lambda model: model.name)
@pytest.mark.parametrize("names", [NAMES, NAMES[:1], ("binh2021-ge", "binh2021-lar")])
def test_strengths_of_a_few_modes_give_the_counts_of_all_nodes(coherent, compiled, names, model):
    experiments = [{**coherent, **compiled}[name] for name in names]
    basis = basis_of(model.channels, experiments)
    couplings = model.couplings(m_mediator=np.array(MASSES[1:]), g_mediator=1e-4)
    strengths = basis.strengths(couplings)
    assert strengths.shape == (len(MASSES) - 1, sum(basis.sizes.values()))
    assert strengths.shape[1] < 160
    for experiment in experiments:
        for block in experiment.with_channels(model.channels).blocks:
            expected = block.evaluate(couplings)
            floor = 1e-8 * expected.max(axis=1, keepdims=True)
            assert (np.abs(strengths @ basis.matrix(block) - expected) <= 1e-7 * expected + floor).all()


# --- what a model does not need, it does not get ------------------------------------------------------


@pytest.mark.parametrize("model", [STANDARD_MODEL, NSI, ZPRIME_331], ids=lambda model: model.name)
def test_a_model_without_weight_keeps_the_twelve_strengths(compiled, model):
    csi = compiled["binh2021-csi"]
    basis = basis_of(model.channels, [csi])
    assert basis.sizes == STANDARD_BASIS.sizes == {"vector": 9, "magnetic": 3}
    assert csi.with_channels(model.channels) is csi


def test_a_channel_is_compiled_once_and_beside_the_others(compiled):
    lar = compiled["binh2021-lar"]
    more = lar.with_channels(["light-vector"])
    assert more is lar.with_channels(["light-vector"])
    assert more.templates["vector"] is lar.templates["vector"]
    both = more.with_channels(LIGHT_SCALAR.channels)
    assert set(both.templates.channels) == {"vector", "magnetic", "light-vector", "light-scalar"}
    assert not lar.edits()
    assert not both.edits()


def test_a_channel_comes_before_a_change(compiled):
    twice = compiled["binh2021-lar"].with_templates(lambda templates: templates.scaled(2.0))
    with pytest.raises(NurecoilError, match=r"binh2021-lar was changed .* channel light-scalar must be"):
        twice.counts(LIGHT_SCALAR.couplings(m_mediator=1.0, g_mediator=1e-5))
    before = compiled["binh2021-lar"].with_channels(["light-scalar"])
    couplings = LIGHT_SCALAR.couplings(m_mediator=1.0, g_mediator=1e-5)
    after = before.with_templates(lambda templates: templates.scaled(2.0))
    assert after.counts(couplings) == pytest.approx(2 * before.counts(couplings), rel=1e-14)


def test_couplings_of_a_channel_that_the_model_does_not_list_are_refused(compiled):
    light = Exchange(*(np.ones(shape) for shape in ((), (3, 3), (3, 3), (3, 3), (3, 3))))
    forgetful = replace(
        STANDARD_MODEL,
        name="forgetful",
        evaluate=lambda values: replace(STANDARD_MODEL.evaluate(values), light_vector=light),
    )
    with pytest.raises(NurecoilError, match="channel light-vector, which the model does not list"):
        Question.of(forgetful, [compiled["binh2021-csi"]], {}, {"sin2_theta_w": 0.24}).profiled([[0.24]])


def test_a_light_mediator_needs_a_threshold():
    experiment = load_experiment("binh2021-ge")
    smeared = Detector(
        "E", (1.0, 200.0), ConstantQuenching(1.0), 1.0, GaussianSmearing(0.3, 0.5, "true"),
        experiment.signal.detector.efficiency,
    )  # fmt: skip
    everything = experiment.with_signal(replace(experiment.signal, detector=smeared))
    with pytest.raises(NurecoilError, match=r"binh2021-ge: it sees recoils down to T = 0.*threshold"):
        compile_experiment(everything).counts(LIGHT_VECTOR.couplings(m_mediator=1.0, g_mediator=1e-5))


# --- questions ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["numpy", "fast"])
def test_every_engine_takes_any_number_of_strengths(coherent, engine):
    pytest.importorskip("numba")
    experiments = [coherent[name] for name in NAMES]
    fixed, start = {"m_mediator": 3.0}, {"g_mediator": 2e-5}
    question = Question.of(LIGHT_VECTOR, experiments, fixed, start, engine=engine)
    points = np.array([[1e-10], [1e-5], [3e-5]])
    found = question.profiled(points)
    standard = Question.of(STANDARD_MODEL, experiments, {}, {"sin2_theta_w": 0.24}).profiled([[0.23857]])
    assert found.converged.all()
    assert found.chi2[0] == pytest.approx(standard.chi2[0], rel=1e-9)
    assert found.chi2[2] > found.chi2[0] + 10


def test_a_mass_and_a_coupling_are_fitted_through_moving_strengths(coherent):
    lar, start = [coherent["coherent-lar-2020"]], {"m_mediator": 50.0, "g_mediator": 1e-4}
    best = asking.fit(LIGHT_VECTOR, lar, {}, start).values.fit
    around = Question.of(LIGHT_VECTOR, lar, {}, start).profiled([[50.0, 1e-6], [10.0, 2e-5], [100.0, 1e-4]])
    assert (around.chi2 >= best.minimum - 1e-6).all()

"""Integrals over the recoil energy: the rule, and counts of awkward detectors against a brute-force rule."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import asking
import nurecoil
import reference
from nurecoil.detector.efficiency import (
    ConstantEfficiency,
    LogisticEfficiency,
    ShiftedLogisticEfficiency,
    TabulatedEfficiency,
)
from nurecoil.detector.quenching import ConstantQuenching, LinearQuenching, TabulatedQuenching
from nurecoil.detector.response import Detector
from nurecoil.detector.smearing import GammaSmearing, GaussianSmearing, NoSmearing, PoissonSmearing
from nurecoil.errors import NurecoilError
from nurecoil.experiment import STANDARD_BASIS, Shape, Signal, compile_experiment, integrals
from nurecoil.experiment.card import load_experiment
from nurecoil.experiment.quadrature import GAUSS, KRONROD, NODES, integrate
from nurecoil.parameters import Parameter
from nurecoil.physics.channels import STANDARD
from nurecoil.physics.cross_section import Conventions
from nurecoil.physics.form_factors import form_factor
from nurecoil.physics.nuclei import Material, Nuclide
from nurecoil.sources import Component, Flux, Line
from universal import flavour_universal

NUCLIDES = {  # Z, A, atomic mass in u: AME2020
    "H1": (1, 1, 1.00782503), "C12": (6, 12, 12.0), "O16": (8, 16, 15.99491462), "F19": (9, 19, 18.99840316),
    "Ar40": (18, 40, 39.96238312), "I127": (53, 127, 126.9044726), "Cs133": (55, 133, 132.905452),
}  # fmt: skip
WATER, CF3I = {"H1": 2.0, "O16": 1.0}, {"C12": 1.0, "F19": 3.0, "I127": 1.0}
COUPLINGS = flavour_universal(0.1, -0.5, 0.0, 0.0, 1e-9)
UNQUENCHED, ALL = ConstantQuenching(1.0), ConstantEfficiency(1.0)
NONE = NoSmearing()


def experiment_of(detector, target=None, flux=None):
    """Return an experiment with point nuclei, all of whose factors but the cross section are one."""
    target = target or {"C12": 1.0}
    nuclides = tuple(
        Nuclide(n[:-1], Z, A - Z, u, 1.0, 3.0, True, None) for n, (Z, A, u) in NUCLIDES.items() if n in target
    )
    material = Material("test", nuclides, tuple(target[n] for n in NUCLIDES if n in target))
    base = load_experiment("binh2021-ge")
    return replace(
        base.with_signal(Signal(detector, form_factor("point"))),
        target=material,
        mass_kg=1 / base.exposure.fluence,
        conventions=Conventions(),
        flux=flux or base.flux,
    )


def counts(detector, target=None, couplings=COUPLINGS):
    return compile_experiment(experiment_of(detector, target)).counts(couplings)


# --- brute force --------------------------------------------------------------------------------------


def mass(name):
    Z, _, u = NUCLIDES[name]
    return u * reference.DALTON - Z * reference.ELECTRON


def spectrum(T, name):
    """dσ/dT summed over a stopped-pion source, F = 1, at the couplings of the tests."""
    Z, A, _ = NUCLIDES[name]
    M = mass(name)
    weak = reference.CM2 * reference.G_F**2 * M / math.pi * (0.1 * Z - 0.5 * (A - Z)) ** 2
    dipole = reference.CM2 * math.pi * reference.ALPHA**2 / reference.ELECTRON**2 * 1e-18 * Z**2
    nodes, weights = np.polynomial.legendre.leggauss(6)  # polynomials in E
    E_min = (T + np.sqrt(T**2 + 2 * M * T)) / 2
    half = np.maximum(reference.ENDPOINT - E_min, 0) / 2
    E = E_min + half * (1 + nodes[:, np.newaxis])

    def kernel(E):
        return weak * (1 - T / E - M * T / (2 * E**2)) + dipole * (1 / T - 1 / E)

    flux = reference.nu_mu_bar(E) + reference.nu_e(E)
    line = np.where(E_min < reference.NU_MU_LINE, kernel(reference.NU_MU_LINE), 0)
    return line + half * (weights[:, np.newaxis] * flux * kernel(E)).sum(axis=0)


def brute(detector, target, x, kinks_kev=()):
    """∫ dT R dN/dT in bins: 16 points in each of 30 parts of √T between all that could matter.

    `x` are values of the observable, `kinks_kev` recoil energies.
    """
    ends = [2 * E**2 / (mass(n) + 2 * E) for n in target for E in (reference.NU_MU_LINE, reference.ENDPOINT)]
    x = np.array([value for value in x if value > 0]) / detector.light_yield_per_kev / detector.smearing.scale
    T = np.concatenate([detector.quenching.recoil_energy(x), np.array(kinks_kev) * 1e-3, ends, [0.0]])
    splits = np.sqrt(np.unique(T[max(ends) >= T]))
    splits = np.unique(np.concatenate([np.linspace(a, b, 31) for a, b in pairwise(splits)]))
    nodes, weights = np.polynomial.legendre.leggauss(16)
    total = 0.0
    for a, b in pairwise(splits):
        root = (a + b) / 2 + (b - a) / 2 * nodes
        rate = sum(nuclei * spectrum(root**2, name) for name, nuclei in target.items())
        total = total + detector.response(root**2) @ ((b - a) * root * weights * rate)
    return total


def around(edges, width):
    """Edges, and five widths to both sides of each in steps of one, ten to both sides."""
    return [e + k * w for e, w in zip(edges, np.broadcast_to(width, len(edges)), strict=True)
            for k in (-10, -6, *range(-4, 5), 6, 10)]  # fmt: skip


FIVES = tuple(np.arange(5.0, 60.0, 5.0))
STEEP = LogisticEfficiency(0.9, 1e5, 17.3)
STEPS = TabulatedEfficiency((10.0, 10.00001, 20.0, 20.00001, 40.0), (0.1, 0.5, 0.5, 0.9, 0.3))
KINK = TabulatedQuenching((1.0, 20.0, 20.001, 50.0), (0.1, 0.2, 0.4, 0.45))


def gaussian(b, edges=FIVES, efficiency=ALL, quenching=UNQUENCHED, a=0.0, **options):
    return Detector("E", edges, quenching, 1.0, GaussianSmearing(a, b), efficiency, **options)


def bare(edges, efficiency=ALL, quenching=UNQUENCHED, light_yield=1.0):
    return Detector("E", edges, quenching, light_yield, NONE, efficiency)


CARBON = {"C12": 1.0}
CASES = {  # detector, target, where the observable turns, where the recoil energy does
    "the card of the issue": (gaussian(0.3, step=5.0), CARBON, around(FIVES, 0.3)),
    "narrow": (gaussian(0.003, step=5.0), CARBON, around(FIVES, 0.003)),
    "very narrow": (gaussian(3e-6), CARBON, around(FIVES, 3e-6)),
    "narrow, stochastic": (gaussian(0.0, a=0.02), CARBON, around(FIVES, 0.02 * np.sqrt(FIVES))),
    "narrow, at the reconstructed energy": (
        Detector("E", FIVES, UNQUENCHED, 1.0, GaussianSmearing(0.02, at="reconstructed"), ALL),
        CARBON,
        around(FIVES, 0.02 * np.sqrt(FIVES)),
    ),
    "wide": (gaussian(3.0, edges=(30.0, 40.0, 70.0, 90.0)), CARBON, around([30, 40, 70, 90], 3.0)),
    "poisson, many quanta": (
        Detector("PE", (500.0, 1000.0, 5000.0), UNQUENCHED, 100.0, PoissonSmearing(), ALL, step=1.0),
        {"I127": 1.0},
        around([500, 1000, 5000], [22, 32, 71]),
    ),
    "poisson, few quanta": (
        Detector("PE", (2.0, 3.0, 5.0, 9.0), UNQUENCHED, 0.3, PoissonSmearing(), ALL, step=1.0),
        CARBON,
        np.arange(0.0, 60.0, 0.5),
    ),
    "gamma, narrow": (
        Detector("PE", (1000.0, 3000.0, 9000.0), UNQUENCHED, 1.0, GammaSmearing(0.01, 1e5), ALL),
        CARBON,
        around([1000, 3000, 9000], [1, 1.7, 3]),
    ),
    "gamma, wide": (
        Detector("PE", (8.0, 12.0, 60.0), LinearQuenching(0.05, 1e-3), 1.0, GammaSmearing(0.07, 9.5), ALL),
        {"Cs133": 1.0},
        np.arange(0.0, 120.0, 2.0),
    ),
    "steep efficiency": (
        bare((5.0, 15.0, 60.0), STEEP),
        CARBON,
        [5, 15, 60, *around([17.3], 1e-5), *around([17.3], 4e-5)],
    ),
    "steep and shifted efficiency": (
        bare((5.0, 60.0), ShiftedLogisticEfficiency(0.9, 1e5, 17.3, -0.1)),
        CARBON,
        [5, 60, 17.3 - math.log(8) / 1e5, *around([17.3], 1e-5), *around([17.3], 4e-5)],
    ),
    "steep efficiency at the true energy": (
        gaussian(0.5, (10.0, 20.0, 60.0), STEEP, efficiency_at="true"),
        CARBON,
        [*around([10, 20, 60], 0.5), *around([17.3], 1e-5), *around([17.3], 4e-5)],
    ),
    "narrow smearing of a staircase": (
        gaussian(0.01, (10.0, 16.0, 30.0), STEPS, step=2.0),
        CARBON,
        around(np.arange(10.0, 31.0, 2.0), 0.01),
    ),
    "steps of the efficiency": (bare((5.0, 15.0, 60.0), STEPS), CARBON, [5, 15, 60, *STEPS.x]),
    "kink of the quenching": (bare((1.0, 3.0, 6.0, 30.0), ALL, KINK), CARBON, [1, 3, 6, 30], KINK.recoil_kev),
    "kink of the quenching, smeared": (
        gaussian(0.01, (1.0, 3.0, 6.0, 30.0), ALL, KINK),
        CARBON,
        around([1, 3, 6, 30], 0.01),
        KINK.recoil_kev,
    ),
    "endpoints from keV to MeV": (bare((0.01, 14.0, 100.0, 1600.0, 9e3)), WATER, [0.01, 14, 100, 1600, 9e3]),
    "three nuclides": (gaussian(0.02, (5.0, 14.9, 47.0, 300.0)), CF3I, around([5, 14.9, 47, 300], 0.02)),
    "bins narrower than anything": (
        bare((10.0, 10.0000001, 10.0000002, 50.0)),
        CARBON,
        [10, 10.0000001, 10.0000002, 50],
    ),
    "an edge far above everything": (bare((1.0, 5e4)), CARBON, [1.0]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_awkward_detectors_against_brute_force(case):
    detector, target, *where = case
    expected = brute(detector, target, *where)
    np.testing.assert_allclose(counts(detector, target), expected, rtol=1e-7)


@settings(max_examples=30)
@given(st.lists(st.integers(1500, 400_000), max_size=8, unique=True), st.floats(-5, 0.3), st.booleans())
def test_bins_add_up_however_narrow_the_smearing(cuts, log_width, stochastic):
    a, b = (10**log_width, 0.0) if stochastic else (0.0, 10**log_width)
    cut, whole = (
        gaussian(b, edges, a=a)
        for edges in ((20.0, *sorted(x / 1e3 + 20 for x in cuts), 450.0), (20.0, 450.0))
    )
    assert counts(cut, CF3I).sum() == pytest.approx(counts(whole, CF3I)[0], rel=1e-7)


@settings(max_examples=30)
@given(st.lists(st.integers(6, 250), min_size=1, max_size=8, unique=True), st.floats(-7, -3))
def test_narrow_smearing_tends_to_none(cuts, log_width):
    edges = (5.0, *sorted(cuts), 300.0)
    sharp, width = counts(bare(edges)), 10**log_width
    for smearing in (GaussianSmearing(0.0, width), GaussianSmearing(width), GammaSmearing(1.0, width**-2)):
        smeared = counts(Detector("E", edges, UNQUENCHED, 1.0, smearing, ALL))
        # what crosses an edge both ways: σ² times the slope of the spectrum, of 1/keV at most
        np.testing.assert_allclose(smeared, sharp, rtol=1e-7, atol=300 * width**2 * sharp.max())


def test_many_bins():
    edges = np.linspace(5, 200, 1001)
    fine = counts(bare(tuple(edges)))
    np.testing.assert_allclose(fine.reshape(8, 125).sum(axis=1), counts(bare(tuple(edges[::125]))), rtol=1e-9)
    smeared = counts(gaussian(1e-3, tuple(edges)))
    np.testing.assert_allclose(smeared, fine, rtol=1e-3)
    assert smeared.sum() == pytest.approx(counts(gaussian(1e-3, (5.0, 200.0)))[0], rel=1e-9)


def test_shared_integrals_are_those_of_each_signal_alone():
    base = experiment_of(gaussian(0.5, efficiency=LogisticEfficiency(0.9, 0.3, 20.0), step=0.5))
    pulls = [
        Parameter(name=f"p{i}", description="", latex="", default=0.0, prior_width=1.0) for i in range(2)
    ]
    detector = base.signal.detector
    other = [replace(base.signal, detector=replace(detector, efficiency=e)) for e in (ALL, STEPS)]
    helm = [replace(base.signal, form_factor=form_factor(name)) for name in ("helm", "klein-nystrand")]
    shapes = (Shape(pulls[0], *other), Shape(pulls[1], *helm))
    together = compile_experiment(base.with_signal(base.signal, shapes))
    found = [t for pair in together.variations for t in pair]
    for templates, signal in zip([together.templates, *found], [base.signal, *other, *helm], strict=True):
        alone = compile_experiment(base.with_signal(signal)).templates
        for channel in STANDARD:
            np.testing.assert_allclose(templates[channel], alone[channel], rtol=1e-9)


@pytest.mark.parametrize("most", [0, 2**22], ids=["kept nothing", "kept all"])
def test_more_channels_need_the_response_where_it_is_known(monkeypatch, most):
    monkeypatch.setattr(integrals, "_MOST_KEPT", most)
    compiled = compile_experiment(
        experiment_of(gaussian(0.3, FIVES, LogisticEfficiency(0.9, 0.3, 20.0), step=1.0))
    )
    asked, responses = [], Detector.responses
    monkeypatch.setattr(Detector, "responses", lambda d, T, e: asked.append(T.size) or responses(d, T, e))
    more = compiled.with_channels(["light-vector", "light-scalar"])
    assert (len(asked) == 1) == (most > 0)  # where it begins
    alone = compile_experiment(compiled.experiment).with_channels(["light-scalar"])
    np.testing.assert_array_equal(more.templates["light-scalar"], alone.templates["light-scalar"])


# --- magnetic moments ---------------------------------------------------------------------------------

LINE = Flux("line", (Component("nu", "mu", Line(30.0)),), "test")
MOMENT = flavour_universal(0.0, 0.0, 0.0, 0.0, 1e-9)


@given(st.floats(-9, 1.5))
def test_a_magnetic_moment_above_a_threshold_is_the_closed_form(log_threshold):
    # ∫ (1/T - 1/E) dT from T0 to T_max = ln(T_max/T0) - (T_max - T0)/E
    kev = 10**log_threshold
    T_max, T0, E = 2 * 30**2 / (mass("Ar40") + 60), 1e-3 * kev, 30.0
    dipole = reference.CM2 * math.pi * reference.ALPHA**2 / reference.ELECTRON**2 * 1e-18 * 18**2
    compiled = compile_experiment(experiment_of(bare((kev, 1e3)), {"Ar40": 1.0}, LINE))
    expected = dipole * (math.log(T_max / T0) - (T_max - T0) / E)
    assert compiled.counts(MOMENT)[0] == pytest.approx(expected, rel=1e-7)


DIVERGENT = {
    "an edge at 0": bare((0.0, 5.0, 50.0)),
    "smearing down to 0": gaussian(2.0),
    "quanta from none on": Detector("PE", (0.0, 5.0, 50.0), UNQUENCHED, 1.0, PoissonSmearing(), ALL),
    "at the reconstructed energy": Detector(
        "E", (0.0, 5.0), UNQUENCHED, 1.0, GaussianSmearing(0.5, at="reconstructed"), ALL
    ),
    "an efficiency from 0 on": bare((0.0, 50.0), TabulatedEfficiency((0.0, 10.0), (0.01, 1.0))),
}
CONVERGENT = {
    "an efficiency that begins at 0": bare((0.0, 50.0), TabulatedEfficiency((0.0, 10.0), (0.0, 1.0))),
    "an efficiency that begins above": bare((0.0, 50.0), TabulatedEfficiency((1e-6, 10.0), (0.5, 1.0))),
    "smearing that does not reach 0": gaussian(0.3),
    "one photon at least": Detector("PE", (1.0, 5.0, 50.0), UNQUENCHED, 1.0, PoissonSmearing(), ALL),
}  # fmt: skip


@pytest.mark.parametrize("detector", DIVERGENT.values(), ids=DIVERGENT.keys())
def test_a_magnetic_moment_is_refused_where_the_response_reaches_down_to_zero(detector):
    compiled = compile_experiment(experiment_of(detector))
    with pytest.raises(NurecoilError, match=r"binh2021-ge counts infinitely many .* moment of 1e-09 μ_B"):
        compiled.counts(MOMENT)
    many = flavour_universal(0.0, 0.5, magnetic_moment=np.array([0.0, 2e-9]))
    with pytest.raises(NurecoilError, match="2e-09 μ_B"):
        compiled.counts(many)
    without = compiled.counts(flavour_universal(0.1, -0.5))
    assert np.isfinite(without).all()
    assert without.sum() > 0
    assert np.isfinite(STANDARD_BASIS.matrix(compiled.templates)).all()
    only_tau = replace(flavour_universal(0.1, -0.5), magnetic_moment=np.array([0.0, 0.0, 1e-9]))
    np.testing.assert_array_equal(compiled.counts(only_tau), without)  # there are none in the source


@pytest.mark.parametrize("detector", CONVERGENT.values(), ids=CONVERGENT.keys())
def test_a_magnetic_moment_is_counted_where_the_response_vanishes(detector):
    total = compile_experiment(experiment_of(detector)).counts(MOMENT)
    assert np.isfinite(total).all()
    assert (total > 0).all()


def test_questions_refuse_moments_that_are_free_or_set_and_no_other():
    experiment = compile_experiment(with_observed(experiment_of(bare((0.0, 300.0)), {"Ar40": 1e5})))
    model = nurecoil.load_model("331-beta")
    point = {"beta": 1.0, "m_zprime": 1e6}
    with pytest.raises(NurecoilError, match="infinitely many recoils"):
        asking.predict(model, experiment, {**point, "mu_nu": 1e-10})
    with pytest.raises(NurecoilError, match="infinitely many recoils"):
        asking.limit(model, [experiment], point, scan=("mu_nu", 0.0, 1e-9))
    with pytest.raises(NurecoilError, match="infinitely many recoils"):
        asking.limit(model, [experiment], {"beta": 1.0, "mu_nu": 1e-10}, scan=("m_zprime", 1e5, 1e7))
    assert asking.predict(model, experiment, point).values.total > 0
    assert asking.limit(model, [experiment], {"beta": 1.0}, scan=("m_zprime", 1e5, 1e7)).converged


def with_observed(experiment):
    """Return it with a count of its own that no divergence can change."""
    return replace(experiment, statistics=replace(experiment.statistics, observed=np.array([100.0])))


# --- the rule -----------------------------------------------------------------------------------------


def test_the_two_rules_are_exact_for_polynomials():
    assert KRONROD[[0, 7]] == pytest.approx([0.022935322010529224, 0.209482141084727828], rel=1e-13)  # QK15
    for degree in range(23):
        integral = pytest.approx(0 if degree % 2 else 2 / (degree + 1), abs=2e-15)
        assert KRONROD @ NODES**degree == integral
        assert degree > 13 or GAUSS @ NODES**degree == integral


def one_bin(f):
    return lambda x: (slice(0, 1), np.ones((1, x.size)), f(x)[:, np.newaxis])


def test_powers_converge_or_are_infinite():
    for power, expected in ((0.5, 2 / 3), (0.0, 1.0), (-1.0, math.inf), (-2.0, math.inf)):
        found = integrate(one_bin(lambda x, p=power: x**p), np.array([0.0, 1.0]), (1, 1))
        assert found[0, 0] == pytest.approx(expected, rel=1e-7)


def test_what_cannot_be_reached_is_an_error():
    noise = np.random.default_rng(1)
    with pytest.raises(NurecoilError, match=r"error of 0\.\d+ of itself"):
        integrate(one_bin(lambda x: 1 + noise.random(x.size)), np.array([0.0, 1.0]), (1, 1))


# --- absurd numbers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [1e-9, 1e-300, 5e-4])
def test_too_many_sub_bins_are_refused(step):
    with pytest.raises(NurecoilError, match=r"step = .* at least 0.00055"):
        gaussian(0.3, edges=(0.0, 55.0), efficiency=STEEP, step=step)


def test_too_many_bins_are_refused():
    with pytest.raises(NurecoilError, match=r"number of bins = 100001 .* at most 100000"):
        bare(tuple(range(100_002)))

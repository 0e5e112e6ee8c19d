"""Predictions and limits: the seed's table and limits, closed forms, sums of experiments, refusals."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import brentq

import reference
from asking import limit, predict
from nurecoil.errors import NurecoilError
from nurecoil.experiment import compile_experiment
from nurecoil.experiment.card import load_experiment
from nurecoil.models import NSI, STANDARD_MODEL, ZPRIME_331, load_model
from nurecoil.study.question import joint_likelihood, standard_model_counts

SQRT3 = math.sqrt(3)
CL90 = 2.705543  # Δχ² of 90 % for one parameter
SEED = {"sin2_theta_w": 0.23867, "s13_tilde": 0.03, "mu_nu": 2.9e-11}
SCAN = ("m_zprime", 1e5, 1e7)  # 0.1 to 10 TeV


def fixed(beta, variant="equations", **more):
    return {**SEED, "beta": beta, "variant": variant, **more}


def scaled_to(compiled, counts, s2=0.23867):
    """Return the experiment with a mass that makes the Standard Model's expectation `counts`."""
    now = compiled.counts(STANDARD_MODEL.couplings(sin2_theta_w=s2)).sum()
    return compile_experiment(
        replace(compiled.experiment, mass_kg=compiled.experiment.mass_kg * counts / now)
    )


def tev(result):
    return result.values.profile.intervals[-1].low / 1e6


def counts_at(beta, m_tev, variant="equations", setup="binh2021-csi"):
    """Independent counts of the seed's set-up; every weak count scales with Q², here that of Cs and I."""
    nucleons = reference.couplings_331(beta, 1e3 * m_tev, 0.23867, 0.03, variant)
    moments = {"e": 2.9e-11, "mu": 2.9e-11}
    return reference.counts(reference.SETUPS[setup], reference.universal(*nucleons), moments)


# --- predictions --------------------------------------------------------------------------------------

MASSES_GEV = (500, 1000, 2000, 4000, 5000)
# What the seed's conventions give once N_SM is scaled to 188 (PHYSICS.md, section 5); its Table III
# prints 181 in place of 174, against its own 1/m² law
TABLE_III = {SQRT3: (222, 196, 190, 189, 188), -SQRT3: (411, 27, 134, 174, 179)}


@pytest.mark.parametrize("beta", TABLE_III, ids=["+sqrt3", "-sqrt3"])
def test_table_iii_within_one_event(csi, beta):
    at_188 = scaled_to(csi, 188)
    totals = [
        predict(ZPRIME_331, at_188, fixed(beta, "numbers", m_zprime=m * 1e3)).values.total for m in MASSES_GEV
    ]
    assert totals == pytest.approx(TABLE_III[beta], abs=1)


def test_a_prediction_has_the_standard_model_at_the_same_mixing_angle(csi):
    prediction = predict(ZPRIME_331, csi, {"beta": 1.0, "m_zprime": 1e18, "sin2_theta_w": 0.2312})
    assert prediction.values.standard_model_total == pytest.approx(prediction.values.total, rel=1e-9)
    expected = csi.counts(STANDARD_MODEL.couplings(sin2_theta_w=0.2312)).sum()
    assert prediction.values.standard_model_total == pytest.approx(expected, rel=1e-14)
    default = predict(STANDARD_MODEL, csi, {})
    assert default.values.total == default.values.standard_model_total
    assert default.values.total != pytest.approx(prediction.values.standard_model_total, rel=1e-4)


def test_a_prediction_carries_bins_values_notes_and_conventions(csi):
    prediction = predict(ZPRIME_331, csi, {"beta": 0.9, "m_zprime": 1e6})
    assert (prediction.values.observable, prediction.values.edges) == (
        "PE",
        csi.experiment.signal.detector.edges,
    )
    assert len(prediction.values.counts) == len(prediction.values.edges) - 1
    assert prediction.values.total == pytest.approx(prediction.values.counts.sum(), rel=1e-14)
    assert prediction.fixed["s13_tilde"] == 0.03
    assert "beta = 0.9 is not ±n/√3" in prediction.notes[0]
    terms = prediction.conventions["experiments"]["binh2021-csi"]
    assert terms["vector cross section"] == "without T/E"
    assert terms["magnetic cross section"] == "with T/4E², F_p = 1"
    assert terms["pull_widths"] == {"binh2021-csi_signal": 0.28, "binh2021-csi_background": 0.25}


def test_a_prediction_refuses_what_the_model_refuses(csi):
    with pytest.raises(NurecoilError, match="m_zprime has no default"):
        predict(ZPRIME_331, csi, {"beta": 0.0})
    with pytest.raises(NurecoilError, match="does not exist at beta"):
        predict(ZPRIME_331, csi, {"beta": SQRT3, "m_zprime": 1e6, "sin2_theta_w": 0.26})


# --- limits of the seed -------------------------------------------------------------------------------


@pytest.mark.parametrize(("beta", "expected"), [(SQRT3, 0.413), (-SQRT3, 1.41)], ids=["+sqrt3", "-sqrt3"])
def test_csi_limits_of_the_seed_with_pulls_frozen_at_3_tev(csi, beta, expected):
    # printed: 400 GeV and 1.4 TeV; from its conventions 413 GeV and 1.41 TeV (PHYSICS.md, section 5)
    result = limit(ZPRIME_331, [scaled_to(csi, 188)], fixed(beta, "numbers"), SCAN, freeze_at=3e6)
    assert tev(result) == pytest.approx(expected, rel=4e-3)


@pytest.mark.parametrize(("beta", "expected"), [(SQRT3, 0.50), (-SQRT3, 1.36)], ids=["+sqrt3", "-sqrt3"])
def test_lar_limits_of_the_seed_with_the_pull_profiled(compiled, beta, expected):
    # printed: 0.5 and 1.3 TeV; s2 = 0.2312 and N_SM = 185 give 0.50 and 1.36 (PHYSICS.md, section 5)
    lar = scaled_to(compiled["binh2021-lar"], 185, 0.2312)
    result = limit(ZPRIME_331, [lar], fixed(beta, "numbers", sin2_theta_w=0.2312), SCAN)
    assert tev(result) == pytest.approx(expected, abs=6e-3)


@pytest.mark.parametrize("variant", ["equations", "numbers"])
def test_profiled_limit_is_the_root_of_the_closed_form(csi, variant):
    # (134 - N - 6)²/(950 + (0.28 N)² + 1.5²), relative to its minimum in the range
    def chi2(m_tev):
        N = counts_at(-SQRT3, m_tev, variant)
        return (128 - N) ** 2 / (952.25 + (0.28 * N) ** 2)

    result = limit(ZPRIME_331, [csi], fixed(-SQRT3, variant), SCAN)
    best = chi2(result.values.profile.best_fit / 1e6)
    root = brentq(lambda m: chi2(m) - best - CL90, 1.1, 9.0, xtol=1e-7)
    assert tev(result) == pytest.approx(root, rel=1e-4)


def test_frozen_limit_is_the_root_of_chi2_at_the_pulls_of_3_tev(csi):
    N0 = counts_at(-SQRT3, 3.0)
    shared = (128 - N0) / (952.25 + (0.28 * N0) ** 2)
    a1, a2 = 0.28**2 * N0 * shared, 0.25**2 * 6 * shared

    def chi2(m_tev):
        return (134 - counts_at(-SQRT3, m_tev) * (1 + a1) - 6 * (1 + a2)) ** 2 / 950

    result = limit(ZPRIME_331, [csi], fixed(-SQRT3), SCAN, freeze_at=3e6)
    root = brentq(lambda m: chi2(m) - chi2(3.0) - CL90, 0.5, 3.0, xtol=1e-7)
    assert tev(result) == pytest.approx(root, rel=1e-4)
    assert "frozen at their best fit for m_zprime = 3 TeV" in result.conventions["nuisances"]


def test_pulls_frozen_where_the_parameter_decouples(csi):
    decoupled, heavy = (
        limit(ZPRIME_331, [csi], fixed(-SQRT3), SCAN, freeze_at=at) for at in (math.inf, "1e6 TeV")
    )
    assert tev(decoupled) == pytest.approx(tev(heavy), rel=1e-6)
    assert "frozen at their best fit for m_zprime = inf TeV" in decoupled.conventions["nuisances"]
    assert decoupled.provenance["settings"]["freeze_at"] == "inf"


@pytest.mark.parametrize("at", ["inf", math.inf])
def test_pulls_are_not_frozen_at_infinity_of_a_parameter_that_does_not_decouple(csi, at):
    with pytest.raises(NurecoilError, match=r"^eps_u_ee = inf is not (a finite number|allowed)"):
        limit(NSI, [csi], {}, ("eps_u_ee", -0.5, 0.8), freeze_at=at)


def test_frozen_delta_chi2_is_zero_at_the_reference_and_steeper_than_profiled(csi):
    frozen, profiled = (
        limit(ZPRIME_331, [csi], fixed(SQRT3), SCAN, freeze_at=at).values.profile for at in (3e6, None)
    )
    at_reference = np.interp(math.log(3e6), np.log(frozen.values), frozen.delta_chi2)
    assert at_reference == pytest.approx(0.0, abs=1e-4)
    assert frozen.delta_chi2[0] > 2 * profiled.delta_chi2[0] > 0


def test_destructive_interference_leaves_two_allowed_intervals(csi):
    # in the numbers at β = -√3 the weak charge vanishes near 0.8 TeV: below it the count rises again
    profile = limit(ZPRIME_331, [csi], fixed(-SQRT3, "numbers"), SCAN).values.profile
    assert len(profile.intervals) == 2
    low, high = profile.intervals
    assert 0.4e6 < low.low < low.high < 0.75e6
    assert high.open_high


def test_a_wider_confidence_level_gives_a_weaker_limit(csi):
    limits = [tev(limit(ZPRIME_331, [csi], fixed(-SQRT3), SCAN, cl=cl)) for cl in (0.95, 0.9, 0.68)]
    assert limits == sorted(limits)
    assert limits[0] < limits[2]


# --- several experiments ------------------------------------------------------------------------------


@pytest.mark.parametrize("freeze_at", [None, 3e6])
def test_two_experiments_together_are_the_sum_of_their_chi2(compiled, freeze_at):
    pair = [compiled["binh2021-csi"], compiled["binh2021-lar"]]

    def chi2(experiments):
        profile = limit(ZPRIME_331, experiments, fixed(-SQRT3), SCAN, freeze_at=freeze_at).values.profile
        offset = profile.minimum if freeze_at is None else 0.0
        return profile.delta_chi2 + offset

    together = chi2(pair)
    np.testing.assert_allclose(together, chi2(pair[:1]) + chi2(pair[1:]), rtol=1e-9, atol=1e-9)


def twin(compiled):
    """Return another detector that saw the same counts."""
    return replace(compiled, experiment=replace(compiled.experiment, name="twin", mass_kg=14.5))


def test_an_experiment_counted_twice_has_twice_the_chi2_of_its_counts_and_one_set_of_pulls(csi):
    # 2 r²/950 and one prior: (128 - N)²/(950/2 + (0.28 N)² + 1.5²), by hand
    twice = limit(ZPRIME_331, [csi, twin(csi)], fixed(SQRT3), SCAN).values.profile
    N = csi.counts(ZPRIME_331.couplings(**fixed(SQRT3), m_zprime=twice.values)).sum(axis=-1)
    by_hand = (128 - N) ** 2 / (475 + (0.28 * N) ** 2 + 1.5**2)
    np.testing.assert_allclose(twice.minimum + twice.delta_chi2, by_hand, rtol=1e-9)


def test_an_experiment_counted_twice_without_systematics_has_twice_the_chi2(csi):
    exact = {"binh2021-csi_signal": 0.0, "binh2021-csi_background": 0.0}
    once, twice = (
        limit(ZPRIME_331, experiments, fixed(SQRT3), SCAN, widths=exact).values.profile
        for experiments in ([csi], [csi, twin(csi)])
    )
    np.testing.assert_allclose(twice.delta_chi2, 2 * once.delta_chi2, rtol=1e-9, atol=1e-9)


def test_each_experiment_has_its_own_likelihood(compiled):
    csi, ge = compiled["binh2021-csi"], compiled["binh2021-ge"]
    joint = joint_likelihood([csi, ge], {"sin2_theta_w": 0.23867})
    first, second = joint.terms
    (background,) = first.arrays.backgrounds
    numbers = [first.observed[0], background.counts[0], first.sigma[0] ** 2]
    assert numbers == pytest.approx([134, 6, 950])
    assert joint.width == pytest.approx([0.28, 0.25, 0.2])
    N = reference.counts(
        reference.SETUPS["binh2021-ge"], reference.universal(*reference.couplings_sm(0.23867))
    )
    assert second.observed == pytest.approx(N, rel=1e-5)
    assert second.sigma**2 == pytest.approx(1.2 * N, rel=1e-5)


def test_a_projection_fits_the_standard_model_exactly(compiled):
    ge = compiled["binh2021-ge"]
    profile = limit(ZPRIME_331, [ge], fixed(0.0, mu_nu=0.0), ("m_zprime", 1e5, 1e12)).values.profile
    assert profile.minimum == pytest.approx(0.0, abs=1e-12)
    assert profile.best_fit > 1e9


# --- widths -------------------------------------------------------------------------------------------


def test_widths_change_the_limit_as_the_closed_form_says(compiled):
    nai = compiled["binh2021-nai-2000"]
    N_SM = standard_model_counts(nai, fixed(-SQRT3)).sum()
    for width in (0.2, 0.3):
        result = limit(ZPRIME_331, [nai], fixed(-SQRT3), SCAN, widths={"binh2021-nai-2000_signal": width})
        m = result.values.profile.lower_limit
        N = predict(ZPRIME_331, nai, fixed(-SQRT3, m_zprime=m)).values.total
        edge = (N - N_SM) ** 2 / (1.2 * N_SM + (width * N) ** 2)
        assert edge - result.values.profile.minimum == pytest.approx(CL90, rel=1e-5)
        terms = result.conventions["experiments"]["binh2021-nai-2000"]
        assert terms["pull_widths"] == {"binh2021-nai-2000_signal": width}


@pytest.mark.parametrize(
    ("widths", "sentence"),
    [
        ({"binh2021-csi_sgnal": 0.1}, "unknown nuisance parameter 'binh2021-csi_sgnal': did you mean"),
        ({"binh2021-lar_signal": 0.1}, "unknown nuisance parameter 'binh2021-lar_signal'"),
        ({"binh2021-csi_signal": -0.1}, "prior width binh2021-csi_signal = -0.1 is not allowed"),
        ({"binh2021-csi_signal": math.nan}, "prior width binh2021-csi_signal = nan is not allowed"),
    ],
)
def test_bad_widths_are_refused(csi, widths, sentence):
    with pytest.raises(NurecoilError, match=sentence):
        limit(ZPRIME_331, [csi], fixed(SQRT3), SCAN, widths=widths)


# --- other parameters, notes, refusals ----------------------------------------------------------------


def test_the_magnetic_moment_has_an_upper_limit(csi):
    moment = limit(ZPRIME_331, [csi], {"beta": 0.0, "m_zprime": 1e18}, ("mu_nu", 0.0, 1e-8)).values.profile
    assert moment.lower_limit is None
    by_hand = csi.counts(STANDARD_MODEL.couplings()).sum()
    unit = csi.counts(ZPRIME_331.couplings(beta=0.0, m_zprime=1e18, mu_nu=1e-10)).sum() - by_hand
    N = by_hand + unit * (moment.upper_limit / 1e-10) ** 2
    edge = (128 - N) ** 2 / (952.25 + (0.28 * N) ** 2)
    assert edge - moment.minimum == pytest.approx(CL90, rel=1e-5)


def test_a_best_fit_at_the_edge_is_noted(csi):
    at_edge = limit(NSI, [csi], {}, ("eps_u_ee", 0.3, 0.5))
    assert any("lies at the edge of the scanned range" in note for note in at_edge.notes)
    inside = limit(ZPRIME_331, [csi], fixed(-SQRT3, "numbers"), SCAN)
    assert not any("edge" in note for note in inside.notes)


@pytest.mark.parametrize("end", [3e6, 1e7, 1e8, 1e10])
def test_a_limit_does_not_hang_on_where_the_scan_ends(csi, end):
    """Heavy Z's fit best: χ² counts from infinity, where m decouples, whatever is scanned."""
    found = limit(ZPRIME_331, [csi], fixed(SQRT3), ("m_zprime", 1e5, end))
    N = float(csi.counts(ZPRIME_331.couplings(**fixed(SQRT3), m_zprime=math.inf)).sum())
    infinity = (128 - N) ** 2 / (952.25 + (0.28 * N) ** 2)
    assert found.values.profile.minimum == pytest.approx(infinity, rel=1e-9)
    assert math.isinf(found.values.profile.best_fit)
    reference = limit(ZPRIME_331, [csi], fixed(SQRT3), ("m_zprime", 1e5, 1e9)).values.profile
    assert found.values.profile.lower_limit == pytest.approx(reference.lower_limit, rel=1e-9)
    assert any("χ² is lowest where m_zprime decouples" in note for note in found.notes)
    assert found.fixed["beta"] == SQRT3
    assert "m_zprime" not in found.fixed


@pytest.mark.parametrize(
    ("values", "scan", "sentence"),
    [
        ({}, ("m_zprime", 1e7, 1e5), "range of m_zprime, 10 TeV to 0.1 TeV, is reversed or empty"),
        ({}, ("m_zprime", 1e6, 1e6), "is reversed or empty"),
        ({}, ("m_zprime", math.nan, 1e6), "m_zprime = nan TeV is not allowed"),
        ({}, ("m_zprime", 1e6, math.nan), "m_zprime = nan TeV is not allowed"),
        ({}, ("m_zprime", -1e6, 1e6), "m_zprime = -1 TeV is not allowed"),
        ({}, ("m_zprime", 1e5, math.inf), "m_zprime = inf TeV is not allowed"),
        ({}, ("m_zprim", 1e5, 1e7), "unknown parameter 'm_zprim': did you mean 'm_zprime'"),
        ({}, ("beta", -1.0, 1.0), "beta is both set and scanned"),
        (
            {},
            ("variant", 0.0, 1.0),
            "variant cannot be scanned: it is a choice, equations or numbers",
        ),
        ({"sin2_theta_w": 0.26}, SCAN, "the 331β model does not exist"),
        ({"beta": 2.0}, SCAN, "beta = 2 is not allowed"),
    ],
)
def test_bad_questions_are_refused_in_a_sentence(csi, values, scan, sentence):
    with pytest.raises(NurecoilError, match=sentence):
        limit(ZPRIME_331, [csi], {**fixed(SQRT3), **values}, scan)


def test_a_missing_parameter_is_named(csi):
    with pytest.raises(NurecoilError, match="beta has no default and must be given"):
        limit(ZPRIME_331, [csi], {}, SCAN)


def test_a_limit_needs_an_experiment():
    with pytest.raises(NurecoilError, match="at least one experiment"):
        limit(ZPRIME_331, [], fixed(SQRT3), SCAN)


@pytest.mark.parametrize("freeze_at", [-3e6, math.nan])
def test_pulls_cannot_be_frozen_where_the_parameter_is_not_allowed(csi, freeze_at):
    with pytest.raises(NurecoilError, match=r"m_zprime = .* is not allowed"):
        limit(ZPRIME_331, [csi], fixed(SQRT3), SCAN, freeze_at=freeze_at)


@pytest.mark.parametrize("cl", [0.0, 1.0, 20.0, math.nan])
def test_a_confidence_level_lies_between_0_and_1(csi, cl):
    with pytest.raises(NurecoilError, match=r"confidence level .* is not allowed"):
        limit(ZPRIME_331, [csi], fixed(SQRT3), SCAN, cl=cl)


@pytest.mark.parametrize("cl", ["90%", "90", 90, 0.9])
def test_a_confidence_level_as_people_write_it(csi, cl):
    assert list(limit(STANDARD_MODEL, [csi], {}, ("sin2_theta_w", 0.1, 0.4), cl=cl).values.profiles) == [0.9]


def test_a_pull_named_like_a_parameter_of_the_model_is_refused():
    csi = compile_experiment(load_experiment("binh2021-csi"))
    statistics = csi.experiment.statistics
    pull = replace(statistics.signal.rates[0], name="sin2_theta_w")
    signal = replace(statistics.signal, rates=(pull,))
    experiment = replace(csi.experiment, statistics=replace(statistics, signal=signal))
    with pytest.raises(NurecoilError, match="has the name of a parameter of standard-model"):
        limit(
            load_model("standard-model"),
            [replace(csi, experiment=experiment)],
            {},
            ("sin2_theta_w", 0.2, 0.25),
        )


def test_a_free_pull_with_a_prior_is_refused():
    csi = compile_experiment(load_experiment("binh2021-csi"))
    scan = ("binh2021-csi_signal", -0.5, 0.5)
    with pytest.raises(NurecoilError, match="is both scanned and given a prior"):
        limit(load_model("standard-model"), [csi], {}, scan, widths={"binh2021-csi_signal": 0.1})

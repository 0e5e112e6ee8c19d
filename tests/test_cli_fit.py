"""`nurecoil fit`, as a user calls it."""

from functools import partial

import pytest

import command_line
from command_line import read_json
from releases import data_folder, release_file

run, fitted = (partial(function, "fit") for function in (command_line.run, command_line.result))
SIGNAL = ("--model", "scaled-standard-model", "--set", "electroweak=radiative", "--free", "signal_strength=1")
CSI = ("--experiment", "coherent-csi-2021")
SEED = ("--model", "scaled-standard-model", "--experiment", "binh2021-csi", "--free", "signal_strength=1")


@pytest.fixture
def data(monkeypatch):
    release_file("coherent-csi-2021", "dataBeamOnC.txt")
    release_file("coherent-lar-2020", "datanobkgsub.txt")
    monkeypatch.setenv("NURECOIL_DATA", str(data_folder()))


@pytest.mark.usefixtures("data")
def test_the_signal_of_csi_2021():
    found = fitted(*SIGNAL, *CSI, "--fix", "sns_flux")
    counts = found["counts"]["coherent-csi-2021"]
    assert found["best_fit"]["signal_strength"]["value"] == pytest.approx(0.9165, abs=0.001)
    assert found["best_fit"]["signal_strength"]["error"] == pytest.approx(0.113, abs=0.002)
    assert counts["components"]["signal"] == pytest.approx(306, abs=4)
    assert counts["expected"] == pytest.approx(sum(counts["components"].values()))
    assert counts["observed"] == 1578
    assert (found["bins"], found["converged"], found["starts"]) == (99, True, 5)
    assert found["chi2"] == pytest.approx(81.5, abs=0.1)
    assert found["pulls"]["sns_flux"] == {"value": 0, "unit": "", "prior_width": 0, "pull": None}
    assert found["conventions"]["experiments"]["coherent-csi-2021"]["pull_widths"]["sns_flux"] == 0


@pytest.mark.usefixtures("data")
def test_pulls_are_in_units_of_their_priors():
    radius = fitted(*SIGNAL, *CSI, "--fix", "sns_flux")["pulls"]["neutron_radius_csi"]
    assert radius["pull"] == pytest.approx((radius["value"] - 4.975) / radius["prior_width"])
    assert radius["unit"] == "fm"


@pytest.mark.usefixtures("data")
def test_a_nuisance_parameter_may_be_free_of_its_prior():
    found = fitted("--model", "standard-model", *CSI, "--free", "neutron_radius_csi=5fm")
    best = found["best_fit"]["neutron_radius_csi"]
    assert (best["value"], best["unit"]) == (pytest.approx(5.38, abs=0.02), "fm")
    assert best["error"] == pytest.approx(0.417, abs=0.01)
    assert (best["below"], best["above"]) == pytest.approx((0.417, 0.417), abs=0.03)
    assert found["pulls"]["neutron_radius_csi"]["value"] == pytest.approx(best["value"])
    assert found["pulls"]["neutron_radius_csi"]["pull"] is None


@pytest.mark.usefixtures("data")
def test_experiments_share_their_parameters():
    argon = ("--experiment", "coherent-lar-2020")
    free = ("--model", "standard-model", "--free", "sin2_theta_w=0.24", "--no-minos", "--starts", "1")
    apart = [fitted(*free, *one)["best_fit"]["sin2_theta_w"] for one in (CSI, argon)]
    together = fitted(*free, *CSI, *argon)
    best = together["best_fit"]["sin2_theta_w"]
    assert apart[0]["value"] < best["value"] < apart[1]["value"]
    assert best["error"] < min(one["error"] for one in apart)
    assert (together["bins"], len(together["counts"])) == (99 + 960, 2)


@pytest.mark.usefixtures("data")
def test_a_fit_for_people():
    status, out, _ = run(*SIGNAL, *CSI, "--fix", "sns_flux")
    assert status == 0
    for text in (
        "signal_strength  0.9165 -0.11 +0.12",
        "81.59 for 99 bins",
        "307.81",
        "steady-state",
        "1578.00",
    ):
        assert text in out


def test_a_counting_experiment_is_fitted_in_closed_form():
    found = fitted(*SEED, "--fix", "binh2021-csi_signal", "--fix", "binh2021-csi_background")
    counts = found["counts"]["binh2021-csi"]
    assert counts["expected"] == pytest.approx(counts["observed"], rel=1e-5)
    assert found["chi2"] == pytest.approx(0, abs=1e-6)


def test_a_prior_may_be_replaced():
    widths = [
        fitted(*SEED, "--prior", f"binh2021-csi_signal={w}")["best_fit"]["signal_strength"]["error"]
        for w in (0.1, 0.5)
    ]
    assert widths[0] < widths[1]


def test_more_starts_find_the_lower_minimum():
    """Where β = -√3 the Z' interferes destructively: small masses are a minimum of their own."""
    point = ("--model", "331-beta", "--experiment", "binh2021-csi", "--set", "beta=-sqrt(3)")
    one, many = (
        read_json(run(*point, "--free", "m_zprime=0.3TeV", "--starts", starts, "--json")[1])
        for starts in ("1", "12")
    )
    assert many["starts"] == 12
    assert many["chi2"] <= one["chi2"] + 1e-6


def test_errors_may_differ_below_and_above():
    best = fitted(*SEED)["best_fit"]["signal_strength"]
    # [s (1 - μ/μ₀) μ₀]² = 952.25 + (0.28 s μ)²: μ = μ₀ ∓ below, above
    total = (best["value"] - best["below"], best["value"] + best["above"])
    for mu in total:
        s = 128 / best["value"]
        assert (128 - s * mu) ** 2 == pytest.approx(952.25 + (0.28 * s * mu) ** 2, rel=3e-3)
    assert best["above"] > 1.5 * best["below"]
    assert set(fitted(*SEED, "--no-minos")["best_fit"]["signal_strength"]) == {"value", "error", "unit"}
    assert "0.68509 ± 0.25" in run(*SEED, "--no-minos")[1]


def test_a_plateau_is_no_best_fit():
    """Heavy Z's decouple: where the Standard Model fits best, χ² falls towards it for ever."""
    point = (
        "--model",
        "331-beta",
        "--experiment",
        "binh2021-csi",
        "--set",
        "beta=0",
        "--free",
        "m_zprime=10TeV",
    )
    status, out, _ = run(*point, "--json")
    found = read_json(out)
    assert (status, found["converged"]) == (3, False)
    assert found["best_fit"]["m_zprime"]["error"] is None
    assert found["best_fit"]["m_zprime"]["above"] is None
    assert "χ² is flat around m_zprime" in found["notes"][0]
    assert "there is no best fit" in run(*point)[1]


def test_a_minimum_beside_the_plateau_has_no_error_above():
    point = ("--model", "331-beta", "--experiment", "binh2021-csi", "--set", "beta=-sqrt(3)", "--set",
             "variant=numbers", "--free", "m_zprime=10TeV", "--starts", "1")  # fmt: skip
    status, out, _ = run(*point)
    assert status == 0
    assert "1.8881 TeV ± 0.84 TeV (-0.49 TeV, no error above)" in out


def test_the_same_command_gives_the_same_numbers():
    assert fitted(*SEED) == fitted(*SEED)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--free", "nonsense=1"), "unknown parameter 'nonsense'"),
        (("--free", "signal_strength"), "--free 'signal_strength' is not of the form NAME=START"),
        (("--free", "signal_strength=-1"), "signal_strength = -1 is not allowed: it must be 0 or more"),
        (("--free", "electroweak=tree"), "electroweak cannot be fitted: it is a choice, tree or radiative"),
        (("--free", "sin2_theta_w=0.2", "--free", "sin2_theta_w=0.3"), "--free gives sin2_theta_w twice"),
        (("--free", "sin2_theta_w=0.2", "--set", "sin2_theta_w=0.2"), "sin2_theta_w is both set and free"),
        (("--free", "sin2_theta_w=0.2", "--fix", "nothing"), "unknown nuisance parameter 'nothing'"),
        (("--free", "sin2_theta_w=0.2", "--fix", "binh2021-csi_signal=1"), "held at its central value"),
        (
            ("--free", "binh2021-csi_signal=0", "--fix", "binh2021-csi_signal"),
            "binh2021-csi_signal is free, and so has no prior",
        ),
        (
            (
                "--free",
                "sin2_theta_w=0.2",
                "--fix",
                "binh2021-csi_signal",
                "--prior",
                "binh2021-csi_signal=1",
            ),
            "binh2021-csi_signal is fixed twice, or fixed and given a prior: do one of them",
        ),
        (("--free", "sin2_theta_w=0.2", "--starts", "0"), "starts = 0 is not allowed"),
    ],
)
def test_bad_input_ends_in_one_sentence(arguments, text):
    status, out, err = run("--model", "scaled-standard-model", "--experiment", "binh2021-csi", *arguments)
    assert (status, out) == (2, "")
    assert text in err
    assert len(err.splitlines()) == 1


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize(
    "asked", [("list", "pulls"), ("impact", *SIGNAL, "--starts", "1")], ids=["pulls", "impact"]
)
def test_pulls_of_real_data_are_a_table_at_80_columns(monkeypatch, asked):
    monkeypatch.setenv("COLUMNS", "80")
    status, out, _ = command_line.run(*asked, *CSI)
    assert status == 0
    assert sum(line.startswith(" coherent-csi-2021_") for line in out.splitlines()) == 7
    assert max(map(len, out.splitlines())) <= 80

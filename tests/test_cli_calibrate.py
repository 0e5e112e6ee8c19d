"""`nurecoil feldman-cousins`, as a user calls it."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial

import pytest

import command_line
from command_line import read_json, result
from nurecoil.scans import executors
from nurecoil.verbs import VERBS

run = partial(command_line.run, "feldman-cousins")
FEW = ("--toys", "200", "--points", "7", "--rounds", "1")
FEWEST = ("--toys", "100", "--points", "5", "--rounds", "0")
NSI = ("--model", "nsi", "--experiment", "binh2021-csi", "--scan", "eps_u_ee=-0.4..0.8")
PROFILED = ("--profile", "eps_u_mumu=-0.2..0.2")
HELD = ("--fix", "binh2021-csi_signal", "--fix", "binh2021-csi_background")
SEED = ("--model", "scaled-standard-model", "--experiment", "binh2021-csi", "--scan", "signal_strength=0..4")


def test_json_has_both_kinds_of_interval():
    status, out, err = run(*SEED, *FEW, "--coverage", "1", "--json")
    assert (status, err) == (0, "")
    found = read_json(out)
    (toys,), (wilks,) = found["by_toys"]["allowed"], found["by_wilks"]["allowed"]
    assert toys == pytest.approx(wilks, abs=0.2)
    assert found["by_wilks"]["level"] == pytest.approx(2.7055, abs=1e-4)
    assert found["by_toys"]["open"] == [[False, False]]
    assert len(found["critical"]["values"]) == len(found["critical"]["error"]) >= 7
    assert min(found["critical"]["toys"]) == 200
    assert found["coverage"]["values"] == [1.0]
    assert found["coverage"]["by_toys"][0] == pytest.approx(0.9, abs=0.08)
    assert (found["cl"], found["starts"], found["converged"]) == (0.9, 1, True)


def test_a_limit_at_the_border_has_no_error():
    scan = ("--model", "331-beta", "--set", "beta=0", "--experiment", "binh2021-csi")
    status, out, _ = run(*scan, "--scan", "m_zprime=0.5TeV..2TeV", *FEWEST, "--json")
    found = read_json(out)
    assert (status, found["unit"]) == (0, "TeV")
    assert found["by_toys"]["open"][-1][1] is True
    assert found["by_toys"]["errors"][-1][1] is None
    assert 0.5 < found["by_toys"]["allowed"][-1][0] < 2


def test_text_and_plot(tmp_path):
    plot = tmp_path / "fc.png"
    status, out, _ = run(*SEED, *FEW, "--coverage", "1", "--plot", str(plot))
    assert status == 0
    for text in ("by toys", "by Wilks' theorem", "2.71 by Wilks' theorem", "Coverage [%]", f"Plot: {plot}"):
        assert text in out
    assert plot.read_bytes()[:4] == b"\x89PNG"


def test_more_parameters_may_be_profiled():
    status, out, _ = run(*NSI, *PROFILED, *HELD, *FEWEST, "--json")
    found, limit = read_json(out), result("limit", *NSI, *PROFILED, *HELD, "--points", "401")
    assert status == 0
    assert found["by_wilks"]["allowed"][0] == pytest.approx(limit["allowed"][0], abs=1e-6)
    assert found["by_wilks"]["open"] == limit["open"]
    assert found["parameters"].keys() == limit["parameters"].keys()
    assert "eps_u_mumu" not in found["parameters"]
    over = {"eps_u_mumu": [-0.2, 0.2]}
    assert found["conventions"]["profiled over"] == limit["conventions"]["profiled over"] == over


def test_what_is_profiled_is_said():
    _, out, _ = run(*NSI, *PROFILED, *HELD, *FEWEST)
    assert re.search(r"profiled over\s+eps_u_mumu\s+\[-0.2, 0.2\]", out)


def test_workers_give_the_same_numbers():
    asked = (*SEED, *FEW, "--engine", "numpy", "--json")  # auto takes one for all workers, by the work
    alone = read_json(run(*asked)[1])
    together = read_json(run(*asked, "--workers", "2")[1])
    assert alone == together


def test_the_ranks_of_mpi_are_workers(monkeypatch):
    pools = [ThreadPoolExecutor(2), None]
    monkeypatch.setattr(executors, "mpi_ranks", lambda: nullcontext(pools.pop(0)))
    asked = (*SEED, *FEW, "--engine", "numpy", "--json")
    of_rank_0, of_another = (run(*asked, "--mpi") for _ in range(2))
    assert of_rank_0[1] == run(*asked)[1]
    assert of_another == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--toys", "10"), "toys = 10 is not allowed: a confidence level of 90 % needs 100 or more"),
        (("--cl", "99.99%", "--toys", "2000"), "needs 100000 or more"),
        (("--cl", "2"), "confidence level 2 is not allowed"),
        (("--toys", "100000000"), "it must be between 0 and 10000000"),
        (("--coverage", "-1"), "signal_strength = -1 is not allowed"),
        (("--engine", "quick"), "unknown engine 'quick'"),
        (("--workers", "0"), "workers = 0 is not allowed"),
        (("--workers", "2", "--dask", "tcp://nowhere:1"), "exclude one another"),
        (("--workers", "2", "--mpi"), "exclude one another"),
        (("--seed", "-1"), "seed = -1 is not allowed"),
        (("--points", "3"), "points = 3 is not allowed"),
        (("--scan", "signal_strength=4..0"), "--scan is given 2 times"),
        (
            ("--profile", "signal_strength=0..1"),
            "signal_strength is both scanned and profiled: do one of them",
        ),
        (("--profile", "sin2_theta_w=0.3..0.2"), "sin2_theta_w, 0.3 to 0.2, is reversed or empty"),
        (("--profile", "sin2_theta_w"), "--profile 'sin2_theta_w' is not of the form NAME=LOW..HIGH"),
    ],
)
def test_bad_input_ends_in_one_sentence(tmp_path, arguments, sentence):
    plot = tmp_path / "fc.png"
    status, out, err = run(*SEED, *arguments, "--plot", str(plot))
    assert (status, out) == (2, "")
    assert sentence in err
    assert err.count("Error") == 1
    assert list(tmp_path.iterdir()) == []


def test_the_help_shows_examples():
    status, out, _ = run("--help")
    assert status == 0
    assert "eps_u_ee" in out
    assert VERBS["feldman_cousins"].startswith("Find limits by toys")

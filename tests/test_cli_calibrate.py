"""`nurecoil feldman-cousins`, as a user calls it."""

import json

import pytest

from nurecoil import cli
from nurecoil.cli import feldman_cousins as command

FEW = ("--toys", "200", "--points", "7", "--rounds", "1")
FEWEST = ("--toys", "100", "--points", "5", "--rounds", "0")
SEED = ("--model", "scaled-standard-model", "--experiment", "binh2021-csi", "--scan", "signal_strength=0..4")


@pytest.fixture
def run(capsys):
    """Run the command line in this process: status, stdout, stderr."""

    def run(*arguments):
        with pytest.raises(SystemExit) as ending:
            cli.main(["feldman-cousins", *arguments])
        out, err = capsys.readouterr()
        return ending.value.code or 0, out, err

    return run


def test_json_has_both_kinds_of_interval(run):
    status, out, err = run(*SEED, *FEW, "--coverage", "1", "--json")
    assert status == 0
    assert "[1/" in err  # progress
    found = json.loads(out, parse_constant=pytest.fail)
    (toys,), (wilks,) = found["toys"]["allowed"], found["wilks"]["allowed"]
    assert toys == pytest.approx(wilks, abs=0.2)
    assert found["wilks"]["level"] == pytest.approx(2.7055, abs=1e-4)
    assert found["toys"]["open"] == [[False, False]]
    assert len(found["critical"]["values"]) == len(found["critical"]["error"]) >= 7
    assert min(found["critical"]["toys"]) == 200
    assert found["coverage"]["values"] == [1.0]
    assert found["coverage"]["toys"][0] == pytest.approx(0.9, abs=0.08)
    assert (found["cl"], found["starts"], found["converged"]) == (0.9, 1, True)


def test_a_limit_at_the_border_has_no_error(run):
    scan = ("--model", "331-beta", "--set", "beta=0", "--experiment", "binh2021-csi")
    status, out, _ = run(*scan, "--scan", "m_zprime=0.5TeV..2TeV", *FEWEST, "--json")
    found = json.loads(out)
    assert (status, found["unit"]) == (0, "TeV")
    assert found["toys"]["open"][-1][1] is True
    assert found["toys"]["errors"][-1][1] is None
    assert 0.5 < found["toys"]["allowed"][-1][0] < 2


def test_text_and_plot(run, tmp_path):
    plot = tmp_path / "fc.png"
    status, out, _ = run(*SEED, *FEW, "--coverage", "1", "--plot", str(plot))
    assert status == 0
    for text in ("by toys", "by Wilks' theorem", "2.71 by Wilks' theorem", "Coverage [%]", f"Plot: {plot}"):
        assert text in out
    assert plot.read_bytes()[:4] == b"\x89PNG"


def test_workers_give_the_same_numbers(run):
    alone = json.loads(run(*SEED, *FEW, "--json")[1])
    together = json.loads(run(*SEED, *FEW, "--workers", "2", "--json")[1])
    assert alone == together


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--toys", "10"), "toys = 10 is not allowed: a confidence level of 90 % needs 100 or more"),
        (("--cl", "99.99%", "--toys", "2000"), "needs 100000 or more"),
        (("--cl", "2"), "confidence level 2.0 is not allowed"),
        (("--toys", "100000000"), "it must be between 0 and 10000000"),
        (("--coverage", "-1"), "signal_strength = -1 is not allowed"),
        (("--engine", "quick"), "unknown engine 'quick'"),
        (("--workers", "0"), "workers = 0 is not allowed"),
        (("--workers", "2", "--dask", "tcp://nowhere:1"), "exclude one another"),
        (("--seed", "-1"), "seed = -1 is not allowed"),
        (("--points", "3"), "points = 3 is not allowed"),
        (("--scan", "signal_strength=4..0"), "--scan is given 2 times"),
    ],
)
def test_bad_input_ends_in_one_sentence(run, tmp_path, arguments, sentence):
    plot = tmp_path / "fc.png"
    status, out, err = run(*SEED, *arguments, "--plot", str(plot))
    assert (status, out) == (2, "")
    assert sentence in err
    assert err.count("Error") == 1
    assert list(tmp_path.iterdir()) == []


def test_the_help_shows_examples(run):
    status, out, _ = run("--help")
    assert status == 0
    assert "eps_u_ee" in out
    assert command.SUMMARY.startswith("Find limits by toys")

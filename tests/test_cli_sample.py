"""`nurecoil sample`, as a user calls it."""

import errno
import json
import re
from functools import partial

import numpy as np
import pytest

import command_line

run = partial(command_line.run, "sample")
HELD = ("--fix", "binh2021-csi_signal", "--fix", "binh2021-csi_background")
CSI = ("--model", "scaled-standard-model", "--experiment", "binh2021-csi")
FREE = ("--free", "signal_strength=0..2")
# n = 134, B = 6, σ² = 950 and 186.97 events in the Standard Model at tree level
MEAN, DEVIATION = 128 / 186.97, 950**0.5 / 186.97


def test_the_posterior_as_json():
    status, out, err = run(*CSI, *FREE, *HELD, "--json")
    assert (status, err) == (0, "")
    found = json.loads(out)
    signal = found["free"]["signal_strength"]
    assert signal["mean"] == pytest.approx(MEAN, abs=0.01)
    assert signal["deviation"] == pytest.approx(DEVIATION, rel=0.05)
    assert signal["intervals"]["0.68"] == pytest.approx([MEAN - DEVIATION, MEAN + DEVIATION], abs=0.015)
    ((low, high),) = signal["highest_density"]["0.95"]
    assert (low, high) == pytest.approx((MEAN - 1.96 * DEVIATION, MEAN + 1.96 * DEVIATION), abs=0.03)
    assert signal["r_hat"] < 1.01
    assert found["pulls"] == {}
    assert (found["converged"], found["kind"], found["log_evidence"]) == (True, "posterior", None)
    assert found["conventions"]["priors"] == {"signal_strength": "flat, 0 to 2"}
    assert (found["sampler"], found["seed"]) == ("emcee", 1)


def test_the_posterior_for_people():
    status, out, _ = run(*CSI, *FREE, *HELD, "--seed", "5", "--max-steps", "500")
    assert status == 0
    assert re.search(r"^  converged +yes *$", out, re.MULTILINE)
    for text in (
        "Posterior: scaled-standard-model, binh2021-csi",
        "emcee, seed 5",
        "flat, 0 to 2",
        "Intervals of highest density",
        "R̂",
    ):
        assert text in out


def test_samples_are_kept_when_the_plot_fails(monkeypatch, tmp_path):
    def full(*them, **how):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("nurecoil.presentation.figures.save_canvas", full)
    plot, table = tmp_path / "corner.png", tmp_path / "samples.csv"
    held = (*CSI, *FREE, *HELD, "--max-steps", "500")
    status, out, err = run(*held, "--output", table, "--plot", plot)
    assert (status, err) == (2, f"Error: cannot write to '{tmp_path}': No space left on device\n")
    assert out.endswith(f"Samples: {table}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["samples.csv"]


def test_not_converged_is_said():
    status, out, _ = run(
        *CSI,
        "--free",
        "signal_strength=0..100",
        *HELD[:2],
        "--prior",
        "binh2021-csi_background=9",
        "--max-steps",
        "500",
    )
    assert status == 3
    assert re.search(r"^  converged +NO: see the notes *$", out, re.MULTILINE)
    assert "not converged: " in out


def test_samples_and_a_figure_are_written(tmp_path):
    plot, table = tmp_path / "corner.png", tmp_path / "samples.csv"
    two = ("--free", "signal_strength=0.1..2", "--free", "binh2021-csi_signal=-0.5..0.5", "--profile-pulls")
    status, out, _ = run(
        *CSI,
        *two,
        "--max-steps",
        "500",
        "--flat-in-log",
        "signal_strength",
        "--plot",
        str(plot),
        "--output",
        str(table),
    )
    assert status == 3  # so few steps do not suffice
    assert f"Samples: {table}" in out
    assert f"Plot: {plot}" in out
    assert "no posterior" in out
    assert plot.read_bytes().startswith(b"\x89PNG")
    comment, about, header, *rows = table.read_text(encoding="utf-8").splitlines()
    assert comment == "# nurecoil samples"
    assert json.loads(about.removeprefix("# "))["conventions"]["model"] == "scaled-standard-model"
    assert header == "signal_strength,binh2021-csi_signal,chi2"
    values = np.array([row.split(",") for row in rows], dtype=float)
    assert 0.1 <= values[:, 0].min() < values[:, 0].max() <= 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corner.png", "samples.csv"]


def test_samples_are_in_the_units_of_the_border(tmp_path):
    path = tmp_path / "mass.npz"
    mass = ("--model", "331-beta", "--experiment", "binh2021-csi", "--set", "beta=0")
    status, out, err = run(
        *mass,
        "--free",
        "m_zprime=0.1..10TeV",
        "--flat-in-log",
        "m_zprime",
        *HELD,
        "--max-steps",
        "500",
        "--output",
        str(path),
        "--json",
    )
    assert (status, err) == (0, f"Samples: {path}\n")
    found = json.loads(out)["free"]["m_zprime"]
    with np.load(path) as file:
        assert (file["names"].tolist(), file["units"].tolist()) == (["m_zprime"], ["TeV"])
        assert file["samples"].mean() == pytest.approx(found["mean"])
        assert 0.1 <= file["samples"].min() < file["samples"].max() <= 10
        assert json.loads(str(file["about"]))["fixed"]["beta"] == 0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--free", "signal_strength=1"), "signal_strength = 1 is not a range: write LOW..HIGH"),
        (("--free", "signal_strength"), "--free 'signal_strength' is not of the form NAME=LOW..HIGH"),
        (("--free", "signal_strength=2..1"), "the range of signal_strength, 2 to 1, is reversed or empty"),
        (("--free", "nonsense=0..1"), "unknown parameter 'nonsense'"),
        (("--free", "electroweak=0..1"), "electroweak cannot be free: it is a choice"),
        (
            ("--free", "sin2_theta_w=0.2..0.3", "--set", "sin2_theta_w=0.2"),
            "sin2_theta_w is both set and free",
        ),
        ((*FREE, "--sampler", "gibbs"), "unknown sampler 'gibbs'"),
        ((*FREE, "--flat-in-log", "signal_strength"), "cannot be flat in the logarithm"),
        ((*FREE, "--prior", "binh2021-csi_signal=inf"), "is not a finite number"),
        ((*FREE, "--max-steps", "3"), "3 steps are not allowed"),
        ((*FREE, "--output", "samples.txt"), "the file must end in .csv, .npz"),
        ((*FREE, "--plot", "corner.txt"), "the file must end in .png, .svg, .pdf"),
    ],
)
def test_bad_input_ends_in_one_sentence(tmp_path, monkeypatch, arguments, text):
    monkeypatch.chdir(tmp_path)
    status, out, err = run(*CSI, *arguments)
    assert (status, out) == (2, "")
    assert text in err
    assert len(err.splitlines()) == 1
    assert not list(tmp_path.iterdir())

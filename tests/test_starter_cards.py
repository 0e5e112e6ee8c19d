"""`nurecoil new-card`, `nurecoil card` and `nurecoil list pulls`."""

import json
from importlib import resources

import pytest

from command_line import run
from nurecoil.experiment.card import load_experiment

CARDS = resources.files("nurecoil.experiment.cards")


@pytest.fixture(autouse=True)
def _in_an_empty_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def numbers(*arguments):
    status, out, err = run(*arguments, "--json")
    assert (status, err) == (0, "")
    return json.loads(out)


@pytest.mark.parametrize("more", [(), ("--bins",)])
def test_a_starter_card_works_at_once(more, tmp_path):
    status, out, _ = run("new-card", "mine", *more)
    assert status == 0
    assert "nurecoil predict --model standard-model --experiment mine.toml" in out
    assert {path.name for path in tmp_path.iterdir()} == {"mine.toml", *(["mine.txt"] if more else [])}
    assert load_experiment("mine.toml").name == "mine"
    assert numbers("predict", "--model", "standard-model", "--experiment", "mine.toml")["converged"]
    asked = ("limit", "--model", "scaled-standard-model", "--experiment", "mine.toml")
    assert numbers(*asked, "--scan", "signal_strength=0..3")["converged"]


def test_a_starter_card_is_commented_and_has_no_word_left_to_replace(tmp_path):
    run("new-card", "mine", "--bins")
    text = (tmp_path / "mine.toml").read_text(encoding="utf-8")
    assert text.count("#") > 10
    assert "NAME" not in text
    assert "FILE" not in text
    assert [pull.name for pull in load_experiment("mine.toml").statistics.pulls] == [
        "sns_flux",
        "mine_quenching",
        "mine_flat",
    ]


@pytest.mark.parametrize("there", ["mine.toml", "mine.txt"])
def test_no_file_is_overwritten(there, tmp_path):
    (tmp_path / there).write_text("precious", encoding="utf-8")
    status, out, err = run("new-card", "mine", "--bins")
    assert (status, out) == (2, "")
    assert f"{there} is there already" in err
    assert [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()] == ["precious"]


@pytest.mark.parametrize("name", ["../mine", "a b", "", "-x/y"])
def test_a_name_that_cannot_be_is_refused(name, tmp_path):
    status, _, err = run("new-card", "--", name)
    assert status == 2
    assert "a text of letters, digits" in err
    assert list(tmp_path.iterdir()) == []


def test_a_shipped_card_is_printed_with_its_comments():
    status, out, _ = run("card", "coherent-lar-2020")
    assert status == 0
    assert out == (CARDS / "coherent-lar-2020.toml").read_text(encoding="utf-8")
    status, _, err = run("card", "coherent-lar-2021")
    assert status == 2
    assert "did you mean 'coherent-lar-2020'" in err


def test_the_pulls_of_an_experiment_are_listed(monkeypatch):
    monkeypatch.setenv("COLUMNS", "140")
    run("new-card", "mine", "--bins")
    status, out, _ = run("list", "pulls", "--experiment", "mine.toml", "--experiment", "binh2021-csi")
    assert status == 0
    rows = [
        line.split() for line in out.splitlines() if line.startswith((" sns_flux", " mine_", " binh2021"))
    ]
    assert [(row[0], row[-2], row[-1]) for row in rows] == [
        ("sns_flux", "0.1", "–"),
        ("mine_quenching", "1", "–"),
        ("mine_flat", "0.1", "–"),
        ("binh2021-csi_signal", "0.28", "–"),
        ("binh2021-csi_background", "0.25", "–"),
    ]
    assert "fractional change of the rate of the signal" in out


@pytest.mark.parametrize("arguments", [("pulls",), ("--experiment", "binh2021-csi")])
def test_pulls_and_an_experiment_go_together(arguments):
    status, _, err = run("list", *arguments)
    assert status == 2
    assert "list pulls --experiment NAME" in err

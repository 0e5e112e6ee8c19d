"""What --json prints is what docs/json.md says, key by key."""

import re
from pathlib import Path

import pytest

from command_line import read_json, result, run

PAGE = (Path(__file__).parents[1] / "docs" / "json.md").read_text(encoding="utf-8")
CSI = ("--model", "scaled-standard-model", "--experiment", "binh2021-csi")
SCAN = ("--scan", "signal_strength=0..4")
FREE = ("--free", "signal_strength=1")
CARD = """
model = "scaled-standard-model"
experiments = ["binh2021-csi"]
[scan.signal_strength]
low = 0
high = 4
points = 5
"""
COMMANDS = {
    "predict": ("predict", *CSI),
    "spectrum": ("spectrum", *CSI),
    "limit": ("limit", *CSI, *SCAN, "--points", "101", "--vary"),
    "map": ("map", *CSI, *SCAN, "--scan", "sin2_theta_w=0.1..0.4", "--points", "21"),
    "fit": ("fit", *CSI, *FREE),
    "goodness": ("goodness", *CSI, *FREE, "--experiment", "binh2021-lar", "--toys", "10"),
    "significance": ("significance", *CSI, *FREE, "--null", "signal_strength=0.3", "--toys", "10"),
    "sensitivity": ("sensitivity", *CSI, *SCAN, "--truth", "signal_strength=1.2", "--toys", "100"),
    "combine": ("combine", *CSI, *SCAN, "--experiment", "binh2021-lar", "--points", "101", "--toys", "10"),
    "impact": ("impact", *CSI, *FREE),
    "feldman-cousins": (
        *("feldman-cousins", *CSI, *SCAN),
        *("--toys", "100", "--points", "5", "--rounds", "0", "--coverage", "1"),
    ),
    "sample": ("sample", *CSI, "--free", "signal_strength=0..5", "--max-steps", "500"),
    "scan": ("scan", "card.toml", "--output", "map.nc"),
}
TREES = ("conventions", "provenance")  # whose keys are the names of what they hold


def documented(title):
    """Return the keys in the first column of the table under a heading."""
    rows = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE, flags=re.MULTILINE | re.DOTALL)[1].splitlines()
    cells = [row.split("|")[1] for row in rows if row.startswith("| `")]
    return [key for cell in cells for key in re.findall(r"`([^`]+)`", cell)]


def keys(value, known, path=""):
    """Yield the keys of the innermost values, as the page writes them: names of things in capitals."""
    if isinstance(value, dict) and path not in TREES:
        names = {key[len(path) :].strip(".").split(".")[0] for key in known if key.startswith(path)}
        capitals = next((name for name in names if name.isupper()), None)
        for name, item in value.items():
            yield from keys(item, known, f"{path}.{capitals or name}".strip("."))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for item in value:
            yield from keys(item, known, f"{path}[]")
    else:
        yield path


def test_the_page_has_every_command_that_answers():
    titles = re.findall(r"^## (.*)", PAGE, flags=re.MULTILINE)
    assert titles == ["Every answer", *COMMANDS]


@pytest.mark.parametrize("verb", COMMANDS)
def test_the_page_says_what_is_printed(verb, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("card.toml").write_text(CARD)
    status, out, _ = run(*COMMANDS[verb], "--json")
    found = read_json(out)
    known = [*documented("Every answer"), *documented(verb)]
    assert len(known) == len(set(known))
    assert set(keys(found, known)) == set(known)
    assert status == (0 if found["converged"] else 3)
    assert (found["model"], found["experiments"][0]) == ("scaled-standard-model", "binh2021-csi")


def test_what_is_no_number_is_null():
    found = read_json(
        run("fit", "--model", "331-beta", *CSI[2:], "--set", "beta=-sqrt(3)", "--set", "variant=numbers",
            "--free", "m_zprime=10TeV", "--json")[1]
    )  # fmt: skip
    assert found["best_fit"]["m_zprime"]["above"] is None
    assert found["best_fit"]["m_zprime"]["below"] > 0


def test_what_was_not_asked_for_is_null():
    assert result("goodness", "--model", "standard-model", *CSI[2:])["toys"] is None
    found = result("sensitivity", *CSI, *SCAN, "--points", "101")
    assert (found["bands"], found["truth"]) == (None, None)

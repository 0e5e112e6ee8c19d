"""What the README and its page of questions promise runs; what it and CONTRIBUTING link to is there."""

import json
import re
import shlex
import sys
import tomllib
from pathlib import Path

import pytest

import nurecoil
from nurecoil import cli
from nurecoil.cli import main
from nurecoil.experiment import datasets
from releases import data_folder

HOME = Path(__file__).parents[1]
README = (HOME / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (HOME / "CONTRIBUTING.md").read_text(encoding="utf-8")
QUESTIONS = (HOME / "docs" / "howto" / "questions.md").read_text(encoding="utf-8")
SHELL = "\n".join(re.findall(r"```sh\n(.*?)```", README + QUESTIONS, flags=re.DOTALL)).replace("\\\n", " ")
COMMANDS = [line for line in SHELL.splitlines() if line.startswith("nurecoil ")]
COMMANDS.remove("nurecoil explore")  # which serves its page until it is ended: tests/test_explorer.py
OWN_MODEL, PYTHON = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
(COEFFICIENTS,) = re.findall(r"```json\n(.*?)```", QUESTIONS, flags=re.DOTALL)
RELEASES = ("coherent-csi-2017", "coherent-csi-2021", "coherent-lar-2020")


@pytest.fixture
def with_data(monkeypatch):
    if data_folder().is_dir():
        monkeypatch.setenv("NURECOIL_DATA", str(data_folder()))

    def require(command):
        for name in RELEASES:
            if name in command and datasets.locate(name) is None:
                pytest.skip(f"the data of {name} are not here: `nurecoil data fetch {name}` gets them")

    return require


def test_ci_runs_the_two_marked_commands():
    marked = re.findall(r"<!-- command -->\n```sh\n(.+)\n```", README)
    assert len(marked) == 2
    assert marked[0].endswith("nurecoil reproduce binh2021")
    assert marked[1].endswith("pytest")


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_runs(command, tmp_path, monkeypatch, with_data):
    with_data(command)
    monkeypatch.chdir(tmp_path)
    Path("my_model.py").write_text(OWN_MODEL, encoding="utf-8")
    Path("coefficients.json").write_text(COEFFICIENTS, encoding="utf-8")
    if command.startswith("nurecoil run"):
        nurecoil.Study("nsi", "binh2021-csi").limit("eps_u_ee", "-1..1").save("limit.toml")
    with pytest.raises(SystemExit) as stop:
        main(shlex.split(command)[1:])
    assert not stop.value.code


def test_the_readme_shows_every_command_and_every_measurement():
    for name in cli.app.commands:
        assert re.search(rf"^nurecoil {name}\b", SHELL, flags=re.MULTILINE) or name == "reproduce"
    for name in (*RELEASES, "nurecoil data fetch", "NURECOIL_DATA"):
        assert name in README


def test_the_module_map_is_complete():
    package = Path(nurecoil.__file__).parent
    modules = {path.name for path in package.glob("*.py") if not path.name.startswith("_")}
    folders = {f"{path.parent.name}/" for path in package.glob("*/__init__.py")}
    shown = README[README.index("## Where things are") :]
    assert not {name for name in modules | folders if f"`{name}" not in shown}


def test_the_map_finds_what_a_newcomer_looks_for():
    package, words = (
        Path(nurecoil.__file__).parent,
        ("quenching", "MeV", "eq. 17", "Feldman", "colour", "prior"),
    )
    rows = re.search(r"\| looking for .*?\n\n", README, flags=re.DOTALL)[0].splitlines()[2:-1]
    for row, word in zip(rows, words, strict=True):
        found = [package / name for name in re.findall(r"`([a-z_0-9]+/[^`]+\.(?:py|toml))`", row)]
        assert found
        assert all(word in place.read_text(encoding="utf-8") for place in found)
    for place in re.findall(r"\| `([a-z_]+/[a-z_]*(?:\.py|\.csv)?)` \|", README):
        assert (package / place).exists()


def test_the_python_example_runs(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(PYTHON, "README.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "m_zprime at 90 % CL (Δχ² ≤ 2.706): 331-beta, binh2021-csi"
    assert lines[-1] == "m_Z' > 1.48 TeV; at 2 TeV 243.8 events, 186.8 in the Standard Model"
    assert json.loads(Path("limit.json").read_text())["lower_limit"] == pytest.approx(1.4797, abs=1e-3)


def test_a_model_of_ones_own_is_used_as_any_other(tmp_path, monkeypatch):
    """Of g_V^n = -1/2 + 0.1 and g_V^p the same, counts are those of an NSI."""
    monkeypatch.chdir(tmp_path)
    Path("my_model.py").write_text(OWN_MODEL, encoding="utf-8")
    Path("coefficients.json").write_text(COEFFICIENTS, encoding="utf-8")
    assert '`nurecoil.Study("my_model.py", "binh2021-csi")`' in README
    (found,) = nurecoil.Study("my_model.py", "binh2021-csi", more_n=0.1).predict().values.parts
    nsi = {f"eps_{q}_{f}": e for f in ("ee", "mumu", "tautau") for q, e in (("u", -1 / 30), ("d", 2 / 30))}
    (expected,) = nurecoil.Study("nsi", "binh2021-csi", **nsi).predict().values.parts
    assert found.counts == pytest.approx(expected.counts, rel=1e-12)


def test_an_installed_package_offers_its_model(tmp_path, monkeypatch):
    (snippet,) = re.findall(r"```toml\n(.*?)```", README, flags=re.DOTALL)
    entries = tomllib.loads(snippet)["project"]["entry-points"]
    package, about = tmp_path / "my_package", tmp_path / "my_package-1.dist-info"
    for folder in (package, about):
        folder.mkdir()
    (package / "__init__.py").touch()
    (package / "my_model.py").write_text(OWN_MODEL, encoding="utf-8")
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1\n")
    lines = [f"[{group}]\n{name} = {at}\n" for group, of in entries.items() for name, at in of.items()]
    (about / "entry_points.txt").write_text("".join(lines))
    monkeypatch.syspath_prepend(tmp_path)
    assert "my-model" in nurecoil.model_names()
    assert nurecoil.load_model("my-model").title == "Standard Model with more coupling to neutrons"
    monkeypatch.delitem(sys.modules, "my_package.my_model")
    monkeypatch.delitem(sys.modules, "my_package")


@pytest.mark.parametrize("text", [README, CONTRIBUTING], ids=["README", "CONTRIBUTING"])
def test_links_lead_somewhere(text):
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert target.startswith("https://") or (HOME / target).exists()

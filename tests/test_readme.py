"""What the README promises runs; what it and CONTRIBUTING link to is there."""

import json
import re
import shlex
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
SHELL = "\n".join(re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)).replace("\\\n", " ")
COMMANDS = [line for line in SHELL.splitlines() if line.startswith("nurecoil ")]
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
    with pytest.raises(SystemExit) as stop:
        main(shlex.split(command)[1:])
    assert not stop.value.code


def test_the_readme_shows_every_command_and_every_measurement():
    for command in cli.app.registered_commands:
        assert (
            re.search(rf"^nurecoil {command.name}\b", SHELL, flags=re.MULTILINE)
            or command.name == "reproduce"
        )
    for name in (*RELEASES, "nurecoil data fetch", "NURECOIL_DATA"):
        assert name in README


def test_the_module_map_is_complete():
    package = Path(nurecoil.__file__).parent
    modules = {path.name for path in package.glob("*.py") if not path.name.startswith("_")}
    folders = {f"{path.parent.name}/" for path in package.glob("*/__init__.py")}
    shown = README[README.index("## Where things are") :]
    assert not {name for name in modules | folders if f"`{name}" not in shown}


def test_the_python_example_runs(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    exec(compile(example, "README.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "m_zprime at 90 % CL (Δχ² ≤ 2.706): 331-beta, binh2021-csi"
    assert lines[-1] == "m_Z' > 1.48 TeV; at 2 TeV 243.8 events, 186.8 in the Standard Model"
    assert json.loads(Path("limit.json").read_text())["lower_limit"] == pytest.approx(1.4797, abs=1e-3)


@pytest.mark.parametrize("text", [README, CONTRIBUTING], ids=["README", "CONTRIBUTING"])
def test_links_lead_somewhere(text):
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert target.startswith("https://") or (HOME / target).exists()

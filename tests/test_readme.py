"""What the README promises runs."""

import re
import shlex
from pathlib import Path

import pytest

from nurecoil.cli import main

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
SHELL = "\n".join(re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)).replace("\\\n", " ")
COMMANDS = [line for line in SHELL.splitlines() if line.startswith("nurecoil ")]


def test_ci_runs_the_two_marked_commands():
    marked = re.findall(r"<!-- command -->\n```sh\n(.+)\n```", README)
    assert len(marked) == 2
    assert marked[0].endswith("nurecoil reproduce binh2021")
    assert marked[1].endswith("pytest")


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_runs(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        main(shlex.split(command)[1:])
    assert not stop.value.code


def test_the_python_example_runs(capsys):
    (example,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    exec(compile(example, "README.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("186.9 in the Standard Model")
    assert lines[1] == "allowed from 1.48 TeV"


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("https://") or (Path(__file__).parents[1] / target).exists()

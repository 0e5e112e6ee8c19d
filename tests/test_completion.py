"""What a shell completes: commands, models, experiments, and the names of parameters and pulls."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from command_line import run


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("nurecoil li", {"limit", "list"}),
        ("nurecoil limit --model n", {"neutron-radii", "nsi", "nsi-axial"}),
        ("nurecoil limit --experiment binh2021-l", {"binh2021-lar"}),
        ("nurecoil limit --model nsi --scan eps_u_em", {"eps_u_emu=", "eps_u_emu_im="}),
        ("nurecoil fit --experiment binh2021-csi --fix ", {"binh2021-csi_signal", "binh2021-csi_background"}),
        ("nurecoil fit --model no-such-model --free e", set()),
    ],
)
def test_names_are_completed(line, expected):
    words = line.split()
    wanted = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - (not line.endswith(" ")))}
    environment = os.environ | wanted | {"_NURECOIL_COMPLETE": "bash_complete"}
    found = subprocess.run(
        [sys.executable, "-c", "from nurecoil.cli import main; main()"],
        capture_output=True, text=True, env=environment, check=True,
    )  # fmt: skip
    assert {line.partition(",")[2] for line in found.stdout.split()} == expected


@pytest.mark.parametrize(("shell", "start"), [("bash", ".bashrc"), ("zsh", ".zshrc"), ("fish", None)])
def test_the_completion_is_installed_once(tmp_path, monkeypatch, shell, start):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SHELL", f"/usr/bin/{shell}")
    if start:
        (tmp_path / start).write_text("alias ll='ls -l'")
    for _ in range(2):
        status, out, err = run("--install-completion")
        assert (status, err) == (0, "")
    target = Path(out.split()[-1])
    assert target.read_text() == run("--show-completion")[1].removesuffix("\n")
    assert "_NURECOIL_COMPLETE" in target.read_text()
    if start:
        first, *rest = filter(None, (tmp_path / start).read_text().splitlines())
        assert first == "alias ll='ls -l'"
        assert len(rest) == 1


def test_other_shells_are_refused(monkeypatch):
    monkeypatch.setenv("SHELL", "/bin/tcsh")
    status, out, err = run("--install-completion")
    assert (status, out) == (2, "")
    assert "'tcsh'" in err
    assert "bash, zsh, fish" in err

"""What a shell completes: commands, models, experiments, and the names of parameters and pulls."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("nurecoil li", {"limit", "list"}),
        ("nurecoil limit --model n", {"nsi"}),
        ("nurecoil limit --experiment binh2021-l", {"binh2021-lar"}),
        ("nurecoil limit --model nsi --scan eps_u_em", {"eps_u_emu=", "eps_u_emu_im="}),
        ("nurecoil fit --experiment binh2021-csi --fix ", {"binh2021-csi_signal", "binh2021-csi_background"}),
        ("nurecoil fit --model no-such-model --free e", set()),
    ],
)
def test_names_are_completed(line, expected):
    words = line.split()
    wanted = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - (not line.endswith(" ")))}
    environment = os.environ | wanted | {"_NURECOIL_COMPLETE": "complete_bash"}
    found = subprocess.run(
        [sys.executable, "-c", "from nurecoil.cli import main; main()"],
        capture_output=True, text=True, env=environment, check=True,
    )  # fmt: skip
    assert set(found.stdout.split()) == expected


def test_the_completion_can_be_installed():
    from command_line import run

    assert "--install-completion" in run("--help")[1]

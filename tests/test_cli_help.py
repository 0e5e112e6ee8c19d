"""What --help says: plain, complete, and with examples that run."""

import re
import shlex
from pathlib import Path

import pytest
from rich.cells import cell_len

from command_line import run
from nurecoil import __version__, cli
from nurecoil.cli.commands import command_of
from nurecoil.cli.usage import Command, Group
from nurecoil.experiment import datasets
from nurecoil.physics.form_factors import FORM_FACTOR_NAMES
from releases import data_folder
from stand_ins import fake_paper, fake_validation

RELEASES = "coherent-csi-2017 coherent-csi-2021 coherent-lar-2020"
CARD = """
model = "331-beta"
experiments = ["binh2021-csi"]
[set]
beta = "-sqrt(3)"
[scan.m_zprime]
low = "0.1TeV"
high = "10TeV"
points = 50
"""
LESS = {"--toys": "100", "--rounds": "0", "--starts": "1", "--workers": "2"}  # instead of what is given
ADDED = {  # where nothing is given
    "limit": ("--points", "101"),
    "sensitivity": ("--points", "101"),
    "combine": ("--points", "101"),
    "map": ("--points", "21"),
    "feldman-cousins": ("--points", "5"),
    "fit": ("--starts", "1"),
    "impact": ("--starts", "1"),
    "sample": ("--max-steps", "500"),
}
LONG = ("sample --model nsi", "feldman-cousins --model nsi", "combine ", "--free sin2_theta_w=0.24 --json")
SIMILAR = {"coherent-csi-2021": "binh2021-csi", "coherent-lar-2020": "binh2021-lar"}


@pytest.fixture(autouse=True)
def _in_an_empty_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")


def test_version():
    assert run("--version") == (0, f"nurecoil {__version__}\n", "")


@pytest.mark.parametrize("name", ["", *cli.app.commands])
def test_help_is_plain_and_narrow(name):
    status, out, err = run(*name.split(), "--help")
    assert (status, err) == (0, "")
    assert out.startswith("Usage: nurecoil")
    assert max(map(cell_len, out.splitlines())) <= 110
    assert "\b" not in out


def test_help_names_all_form_factors():
    _, out, _ = run("predict", "--help")
    squeezed = re.sub(r"-\s+", "-", out)
    assert all(name in squeezed for name in FORM_FACTOR_NAMES)


def test_every_command_refuses_an_option_given_twice():
    others = [command for name, command in cli.app.commands.items() if name not in cli.COMMANDS]
    assert all(isinstance(command, Command | Group) for command in others)


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_verb_refuses_an_option_given_twice(name):
    status, _, err = run(name, "--model", "nsi", "--model", "nsi", "--experiment", "binh2021-csi")
    assert (status, err) == (2, f"Error: --model is given 2 times: {name} takes it once\n")


# --- examples -----------------------------------------------------------------------------------------


def examples():
    own = [command.help for command in cli.app.commands.values() if command.help]
    texts = "\n".join([cli.HELP, *own, *(command_of(verb).help for verb in cli.COMMANDS.values())])
    lines = re.sub(r"\\\n\s*", "", texts).splitlines()
    lines = [re.sub(r"^[\w ]+: +", "", line.strip()) for line in lines]
    commands = [re.split(r"\s{3,}", line)[0] for line in lines if line.startswith("nurecoil ")]
    return list(dict.fromkeys(commands))


def quicker(example):
    """Return the arguments of an example that takes less time, but says all that it says."""
    if any(words in example for words in LONG):
        for name, similar in SIMILAR.items():
            example = example.replace(name, similar)
    arguments = shlex.split(example)[1:]
    if "--help" in arguments:
        return arguments
    pairs = zip(["", *arguments], arguments, strict=False)
    arguments = [LESS.get(option, word) for option, word in pairs]
    option, number = ADDED.get(arguments[0], ("", ""))
    return [*arguments, option, number] if option and option not in arguments else arguments


def test_there_are_examples_of_every_command():
    helps = {name: cli.app.get_command(None, name).help for name in cli.app.list_commands(None)}
    helps |= {name: command_of(verb).help for name, verb in cli.COMMANDS.items()}
    assert [name for name, text in helps.items() if not re.search(rf"\bnurecoil {name}\b", text)] == []
    assert len(examples()) > 30


@pytest.mark.parametrize("example", examples())
def test_every_example_runs(monkeypatch, example):
    fake_paper(monkeypatch)
    fake_validation(monkeypatch)
    if "--dask" in example:
        pytest.skip("it needs a scheduler")
    if "--sampler nested" in example:
        pytest.importorskip("ultranest")
    Path("card.toml").write_text(CARD)
    if data_folder().is_dir():
        monkeypatch.setenv("NURECOIL_DATA", str(data_folder()))
    for name in re.findall(r"coherent-\w+-\d+", example.replace("nurecoil validate", RELEASES)):
        if datasets.locate(name) is None:
            pytest.skip(f"the data of {name} are not here")
    arguments = quicker(example)
    status, out, err = run(*arguments)
    assert status in ((0, 3) if arguments[0] == "sample" else (0,)), err
    assert out
    if "--plot" in arguments:
        assert Path(arguments[arguments.index("--plot") + 1]).stat().st_size > 10_000

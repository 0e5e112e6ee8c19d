"""What the README and CONTRIBUTING promise runs."""

import importlib.util
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import asking
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


# --- CONTRIBUTING -------------------------------------------------------------------------------------

EXAMPLE = re.search(r"```python\n(.*?)```", CONTRIBUTING, flags=re.DOTALL)[1]


def test_the_example_model_is_one(tmp_path, csi):
    path = tmp_path / "magnetic_moments.py"
    path.write_text(EXAMPLE, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("magnetic_moments", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model = module.MAGNETIC_MOMENTS
    standard = nurecoil.load_model("standard-model")
    for scheme in ("tree", "radiative"):
        point = {"electroweak": scheme}
        assert asking.predict(model, csi, point).values.counts == pytest.approx(
            asking.predict(standard, csi, point).values.counts, rel=1e-12
        )
    one_by_one = [csi.counts(model.couplings(mu_e=moment, mu_mu=1e-10)) for moment in (0.0, 1e-9)]
    together = csi.counts(model.couplings(mu_e=np.array([0.0, 1e-9]), mu_mu=1e-10))
    assert together == pytest.approx(np.array(one_by_one), rel=1e-12)
    assert one_by_one[1].sum() > one_by_one[0].sum() > csi.counts(standard.couplings()).sum()


def test_the_example_model_may_stand_among_the_models():
    """As part of nurecoil.models, which imports it: nothing it imports may need nurecoil.models first."""
    code = (
        "import sys, types, importlib.util\n"
        "import nurecoil.models.model, nurecoil.models.standard_model\n"
        "package = sys.modules['nurecoil.models']\n"
        "for name in [n for n in vars(package) if not n.startswith('__')]:\n"
        "    delattr(package, name)\n"  # as it is while its __init__ still imports models
        f"exec(compile({EXAMPLE!r}, 'example', 'exec'), {{'__name__': 'nurecoil.models.magnetic_moments'}})\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")

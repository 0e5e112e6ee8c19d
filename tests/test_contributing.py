"""What CONTRIBUTING says is enough to add a question, a model, an interaction or a source, is.

Each example is put where CONTRIBUTING says, into a copy of the package, which a process of its own then uses.
"""

import json
import math
import os
import re
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import asking
import nurecoil
import reference
from command_line import finished, result
from nurecoil.experiment.card import load_experiment
from test_channels import direct, g_f_squared

PACKAGE = Path(nurecoil.__file__).parent
CONTRIBUTING = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### (.+?)\n(.*?)(?=^##)", CONTRIBUTING, flags=re.MULTILINE | re.DOTALL))
SM = ("--experiment", "binh2021-csi", "--model", "scaled-standard-model")


def blocks(section):
    """Return the examples of a section: file, how and what they stand at, text."""
    found = re.findall(
        r"```python\n# (\S+?)(?:, (above|below): (.+?))?\n(.*?)```", SECTIONS[section], re.DOTALL
    )
    assert len(found) == SECTIONS[section].count("```python")
    return found


class Copy:
    """A copy of the package with the examples of a section, and nothing else, in place."""

    def __init__(self, section, folder):
        self.folder = folder
        shutil.copytree(PACKAGE, folder / "nurecoil")
        for name, side, line, text in blocks(section):
            path = folder / name
            if not side:
                assert not path.exists()
                path.write_text(text, encoding="utf-8")
                continue
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            (at,) = (n for n, there in enumerate(lines) if there.lstrip().startswith(line))
            lines.insert(at + (side == "below"), text)
            path.write_text("".join(lines), encoding="utf-8")

    def run(self, *program):
        """Return what Python prints that imports the copy."""
        environment = os.environ | {"PYTHONPATH": str(self.folder), "PYTHONUTF8": "1"}
        status, out, err = finished(program, env=environment, cwd=self.folder)
        assert (status, err) == (0, "")
        return out

    def command(self, *arguments):
        """Return what a command of the copy answers."""
        return json.loads(self.run("-m", "nurecoil", *arguments, "--json"))

    def card(self, **changes):
        """Write a card: the starter's, with some values of its own."""
        text = (PACKAGE / "experiment" / "starters" / "counting.toml").read_text(encoding="utf-8")
        for key, value in {"name": '"NAME"', **changes}.items():
            text, times = re.subn(rf"^{key} = .*$", f"{key} = {value}", text, flags=re.MULTILINE)
            assert times == 1
        path = self.folder / "card.toml"
        path.write_text(text, encoding="utf-8")
        return path


@pytest.mark.parametrize("section", ["A question", "A model", "An interaction", "A source"])
def test_the_files_that_are_named_are_those_that_are_touched(section):
    (named,) = re.findall(r"^Files: (.*?)[.;]\s", SECTIONS[section], flags=re.MULTILINE | re.DOTALL)
    touched = {name.removeprefix("nurecoil/") for name, *_ in blocks(section) if "/" in name}
    assert set(re.findall(r"`(.+?)`", named)) == touched


def test_a_question(tmp_path):
    """Where the Standard Model is true, the ends of the expected interval are where χ² is at the level."""
    expected = result("sensitivity", *SM, "--scan", "signal_strength=0..3")["expected"]
    copy = Copy("A question", tmp_path)
    ((low, high),) = expected["allowed"]
    found = copy.command("asimov", *SM, "--at", f"signal_strength={low!r}")
    assert (found["question"], found["converged"]) == ("asimov", True)
    assert found["delta_chi2"] == pytest.approx(expected["level"], rel=1e-6)
    study = "nurecoil.Study('scaled-standard-model', 'binh2021-csi')"
    printed = copy.run("-c", f"import nurecoil; print({study}.asimov({{'signal_strength': {high!r}}}))")
    assert re.search(r"Δχ² +2\.706", printed)
    assert "would be excluded" in copy.run("-m", "nurecoil", "--help")


def test_a_model(tmp_path, csi):
    (_, _, _, text), *_ = blocks("A model")
    path = tmp_path / "own_moments.py"
    path.write_text(text, encoding="utf-8")
    model = nurecoil.load_model(path)  # checked
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

    copy = Copy("A model", tmp_path / "copy")
    arguments = ("--experiment", "binh2021-csi", "--model", "own-moments", "--set", "mu_mu=1e-10")
    assert copy.command("predict", *arguments)["counts"] == pytest.approx(one_by_one[0], rel=1e-12)
    assert "Parameters of own-moments" in copy.run("-m", "nurecoil", "list", "parameters")


def test_an_interaction(tmp_path):
    """Counts are those of a direct integral of dσ/dT."""
    copy = Copy("An interaction", tmp_path)
    experiment = load_experiment(copy.card())
    g_p, g_n = 100.0, 200.0
    expected = direct(
        experiment,
        experiment.signal,
        lambda q, p, n: (g_p * p + g_n * n) ** 2,
        lambda T, E, M: (T / E) ** 2,
        g_f_squared,
    )
    arguments = ("--model", "pseudoscalar.py", "--experiment", "card.toml")
    found = copy.command("predict", *arguments, "--set", f"g_p={g_p}", "--set", f"g_n={g_n}")
    assert found["total"] - found["standard_model_total"] == pytest.approx(expected.sum(), rel=1e-6)
    limit = copy.command("limit", *arguments, "--scan", "g_n=-1e4..1e4", "--points", "101")
    assert limit["converged"]
    ((low, high),) = limit["allowed"]
    assert low == pytest.approx(-high, rel=1e-6)


def test_a_source(tmp_path):
    """Counts of one isotope without form factor and quenching are the flux times a cross section by hand."""
    copy = Copy("A source", tmp_path)
    threshold, fluence = 0.5e-3, 2e23 * 0.08 / (4 * math.pi * 2000**2)  # MeV, cm⁻²
    card = copy.card(
        flux='"beam-dump"',
        material='"40Ar"',
        form_factor='"point"',
        edges="[0.5, 5e3]",
        quenching='{ kind = "constant", factor = 1 }',
    )
    with pytest.raises(nurecoil.NurecoilError, match="source has no flux 'beam-dump'"):
        load_experiment(card)
    mass = reference.NUCLIDES["Ar40"][2] * reference.DALTON - 18 * reference.ELECTRON
    x, w = np.polynomial.legendre.leggauss(100)
    total = 0.0
    table, norm = ((0, 0), (40, 5), (120, 2), (300, 0)), 5 * 40 / 2 + 7 * 80 / 2 + 2 * 180 / 2
    lowest = (threshold + math.sqrt(threshold**2 + 2 * mass * threshold)) / 2
    for (a, rate_a), (b, rate_b) in pairwise(table):
        low = max(a, lowest)
        E = low + (b - low) * (x + 1) / 2
        rate = rate_a + (rate_b - rate_a) * (E - a) / (b - a)

        def integral(T, E=E):
            return T - T**2 / (2 * E) - mass * T**2 / (4 * E**2)

        sigma = integral(2 * E**2 / (mass + 2 * E)) - integral(threshold)
        total += (rate / norm * sigma * w * (b - low) / 2).sum()
    charge = 18 * (0.5 - 2 * 0.23857) - 22 * 0.5
    nuclei = 10e3 / reference.NUCLIDES["Ar40"][2] * reference.AVOGADRO
    per_neutrino = nuclei * g_f_squared(mass) * charge**2 * reference.CM2
    found = copy.command("predict", "--model", "standard-model", "--experiment", "card.toml")
    assert found["total"] == pytest.approx(0.9 * fluence * per_neutrino * total, rel=1e-5)

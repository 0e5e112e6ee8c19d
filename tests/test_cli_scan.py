"""`nurecoil scan`, as a user calls it."""

import json
import re
import sys
import textwrap
import time
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
import pytest
import xarray

import asking
import command_line
import nurecoil
from nurecoil.cli.scan import scan as command
from nurecoil.scans import executors
from nurecoil.scans.checkpoint import Checkpoint

DOCS = (Path(__file__).parents[1] / "docs" / "scans.md").read_text(encoding="utf-8")
CARD = """
model = "331-beta"
experiments = ["binh2021-csi"]
[set]
sin2_theta_w = 0.23867
[scan.m_zprime]
low = "0.3TeV"
high = "10TeV"
points = 101
log = true
[scan.beta]
values = ["-sqrt(3)", 0, "1/sqrt(3)"]
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a scan of a card in a folder of its own: status, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, card=CARD, **named):
        (tmp_path / "card.toml").write_text(card, encoding="utf-8")
        return command_line.run("scan", "card.toml", *arguments, **named)

    return run


def test_a_scan_has_the_numbers_of_a_limit(run, tmp_path, csi):
    status, out, err = run("--output", "map.nc", "--json")
    assert (status, err) == (0, "")
    found = json.loads(out)
    fixed = {"sin2_theta_w": 0.23867, "beta": -(3**0.5)}
    limit = asking.limit(nurecoil.load_model("331-beta"), [csi], fixed, ("m_zprime", 3e5, 1e7), points=101)
    curve = limit.values.profile
    with xarray.open_dataset(tmp_path / "map.nc") as data:
        assert data.m_zprime.values == pytest.approx(curve.values / 1e6, rel=1e-12)
        assert (data.m_zprime.units, data.beta.units) == ("TeV", "1")
        assert data.beta.values == pytest.approx([-(3**0.5), 0, 3**-0.5])
        chi2 = data.delta_chi2[:, 0].values + data.chi2_minimum
        assert chi2 == pytest.approx(curve.delta_chi2 + curve.minimum, rel=1e-9, abs=1e-9)
        assert json.loads(data.parameters)["sin2_theta_w"]["value"] == 0.23867
        assert json.loads(data.conventions) == found["conventions"]
        best = data.delta_chi2.argmin(...)
        assert float(data.m_zprime[best["m_zprime"]]) == found["best_fit"]["m_zprime"]["value"]
    assert (found["points"], found["shape"]) == (303, {"m_zprime": 101, "beta": 3})
    assert (found["not_converged"], found["converged"], found["resumed"]) == (0, True, 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["card.toml", "map.nc"]


def test_workers_change_nothing(run, tmp_path):
    run("--output", "one.nc")
    status, out, _ = run("--output", "two.nc", "--workers", "2")
    assert status == 0
    assert "303 (101 m_zprime x 3 beta)" in out
    assert (tmp_path / "one.nc").read_bytes() == (tmp_path / "two.nc").read_bytes()


def test_pulls_are_kept_if_wanted(run, tmp_path):
    card = CARD.replace("[set]", "pulls = true\n[prior]\nbinh2021-csi_background = 0.1\n[set]")
    status, out, _ = run("--output", "map.nc", "--json", card=card)
    assert status == 0
    widths = json.loads(out)["conventions"]["experiments"]["binh2021-csi"]["pull_widths"]
    assert widths["binh2021-csi_background"] == 0.1
    with xarray.open_dataset(tmp_path / "map.nc") as data:
        assert set(data) == {"delta_chi2", "converged", "binh2021-csi_signal", "binh2021-csi_background"}
        assert data["binh2021-csi_signal"].dims == ("m_zprime", "beta")
        assert float(abs(data["binh2021-csi_signal"]).max()) > 0.1


def test_a_nuisance_parameter_may_be_scanned(run, tmp_path):
    card = CARD[: CARD.index("[scan.beta]")].replace("[set]", "[set]\nbeta = 0")
    card += "[scan.binh2021-csi_signal]\nlow = -0.5\nhigh = 0.5\npoints = 11\n"
    status, _, err = run("--output", "map.nc", card=card)
    assert (status, err) == (0, "")
    with xarray.open_dataset(tmp_path / "map.nc") as data:
        assert data.delta_chi2.dims == ("m_zprime", "binh2021-csi_signal")
        assert np.ptp(data.delta_chi2[-1].values) > 1


def test_the_same_command_again_finds_the_file(run, tmp_path):
    run("--output", "map.nc")
    content = (tmp_path / "map.nc").read_bytes()
    status, _, err = run("--output", "map.nc")
    assert (status, err) == (0, "scan: the file was there already, from the same scan\n")
    assert (tmp_path / "map.nc").read_bytes() == content


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ("0.23867", "0.24", "parameters.sin2_theta_w.value was 0.23867 and is 0.24"),
        ("points = 101", "points = 102", "grid.m_zprime.points was 101 and is 102"),
        (
            "[set]",
            "[prior]\nbinh2021-csi_signal = 0.1\n[set]",
            "pull_widths.binh2021-csi_signal was 0.28 and is 0.1",
        ),
    ],
)
def test_other_conventions_are_refused(run, old, new, change):
    run("--output", "map.nc")
    status, out, err = run("--output", "map.nc", card=CARD.replace(old, new))
    assert (status, out) == (2, "")
    assert change in err
    assert len(err.splitlines()) == 1
    assert run("--output", "map.nc", "--restart", card=CARD.replace(old, new))[0] == 0


def test_an_edited_experiment_is_another_one(run, tmp_path):
    (shipped,) = (p for p in nurecoil.experiment.card.reading._cards() if p.stem == "binh2021-csi")
    text = shipped.read_text(encoding="utf-8")
    card = CARD.replace('"binh2021-csi"', '"mine.toml"')
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    assert run("--output", "map.nc", card=card)[0] == 0
    (tmp_path / "mine.toml").write_text(text.replace("observed = 134", "observed = 135"), encoding="utf-8")
    assert text.count("observed = 134") == 1
    status, _, err = run("--output", "map.nc", card=card)
    assert status == 2
    assert "conventions.experiments.binh2021-csi.card was" in err


def test_a_resumed_scan_says_so(run, tmp_path, monkeypatch):
    class Stopped(Exception):
        pass

    write = Checkpoint.write

    def write_and_stop(checkpoint, chunk, table):
        write(checkpoint, chunk, table)
        raise Stopped

    run("--output", "whole.nc")
    model, csi = (
        nurecoil.load_model("331-beta"),
        nurecoil.compile_experiment(nurecoil.load_experiment("binh2021-csi")),
    )
    axes = {
        "m_zprime": nurecoil.Spaced(3e5, 1e7, 101, log=True),
        "beta": [-(3**0.5), 0, 1 / 3**0.5],
    }
    monkeypatch.setattr("nurecoil.scans.running.seconds_per_block", lambda work: 1.0)
    with pytest.raises(Stopped), patch.object(Checkpoint, "write", write_and_stop):
        asking.scan(model, [csi], {"sin2_theta_w": 0.23867}, axes, tmp_path / "map.nc")
    status, _, err = run("--output", "map.nc")
    assert (status, err) == (0, "scan: resumed: 1 of 5 chunks were there\n")
    assert (tmp_path / "map.nc").read_bytes() == (tmp_path / "whole.nc").read_bytes()


def test_ctrl_c_says_that_the_same_command_resumes(run, monkeypatch):
    def interrupted(*arguments, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr("nurecoil.verbs.scan.run", interrupted)
    status, out, err = run("--output", "map.nc")
    assert (status, out) == (130, "")
    assert err == (
        "scan: stopped: what is finished is kept in map.nc.partial, and the same command resumes it\n"
    )


def test_progress_is_that_of_the_points(run, monkeypatch):
    monkeypatch.setattr("nurecoil.scans.running.seconds_per_block", lambda work: 1.0)
    write = Checkpoint.write

    def slowly(*them):
        write(*them)
        time.sleep(0.05)

    monkeypatch.setattr(Checkpoint, "write", slowly)
    _, _, err = run("--output", "map.nc", progress=0.01)
    assert "scan: 42 %, " in err  # 128 of 303
    assert ", 128 of 303 points\n" in err


def test_a_flat_likelihood_is_said_to_be_flat(run):
    card = (
        CARD[: CARD.index("[scan.m_zprime]")].replace("331-beta", "nsi")
        + "[scan.eps_u_tautau]\nvalues=[0, 1]\n"
    )
    status, out, _ = run("--output", "map.nc", "--json", card=card)
    assert status == 0
    assert "these experiments say nothing about eps_u_tautau there" in " ".join(json.loads(out)["notes"])


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("scan.beta", "scan.nonsense", "unknown parameter 'nonsense'"),
        ("scan.beta", "scan.variant", "variant cannot be scanned: it is a choice"),
        ("331-beta", "332", "unknown model '332'"),
        ("binh2021-csi", "nonsense", "unknown experiment 'nonsense'"),
        ('"0.3TeV"', '"-0.3TeV"', "m_zprime = -0.3 TeV is not allowed"),
        ('"0.3TeV"', "0.3", "scan.m_zprime: m_zprime = 0.3 has no unit"),
        ('"0.3TeV"', '"20TeV"', "scan.m_zprime: (low, high) = [20000000.0, 10000000.0] is not allowed"),
        ("sin2_theta_w = 0.23867", "sin2_theta_w = 2", "sin2_theta_w = 2 is not allowed"),
        ("sin2_theta_w = 0.23867", "beta = 1", "beta is both set and scanned"),
        ('model = "331-beta"', 'model = "331-beta"\nengine = "abacus"', "unknown engine 'abacus'"),
        (
            "scan.beta",
            "profile.m_zprime]\nlow = '1TeV'\nhigh = '2TeV'\n[scan.beta",
            "m_zprime is both scanned and profiled: do one of them",
        ),
        ("[set]", "[prior]\nnothing = 1\n[set]", "unknown nuisance parameter 'nothing'"),
        ("points = 101", "points = 1", "scan.m_zprime: points = 1 is not allowed: it must be 2 or more"),
        ("points = 101", "", "scan.m_zprime: it needs 'low', 'high' and 'points', or 'values'"),
        ("values =", "log = true\nvalues =", "'values' stand alone"),
        ("log = true", 'log = "yes"', "scan.m_zprime: log = yes is not allowed: it must be true or false"),
        ("log = true", "lag = true", "scan.m_zprime: unknown key 'lag': did you mean 'log'?"),
        ('["-sqrt(3)", 0, "1/sqrt(3)"]', '"-1..1"', "scan.beta: beta = -1..1 is not a number"),
        ("model =", "modell =", "does not say its model"),
        ('model = "331-beta"', 'model = "331-beta"\nfrom_factor = 1', "unknown parameter 'from_factor'"),
        ('model = "331-beta"', 'model = "331-beta"\npulls = "no"', "pulls = 'no' is not allowed"),
        ("[set]", "[set", "card.toml is no study card: Expected ']'"),
    ],
)
def test_a_bad_card_ends_in_one_sentence(run, tmp_path, old, new, text):
    assert old in CARD
    status, out, err = run("--output", "map.nc", card=CARD.replace(old, new))
    assert (status, out) == (2, "")
    assert text in err
    assert len(err.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["card.toml"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--output", "no/map.nc"), "cannot write to 'no/map.nc': there is no folder 'no'"),
        (("--output", "."), "it is a directory"),
        (("--output", "map.csv"), "'map.csv': the file must end in .nc, .nc4, .h5, .hdf5"),
        (("--output", "map.nc.gz"), "'map.nc.gz': the file must end in .nc"),
        (("--output", "map"), "'map': the file must end in .nc"),
        (
            ("--output", "map.nc", "--workers", "2", "--mpi"),
            "--workers, --dask and --mpi exclude one another",
        ),
        (("--output", "map.nc", "--workers", "0"), "workers = 0 is not allowed"),
        (
            ("--output", "map.nc", "--dask", "tcp://127.0.0.1:1"),
            "cannot reach a Dask scheduler at tcp://127.0.0.1:1",
        ),
    ],
)
def test_bad_arguments_end_in_one_sentence(run, tmp_path, monkeypatch, arguments, text):
    monkeypatch.setattr(executors, "_PATIENCE", 0.2)
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert text in err
    assert len(err.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["card.toml"]


SCAN = ("scan", "card.toml", "--output", "map.nc")
TOYS = ("feldman-cousins", "--model", "nsi", "--experiment", "binh2021-csi", "--scan", "eps_u_ee=0..1")


@pytest.mark.parametrize("command", [SCAN, TOYS])
def test_one_rank_of_mpi_is_too_few(monkeypatch, command):
    world = SimpleNamespace(COMM_WORLD=SimpleNamespace(Get_size=lambda: 1))
    monkeypatch.setitem(sys.modules, "mpi4py", SimpleNamespace(MPI=world))
    monkeypatch.setitem(sys.modules, "mpi4py.futures", SimpleNamespace(MPICommExecutor=None))
    status, out, err = command_line.run(*command, "--mpi")
    assert (status, out) == (2, "")
    assert "--mpi has no workers: start several ranks, mpiexec -n 8 nurecoil ... --mpi" in err


def test_the_examples_of_the_documentation_run(run):
    (card,) = re.findall(r"```toml\n(.*?)```", DOCS, flags=re.DOTALL)
    status, _, err = run("--output", "map.nc", card=card)
    assert (status, err) == (0, "")
    read, _, in_python = re.findall(r"```python\n(.*?)```", DOCS, flags=re.DOTALL)
    names = {}
    exec(re.sub(r"\.plot\(.*\)", "", read), names)
    assert 0 < int(names["allowed"].sum()) < 2000
    names["data"].close()
    exec(in_python, names)
    assert names["data"].delta_chi2.shape == (400, 3)
    names["data"].close()


def test_the_examples_of_the_help_run(run):
    card = textwrap.dedent(re.search(r"A card:\n(.*?)\n\n", command.help, flags=re.DOTALL)[1])
    here, processes, *_ = re.findall(r"nurecoil scan card.toml (.*)", command.help)
    for arguments in (here, processes.replace("8", "2").replace("map", "again")):
        status, out, err = run(*arguments.split(), card=card)
        assert (status, err) == (0, "")
        assert "1200 (400 m_zprime x 3 beta)" in out


def test_a_study_card_asks_for_the_same_scan(run, tmp_path):
    assert run("--output", "short.nc")[0] == 0
    card = """
    question = "scan"
    [study]
    model = "331-beta"
    experiments = "binh2021-csi"
    sin2_theta_w = 0.23867
    [ask]
    output = "other.nc"
    [ask.axes]
    m_zprime = {low = "0.3TeV", high = "10TeV", points = 101, log = true}
    beta = ["-sqrt(3)", 0, "1/sqrt(3)"]
    """
    assert run("--output", "whole.nc", card=card)[0] == 0
    assert command_line.run("run", "card.toml")[0] == 0
    for other in ("whole.nc", "other.nc"):
        assert (tmp_path / other).read_bytes() == (tmp_path / "short.nc").read_bytes()
    status, _, err = run("--output", "map.nc", card=card.replace('"scan"', '"limit"'))
    assert (status, err) == (
        2,
        "Error: card.toml asks for limit, and not for a scan: nurecoil run card.toml\n",
    )


def test_ranges_of_what_is_profiled_are_written_in_two_ways(run, tmp_path):
    card = CARD[: CARD.index("[scan.beta]")]
    assert run("--output", "one.nc", card=card + '[profile.beta]\nlow = "-1"\nhigh = 1\n')[0] == 0
    assert run("--output", "two.nc", card=card + '[profile]\nbeta = "-1..1"\n')[0] == 0
    assert (tmp_path / "one.nc").read_bytes() == (tmp_path / "two.nc").read_bytes()


def test_a_missing_card(tmp_path):
    assert command_line.run("scan", tmp_path / "nothing.toml", "--output", "map.nc")[0] == 2

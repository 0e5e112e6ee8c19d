"""The command line as a process of its own: its streams, its exit status, and signals."""

import os
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

import nurecoil
from command_line import ENVIRONMENT, finished, read_json, result, run, start

POSIX = pytest.mark.skipif(os.name == "nt", reason="signals, pipes and shells of POSIX")
NURECOIL = ("-m", "nurecoil")
SM = ("predict", "--model", "standard-model", "--experiment", "binh2021-csi")
POINT = ("predict", "--model", "331-beta", "--experiment", "binh2021-csi", "--set", "m_zprime=2TeV")
LIMIT = ("limit", "--model", "331-beta", "--experiment", "binh2021-csi", "--set", "beta=-sqrt(3)")
CSI = ("--model", "scaled-standard-model", "--experiment", "binh2021-csi")


@pytest.fixture(autouse=True)
def _in_an_empty_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def files():
    return sorted(map(str, Path().rglob("*")))


def test_as_a_process():
    status, out, err = finished([*NURECOIL, *SM, "--set", "sin2_theta_w=0.23867", "--json"])
    assert (status, err) == (0, "")
    assert read_json(out)["total"] == pytest.approx(186.95, abs=0.01)


def test_a_refusal_as_a_process():
    status, out, err = finished([*NURECOIL, *POINT, "--set", "beta=nan"])
    assert (status, out) == (2, "")
    assert err.startswith("Error: 331-beta: beta = nan")
    assert err.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("arguments", [["list"], ["--version"], [*SM, "--json"], ["--help"]])
def test_a_full_disk_is_one_sentence(arguments):
    with Path("/dev/full").open("w") as full:
        status, _, err = finished([*NURECOIL, *arguments], stdout=full)
    assert status == 2
    assert err.startswith("Error: cannot write the output: ")
    assert err.count("\n") == 1


@POSIX
def test_closed_streams_give_no_traceback():
    closed = in_a_shell(["list"], ">&-", stderr=subprocess.PIPE)
    assert (closed.returncode, closed.stderr) == (2, "Error: cannot write the output: stdout is closed\n")
    quiet = in_a_shell(["predict", "--model", "none"], "2>&-", stdout=subprocess.PIPE)
    assert (quiet.returncode, quiet.stdout) == (2, "")


def in_a_shell(arguments, redirection, **streams):
    line = f"{shlex.join([sys.executable, *NURECOIL, *arguments])} {redirection}"
    return subprocess.run(["sh", "-c", line], text=True, env=ENVIRONMENT, check=False, **streams)


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom nurecoil import cli\ntry:\n    cli.main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print([m for m in ('numpy', 'scipy', 'matplotlib', 'pydantic', 'jinja2') if m in sys.modules])"
    )
    status, out, _ = finished(["-c", code])
    assert (status, out.splitlines()[-1]) == (0, "[]")


def test_public_names_are_there_and_imported_when_first_used():
    code = (
        "import sys, nurecoil\nbefore = 'numpy' in sys.modules\n"
        "nurecoil.Study.predict\nothers = 'nurecoil.verbs.map' in sys.modules\n"
        "found = [getattr(p, n) is not None for p in (nurecoil, nurecoil.experiment) for n in p.__all__]\n"
        "print(before, others, all(found), hasattr(nurecoil, 'no_such_name'))"
    )
    status, out, err = finished(["-c", code])
    assert (status, out, err) == (0, "False False True False\n", "")


def test_a_terminal_without_greek_letters_does_not_stop_it():
    for extra in ([], ["--json"]):
        status, out, err = finished(
            [*NURECOIL, *POINT, "--set", "beta=0.3", *extra],
            env=ENVIRONMENT | {"PYTHONIOENCODING": "ascii"},
        )
        assert (status, err) == (0, "")
    assert "√3" in read_json(out)["notes"][0]


@POSIX
@pytest.mark.parametrize(
    "arguments", [["list"], [*LIMIT, "--scan", "m_zprime=0.1TeV..100TeV", "--json", "--points", "20001"]]
)
def test_a_reader_that_stops_reading_gets_no_traceback(arguments):
    with start([*NURECOIL, *arguments]) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode in (0, 1)


@POSIX
def test_a_plot_needs_no_backend_and_is_drawn_whatever_backend_is_named():
    nonsense = ENVIRONMENT | {"MPLBACKEND": "nonsense"}
    plot = [*NURECOIL, *LIMIT, "--scan", "m_zprime=1..10TeV", "--points", "101", "--plot", "a.png"]
    status, _, err = finished(plot, env=nonsense)
    assert (status, err, files()) == (0, "", ["a.png"])
    python = "import nurecoil; study = nurecoil.Study('nsi', 'binh2021-csi', engine='numpy')\n"
    python += "result = study.limit('eps_u_ee', '-0.5..1'); result.plot(); result.save('b.pdf')"
    status, _, err = finished(["-c", python], env=nonsense)
    assert (status, err, files()) == (0, "", ["a.png", "b.pdf"])


# --- what did not converge ----------------------------------------------------------------------------

PLATEAU = ("fit", *LIMIT[1:5], "--set", "beta=0", "--free", "m_zprime=10TeV")
WARNING = "Warning: the answer did not converge, so its numbers may be wrong\n"


def test_an_answer_that_did_not_converge_has_a_status_of_its_own():
    status, out, err = run(*PLATEAU)
    assert (status, err) == (3, WARNING)
    assert "there is no best fit" in out
    status, out, err = run(*PLATEAU, "--json")
    assert (status, err) == (3, WARNING)
    assert read_json(out)["converged"] is False


def test_its_files_are_written_all_the_same(monkeypatch):
    limit = nurecoil.Study.limit
    monkeypatch.setattr(
        "nurecoil.verbs.limit.limit", lambda *them, **named: replace(limit(*them, **named), converged=False)
    )
    status, out, err = run(*LIMIT, "--scan", "m_zprime=1..10TeV", "--points", "101", "--plot", "a.png")
    assert (status, err) == (3, WARNING)
    assert out.endswith("Plot: a.png\n")
    assert "NO: the ends of the intervals are not exact" in out
    assert files() == ["a.png"]


def test_the_status_is_explained():
    assert "3  the answer is printed, but did not converge" in run("--help")[1]


# --- signals ------------------------------------------------------------------------------------------

ENDLESS = """
import time
from nurecoil import cli, papers
cli.progress.SOON_IN_A_LOG = 0.2
from nurecoil.papers import Paper
def reproduce(progress):
    progress('started')
    time.sleep(60)
papers.load_paper = lambda name: Paper(name, 1, reproduce)
cli.main(['reproduce', 'mine'])
"""


@POSIX
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_is_quiet_and_leaves_nothing_behind(number, status):
    with start(["-c", ENDLESS]) as process:
        assert process.stderr.readline() == "reproduce: 0 s so far, started\n"
        assert any(name.startswith(".nurecoil-") for name in files())
        time.sleep(0.05)
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (status, "", "")
    assert files() == []


@POSIX
def test_a_plot_that_is_terminated_leaves_nothing_behind():
    toys = ("feldman-cousins", *CSI, "--scan", "signal_strength=0..4", "--toys", "9000000")
    soon = "from nurecoil import cli; cli.progress.SOON_IN_A_LOG = 0.1; cli.main()"
    with start(["-c", soon, *toys, "--plot", "fc.png"]) as process:
        # so it is computing, with its folder beside
        assert process.stderr.readline().startswith("feldman-cousins: ")
        assert any(name.startswith(".nurecoil-") for name in files())
        process.terminate()
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (143, "")
    assert "Traceback" not in err
    assert files() == []


SLOW_SCAN = """
import sys, time
from nurecoil import cli
from nurecoil.scans import running
from nurecoil.scans.checkpoint import Checkpoint
write = Checkpoint.write
def slowly(self, chunk, table):
    write(self, chunk, table)
    print(f'wrote {chunk}', file=sys.stderr, flush=True)
    time.sleep(1.0)
running.seconds_per_block = lambda work: 1.0
Checkpoint.write = slowly
cli.main(['scan', 'card.toml', '--output', 'map.nc'])
"""
CARD = """
model = "331-beta"
experiments = ["binh2021-csi"]
[set]
beta = "-sqrt(3)"
[scan.m_zprime]
low = "0.3TeV"
high = "10TeV"
points = 303
log = true
"""


@POSIX
def test_a_scan_that_is_terminated_goes_on_from_there(monkeypatch):
    Path("card.toml").write_text(CARD)
    with start(["-c", SLOW_SCAN]) as process:
        assert [process.stderr.readline() for _ in range(2)] == ["wrote 0\n", "wrote 1\n"]
        process.terminate()
        _, err = process.communicate(timeout=20)
    assert process.returncode == 143
    assert "kept in map.nc.partial, and the same command resumes it" in err
    assert "Traceback" not in err
    monkeypatch.setattr("nurecoil.scans.running.seconds_per_block", lambda work: 1.0)
    assert run("scan", "card.toml", "--output", "whole.nc")[0] == 0
    status, _, err = run("scan", "card.toml", "--output", "map.nc")
    assert (status, err) == (0, "scan: resumed: 2 of 5 chunks were there\n")
    assert Path("map.nc").read_bytes() == Path("whole.nc").read_bytes()
    assert files() == ["card.toml", "map.nc", "whole.nc"]


def test_the_handler_of_a_signal_is_put_back():
    before = signal.getsignal(signal.SIGTERM)
    assert result(*SM)["converged"]
    assert signal.getsignal(signal.SIGTERM) is before

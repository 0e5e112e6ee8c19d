"""Who asks is told how far a long computation is, never of more steps than were promised."""

import re
import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest

import asking
import command_line
import nurecoil
from nurecoil.cli import progress as showing
from nurecoil.inference import contours as contour_search
from nurecoil.inference import sampling
from nurecoil.inference.contours import Axis, Plane, contours
from nurecoil.inference.priors import Prior, Target
from nurecoil.progress import Report, heard_by, in_steps, parts, stepwise, tell, watched
from told import Told

GAUSSIAN = Target(lambda x: -0.5 * ((x[:, 0] - 1.0) / 0.1) ** 2, (Prior(-5.0, 5.0),))
# two narrow modes far apart: it takes long until walkers agree on their weights
SLOW = Target(lambda x: np.logaddexp(*(-0.5 * ((x[:, 0] - m) / 1e-3) ** 2 for m in (-4, 4))), GAUSSIAN.priors)


@pytest.fixture
def told(monkeypatch):
    told = Told()
    for room in (sampling, contour_search):
        monkeypatch.setattr(room, "in_steps", told)
    return told


def test_an_ensemble_that_converges_at_once_says_so_in_few_steps(told):
    found = sampling.sample_ensemble(GAUSSIAN, 1, 2000)
    assert not found.problems
    assert told.promised == [4 + 4]  # 2000 steps, in units of 500
    assert told.said[3] == "from the prior to the posterior, 4 of 4"
    assert told.said[4] == "on to 500 of at most 2000 steps"
    assert told.said[-1] == f"on to {found.steps} of at most 2000 steps"
    assert len(told.said) <= 7


def test_an_ensemble_that_never_converges_takes_all_steps(told):
    found = sampling.sample_ensemble(SLOW, 1, 1000)
    assert found.problems
    assert told.promised == [6]
    assert told.said[4:] == ["on to 500 of at most 1000 steps", "on to 1000 of at most 1000 steps"]


def test_contours_tell_of_the_grid_and_of_each_level(told):
    def chi2(x):
        return (x**2).sum(axis=1), np.full(len(x), True)

    def minimise(starts):
        return np.zeros_like(starts), np.full(len(starts), True)

    plane = Plane(chi2, (Axis(-3.0, 3.0), Axis(-3.0, 3.0)))
    found = contours(plane, minimise, [1.0, 2.0], points=(23, 11))
    assert told.promised == [len(told.said)] == [1 + 1 + 2]
    assert told.said[-4:] == [
        "the grid of 23 x 11 points", "the best fit, and a finer grid where contours pass",
        "the contours at 1", "the contours at 2",
    ]  # fmt: skip
    assert found.delta_chi2[0, 0] == pytest.approx(18.0)


# --- steps, and steps of steps ------------------------------------------------------------------------


class Ear:
    """A listener that keeps the report, and what it is told."""

    def __init__(self):
        self.said, self.report, self.ended = [], None, False

    def say(self, text):
        self.said.append(text)

    @contextmanager
    def watch(self, report):
        self.report = report
        yield
        self.ended = True


@pytest.fixture
def ear():
    """Return a listener that watches all the test."""
    heard = Ear()
    with heard_by(heard.say, heard.watch), watched():
        yield heard


def test_the_steps_of_a_step_share_its_part_of_the_whole(ear):
    shares = []
    with in_steps(4) as begin:
        for text in ("one", "two"):
            begin(text)
            shares.append((ear.report.share, ear.report.text))
        shares += [ear.report.share for _ in stepwise("abc", "letters")]
        begin("", 2)
        shares.append((ear.report.share, ear.report.text))
    assert shares == [(0.0, "one"), (0.25, "two"), 0.25, 0.25 + 0.25 / 3, 0.25 + 0.5 / 3, (0.5, "letters")]


def test_a_share_never_falls_and_never_exceeds_the_whole(ear):
    shares = []
    with in_steps(2) as begin:
        begin()
        for _ in range(3):  # more than was promised
            shares += [ear.report.share for _ in stepwise("abcd")]
        for _ in range(3):
            begin()
            shares.append(ear.report.share)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_what_nobody_has_planned_is_no_part(ear):
    assert list(parts([1, 2])) == [1, 2]
    assert ear.report.share == 0.0
    with in_steps(2) as begin:
        begin()
        assert [ear.report.share for _ in parts([1, 2])] == [0.0, 0.25]


def test_a_step_that_fails_leaves_no_trace(ear):
    with in_steps(2) as begin:
        begin()
        with pytest.raises(ValueError, match="lost"), in_steps(2) as within:  # noqa: PT012
            within()
            raise ValueError("lost")
        begin()
        assert ear.report.part == (0.5, 1.0)
    assert ear.report.part is None


def test_nothing_to_do_is_done_at_once(ear):
    with in_steps(0) as begin:
        begin("", 0)
    assert list(stepwise([])) == []


def test_nobody_need_listen():
    tell("nothing")
    with watched(), in_steps(2) as begin:
        begin("one", 2)
    assert list(stepwise([1, 2])) == list(parts([1, 2])) == [1, 2]


def test_another_thread_is_not_heard(ear):
    thread = threading.Thread(target=lambda: tell("from far away"))
    thread.start()
    thread.join()
    tell("from here")
    assert ear.said == ["from here"]


# --- every question -----------------------------------------------------------------------------------

STRENGTH = ("signal_strength", 0.0, 3.0)
ALL = {
    "limit": lambda m, e: asking.limit(m, e[:1], {}, STRENGTH),
    "combine": lambda m, e: asking.combine(m, e, {}, STRENGTH),
    "sensitivity": lambda m, e: asking.sensitivity(m, e[:1], {}, STRENGTH, toys=100),
    "goodness": lambda m, e: asking.goodness(m, e, {}, {}, toys=10),
    "significance": lambda m, e: asking.significance(
        m, e, {}, {"signal_strength": 1.0}, {"signal_strength": 0.0}, toys=10
    ),
    "map": lambda m, e: asking.profile_map(
        m, e[:1], {}, [STRENGTH, ("sin2_theta_w", 0.1, 0.4)], cl=[0.9], points=21
    ),
    "impact": lambda m, e: asking.impact(m, e, {}, {"signal_strength": 1.0}),
    "feldman_cousins": lambda m, e: asking.feldman_cousins(
        m, e[:1], {}, STRENGTH, toys=100, points=5, rounds=1, coverage=[1.0]
    ),
    "sample": lambda m, e: asking.sample(m, e[:1], {}, {"signal_strength": (0.0, 3.0)}, max_steps=500),
}


@pytest.mark.parametrize("ask", ALL.values(), ids=ALL)
def test_every_question_has_steps_and_the_same_answer_whoever_listens(compiled, ask, monkeypatch):
    shares = set()

    class Noted(Report):
        def __setattr__(self, name, value):
            super().__setattr__(name, value)
            if name == "share":
                shares.add(value)

    monkeypatch.setattr("nurecoil.progress.Report", Noted)
    asked = nurecoil.load_model("scaled-standard-model"), [compiled["binh2021-csi"], compiled["binh2021-lar"]]
    silent = Ear()
    with heard_by(silent.say, silent.watch), watched():
        heard = ask(*asked)
    assert min(shares) == 0.0
    assert max(shares) <= 1.0
    if ask not in (ALL["goodness"], ALL["significance"]):  # whose few toys are one step
        assert max(shares) >= 0.5
    assert repr(heard.values) == repr(ask(*asked).values)


# --- what is shown ------------------------------------------------------------------------------------

COMBINE = ("combine", "--model", "331-beta", "--experiment", "binh2021-csi", "--experiment", "binh2021-lar")
COMBINE = (*COMBINE, "--set", "beta=0", "--scan", "m_zprime=0.1..10TeV", "--json")
LINE = r"combine: (\d+ s so far|\d+ %, \d+ s left)(, together|, binh2021-(csi|lar))?"


def test_what_ends_soon_is_silent():
    assert showing.SOON <= 2 <= showing.SOON_IN_A_LOG
    assert command_line.run(*COMBINE)[::2] == command_line.run(*COMBINE, terminal=True)[::2] == (0, "")


def test_in_a_log_it_is_a_line_now_and_then():
    _, quiet, _ = command_line.run(*COMBINE)
    status, out, err = command_line.run(*COMBINE, progress=0.01)
    assert (status, out) == (0, quiet)
    assert len(err.splitlines()) > 1
    for line in err.splitlines():
        assert re.fullmatch(LINE, line)


def test_on_a_terminal_it_is_one_line_that_is_gone_at_the_end(monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    _, quiet, _ = command_line.run(*COMBINE)
    status, out, err = command_line.run(*COMBINE, progress=0.01, terminal=True)
    assert (status, out) == (0, quiet)
    assert "\n" not in err
    *shown, blank, end = err.split("\r")
    assert (blank.strip(), end) == ("", "")
    assert all(len(line) < 30 for line in shown)
    assert any(line.startswith("combine: ") for line in shown)


def test_a_dumb_terminal_is_a_log(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    assert "\r" not in command_line.run(*COMBINE, progress=0.01, terminal=True)[2]


def test_an_error_comes_after_the_line_is_gone(monkeypatch):
    def fail(*them, **named):
        time.sleep(0.1)
        raise nurecoil.NurecoilError("it cannot be")

    monkeypatch.setattr("nurecoil.verbs.combine.combine", fail)
    status, out, err = command_line.run(*COMBINE, progress=0.01, terminal=True)
    assert (status, out) == (2, "")
    assert err.endswith("\rError: it cannot be\n")


def test_a_sentence_is_said_at_once(monkeypatch):
    def compiling(*them, **named):
        tell("compiling the loops first")
        raise nurecoil.NurecoilError("enough")

    monkeypatch.setattr("nurecoil.verbs.combine.combine", compiling)
    assert command_line.run(*COMBINE)[2] == "combine: compiling the loops first\nError: enough\n"


@pytest.mark.parametrize(
    ("share", "seconds", "text"),
    [
        (0.0, 30, "30 s so far, *m*"),
        (0.25, 30, "25 %, 90 s left, *m*"),
        (0.01, 30, "1 %, 50 min left, *m*"),
        (0.001, 30, "0 %, 8.3 h left, *m*"),
        (1.0, 30, "100 %, 0 s left, *m*"),
    ],
)
def test_the_time_left_is_that_of_the_rest_at_this_pace(monkeypatch, share, seconds, text):
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0)
    report = Report(print, print, share=share, since=1000.0 - seconds, text=r"\*m\*")
    assert showing._how_far(report, begun=1000.0 - seconds) == text


def test_that_nobody_reads_on_stops_nothing():
    class Closed(command_line.Terminal):
        def write(self, text):
            raise BrokenPipeError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stderr", Closed())
        showing.Shown("limit").say("anything")

"""What a limit hangs on: closed forms, cards in other bins, the quoted numbers, and what is not tried."""

import copy
import math
import shlex
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import asking
import nurecoil
from asking import study
from command_line import read_json, result, run
from nurecoil.experiment import STANDARD_BASIS, Component, Statistics, Variance, compile_experiment
from nurecoil.inference import Interval
from nurecoil.models import STANDARD_MODEL, load_model
from nurecoil.physics.form_factors import form_factor
from nurecoil.presentation.document import Table
from nurecoil.validation import LIMITS
from nurecoil.validation.limits import hanging
from nurecoil.verbs.vary import Choice, _choices, _compare, table, vary
from test_binned_card import mine  # noqa: F401  (a fixture)

LEVEL = 2.705543454  # 90 % CL
OBSERVED, BACKGROUND, VARIANCE = 140.0, 20.0, 200.0
WIDTHS = (0.2, 0.3)  # of signal and background
SCALED = load_model("scaled-standard-model")
STRENGTH = ("signal_strength", 0.0, 9.0)
CSI, LAR = "coherent-csi-2021", "coherent-lar-2020"


def limit_of(scan, **options):
    """Return what asks a study for a limit."""
    name, *ends = scan
    return lambda study: study.limit(name, tuple(ends), **{"points": 301} | options)


def rows(found):
    return {varied.choice: varied for varied in found.values.variations}


def choices(study, scan, **options):
    """Return the choices by name."""
    base = limit_of(scan, **options)(study)
    return {choice.name: choice for choice in _choices(study, base)}


@pytest.fixture
def counting(csi):
    """Return the seed's detector with round numbers: one Gaussian count, χ² known in closed form."""
    statistics = csi.experiment.statistics
    signal, background = (
        replace(c, rates=(replace(c.rates[0], prior_width=width),))
        for c, width in zip(statistics.components, WIDTHS, strict=True)
    )
    changed = Statistics(
        np.array([OBSERVED]),
        signal,
        (replace(background, nominal=np.array([BACKGROUND])),),
        Variance(VARIANCE - OBSERVED, 1.0),
    )
    return replace(csi, experiment=replace(csi.experiment, statistics=changed))


def ends(signal, of_signal=WIDTHS[0], of_background=WIDTHS[1]):
    """Solve (n - B - θS)² = L (V + θ²S²w² + B²v²) for θ."""
    excess = OBSERVED - BACKGROUND
    a = signal**2 * (1 - LEVEL * of_signal**2)
    b = -2 * excess * signal
    c = excess**2 - LEVEL * (VARIANCE + (BACKGROUND * of_background) ** 2)
    root = math.sqrt(b * b - 4 * a * c)
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


def test_shifts_are_those_of_the_closed_form(counting):
    def counts(**values):
        return float(counting.counts(STANDARD_MODEL.couplings(**values)).sum())

    base, s = ends(counts()), counts()
    klein = compile_experiment(counting.experiment.with_form_factor(form_factor("klein-nystrand")))
    expected = {
        "binh2021-csi_signal held": ends(s, of_signal=0),
        "binh2021-csi_signal halved": ends(s, of_signal=0.1),
        "binh2021-csi_signal doubled": ends(s, of_signal=0.4),
        "binh2021-csi_background held": ends(s, of_background=0),
        "binh2021-csi_background halved": ends(s, of_background=0.15),
        "binh2021-csi_background doubled": ends(s, of_background=0.6),
        "sin2_theta_w=0.2312": ends(counts(sin2_theta_w=0.2312)),
        "electroweak=radiative": ends(counts(electroweak="radiative")),
        "form factor klein-nystrand": ends(float(klein.counts(STANDARD_MODEL.couplings()).sum())),
    }
    found = vary(study(SCALED, (counting,), {}), limit_of(STRENGTH))
    (interval,) = found.values.profile.intervals
    assert (interval.low, interval.high) == pytest.approx(base, rel=1e-6)
    varied = rows(found)
    others = {"form factor helm", "form factor symmetrised-fermi"}
    assert set(varied) == set(expected) | others  # one number has no bins, and nothing is mirrored
    for name, there in expected.items():
        shifts = [b - a for a, b in zip(base, there, strict=True)]
        assert varied[name].shifts == pytest.approx(shifts, rel=1e-4, abs=1e-7), name
        (changed,) = varied[name].intervals
        assert (changed.low, changed.high) == pytest.approx(there, rel=1e-6), name
        size = max(map(abs, shifts)) / (base[1] - base[0])
        assert varied[name].size == pytest.approx(size, rel=1e-4, abs=1e-6)
    sizes = [v.size for v in found.values.variations]
    assert sizes == sorted(sizes, reverse=True)


def test_each_row_is_what_its_meaning_says_to_ask(counting):
    """The option that a row names gives the interval of the row."""
    found = rows(vary(study(SCALED, (counting,), {}), limit_of(STRENGTH)))
    assert found["binh2021-csi_signal held"].meaning == "--fix binh2021-csi_signal"
    assert found["binh2021-csi_signal doubled"].meaning == "--prior binh2021-csi_signal=0.4"
    assert found["sin2_theta_w=0.2312"].meaning == "--set sin2_theta_w=0.2312"
    for row in found.values():
        if row.meaning.startswith(("--prior", "--fix")):
            pull, _, width = row.meaning.split()[1].partition("=")
            alone = asking.limit(SCALED, [counting], {}, STRENGTH, widths={pull: float(width or 0)})
            (interval,), (listed,) = alone.values.profile.intervals, row.intervals
            assert (listed.low, listed.high) == pytest.approx((interval.low, interval.high), rel=1e-7)


# --- what applies -------------------------------------------------------------------------------------


def test_what_does_not_apply_is_not_listed(counting):
    case = study(SCALED, (counting,), {}, widths={"binh2021-csi_background": 0.0})
    found = set(choices(case, STRENGTH))
    assert not {name for name in found if "background" in name or "bin" in name.split()[-1]}
    assert "form factor helm-binh2021" not in found  # its own
    assert "form factor point" not in found  # no nucleus
    angle = ("sin2_theta_w", 0.1, 0.4)
    assert "sin2_theta_w=0.2312" not in choices(study(STANDARD_MODEL, (counting,), {}), angle)
    profiled = SimpleNamespace(fixed={}, values=SimpleNamespace(parameter=SCALED.parameters[0]))
    names = {choice.name for choice in _choices(study(SCALED, (counting,), {}), profiled)}
    assert "sin2_theta_w=0.2312" not in names
    pole = choices(study(SCALED, (counting,), {"sin2_theta_w": 0.2312}), STRENGTH)
    assert {name for name in pole if name.startswith("sin2")} == {"sin2_theta_w=0.23857"}
    free = study(SCALED, (counting,), {"signal_strength": 1.0})
    scanned = choices(free, ("binh2021-csi_signal", -0.9, 0.9))
    assert not {name for name in scanned if name.startswith("binh2021-csi_signal")}
    unknown = choices(study(SCALED, (counting,), {}, widths={"binh2021-csi_signal": math.inf}), STRENGTH)
    assert {n for n in unknown if "_signal" in n} == {
        "binh2021-csi_signal held"
    }  # twice infinite is the same


def test_priors_that_are_given_are_varied_and_shared_ones_once(counting, compiled):
    other = compiled["binh2021-lar"]
    signal = counting.experiment.statistics.signal
    statistics, (shared,) = replace(other.experiment.statistics, signal=signal), signal.rates
    together = replace(other, experiment=replace(other.experiment, statistics=statistics))
    case = study(SCALED, (counting, together), {}, widths={shared.name: 0.1})
    found = choices(case, STRENGTH)
    assert [n for n in found if n.startswith(shared.name)] == [
        f"{shared.name} {word}" for word in ("held", "halved", "doubled")
    ]
    assert found[f"{shared.name} doubled"].study().widths == {shared.name: 0.2}


def test_a_constraint_is_varied_as_a_prior_is(counting):
    """Halved and doubled about its own centre; what is constrained is not set to another value as well."""
    scan, case = STRENGTH, study(SCALED, (counting,), {}, widths={"sin2_theta_w": (0.23, 0.002)})
    found = choices(case, scan)
    assert {name for name in found if "sin2" in name} == {"sin2_theta_w halved", "sin2_theta_w doubled"}
    doubled = found["sin2_theta_w doubled"]
    assert doubled.meaning == "--constrain sin2_theta_w=0.23+-0.004"
    assert doubled.study().widths == {"sin2_theta_w": (0.23, 0.004)}
    answer = vary(case, limit_of(scan))
    assert rows(answer)["sin2_theta_w doubled"].shifts[1] > 0
    assert not any("could not be tried" in note for note in answer.notes)


def test_counts_without_end_stay_without_end(mine):  # noqa: F811
    """A magnetic moment without threshold counts infinitely; whatever else is changed stays a number."""
    whole = compile_experiment(mine())
    endless = whole.with_templates(
        lambda t: replace(t, channels={**t.channels, "magnetic": np.full_like(t["magnetic"], np.inf)})
    )
    for name, choice in choices(study(SCALED, (whole,), {}), STRENGTH).items():
        (finite,) = choice.study().experiments
        (changed,) = choices(study(SCALED, (endless,), {}), STRENGTH)[name].study().experiments
        np.testing.assert_array_equal(changed.templates["vector"], finite.templates["vector"])
        assert not np.isnan(templates(changed)).any(), name


def test_without_pulls_it_says_so(mine):  # noqa: F811
    compiled = compile_experiment(mine())
    signal = Component("signal", compiled.experiment.signal)
    statistics = replace(compiled.experiment.statistics, signal=signal, backgrounds=())
    experiment = replace(compiled.experiment, statistics=statistics)
    bare = replace(compiled, experiment=experiment, variations=())
    found = vary(study(SCALED, (bare,), {}), limit_of(STRENGTH))
    assert any("there is no nuisance parameter" in note for note in found.notes)
    assert not any("halved" in name for name in rows(found))


def test_a_choice_that_cannot_be_made_is_told(counting):
    def refuse():
        raise nurecoil.NurecoilError("no such nucleus")

    found = vary(study(SCALED, (counting,), {}), limit_of(STRENGTH), [Choice("mad", "", refuse)])
    assert "mad could not be tried: no such nucleus" in found.notes
    assert "mad" not in rows(found)


def test_a_limit_that_did_not_converge_is_told(counting):
    calls = []

    def ask(case):
        calls.append(case)
        answer = limit_of(STRENGTH)(case)
        return replace(answer, converged=len(calls) != 2)

    found = vary(study(SCALED, (counting,)), ask)
    assert not found.converged
    assert any("did not converge" in note for note in found.notes)


# --- changed experiments ------------------------------------------------------------------------------


matrix = STANDARD_BASIS.matrix


def templates(compiled):
    pairs = [t for pair in compiled.variations for t in pair]
    return np.array([matrix(t) for t in (compiled.templates, *pairs)])


def test_bins_are_merged_and_dropped_as_a_card_with_those_bins_has_them(mine):  # noqa: F811
    whole = compile_experiment(mine())
    found = choices(study(SCALED, (whole,), {}), STRENGTH)
    cards = {
        "mine: time in one bin": [("edges_us = [0, 1, 6]", "edges_us = [0, 6]")],
        "mine: energy in one bin": [("edges = [1, 2, 4, 10]", "edges = [1, 10]")],
    }
    for name, changes in cards.items():
        (changed,), card = found[name].study().experiments, compile_experiment(mine(*changes))
        np.testing.assert_allclose(templates(changed), templates(card), rtol=1e-6)
        ours, theirs = changed.experiment.statistics, card.experiment.statistics
        assert ours.observed.tolist() == theirs.observed.tolist()
        for one, other in zip(ours.backgrounds, theirs.backgrounds, strict=True):
            np.testing.assert_allclose(one.nominal, other.nominal, rtol=1e-12)
        assert changed.experiment.shape == card.experiment.shape
    (dropped,) = found["mine: first energy bin dropped"].study().experiments
    np.testing.assert_array_equal(templates(dropped), templates(whole)[..., 2:])
    assert dropped.experiment.statistics.observed.tolist() == [50, 35, 20, 30]
    before, after = (e.experiment.statistics.backgrounds[0].nominal for e in (whole, dropped))
    np.testing.assert_array_equal(after, before[2:])
    assert dropped.experiment.axes[0].edges == (2, 4, 10)


def test_nothing_that_was_given_is_changed(mine):  # noqa: F811
    whole = compile_experiment(mine())
    kept = copy.deepcopy(whole)
    for choice in choices(study(SCALED, (whole,), {}), STRENGTH).values():
        choice.study()
    np.testing.assert_array_equal(templates(whole), templates(kept))
    ours, theirs = whole.experiment.statistics, kept.experiment.statistics
    np.testing.assert_array_equal(ours.observed, theirs.observed)
    np.testing.assert_array_equal(ours.backgrounds[0].nominal, theirs.backgrounds[0].nominal)
    assert whole.experiment.shape == kept.experiment.shape


def test_another_form_factor_leaves_the_pulls_their_factors(mine):  # noqa: F811
    whole = compile_experiment(mine())
    (changed,) = (
        choices(study(SCALED, (whole,), {}), STRENGTH)["form factor klein-nystrand"].study().experiments
    )
    alone = compile_experiment(whole.experiment.with_form_factor(form_factor("klein-nystrand")))
    np.testing.assert_allclose(matrix(changed.templates), matrix(alone.templates), rtol=1e-12)
    before, after = templates(whole), templates(changed)
    some = before[0] > 0
    np.testing.assert_allclose(
        after[1:, some] / after[0, some], before[1:, some] / before[0, some], rtol=1e-9
    )


# --- comparison ---------------------------------------------------------------------------------------


def compared(counting, before, after, name="signal_strength"):
    answer = asking.limit(SCALED, [counting], {}, STRENGTH, points=101)
    parameter = replace(answer.values.parameter, log_scan=name != "signal_strength")

    def with_intervals(intervals):
        profile = replace(answer.values.profile, intervals=intervals)
        changed = {answer.values.cl: profile}
        return replace(answer, values=replace(answer.values, profiles=changed, parameter=parameter))

    base = with_intervals(before)
    varied = _compare(Choice("a choice", "", lambda: None), base.values, with_intervals(after))
    shown = replace(base, values=replace(base.values, variations=(varied,)))
    return varied, table(shown.values).rows[-1]


def closed(low, high):
    return Interval(low, high, False, False)


def test_what_becomes_of_intervals_is_told(counting):
    two = (closed(1.0, 2.0), closed(4.0, 6.0))
    varied, row = compared(counting, two, (closed(1.1, 2.5), closed(3.9, 6.0)))
    assert varied.shifts == pytest.approx((0.1, 0.5, -0.1, 0.0))
    assert varied.size == pytest.approx(0.5)
    assert row[1:] == ("1.1 to 2.5; 3.9 to 6", "+0.1, +0.5; −0.1, +0")
    for fewer, allowed in (((closed(1.0, 6.0),), "1 to 6"), ((), "nothing")):
        varied, row = compared(counting, two, fewer)
        assert (varied.shifts, varied.size) == ((), math.inf)
        assert row[1:] == (allowed, f"2 → {len(fewer)} intervals")


def test_an_end_at_the_edge_of_the_scan_is_no_end(counting):
    above = (Interval(2.0, 9.0, False, True),)
    varied, row = compared(counting, above, (Interval(1.0, 9.0, False, True),))
    assert varied.shifts == (-1.0, None)
    assert row[1:] == ("above 1", "−1, –")
    varied, row = compared(counting, above, (closed(2.0, 8.0),))
    assert varied.size == math.inf
    assert row[1:] == ("2 to 8", "an end comes or goes")
    varied, row = compared(counting, above, (Interval(1.0, 9.0, False, True),), "m_zprime")
    assert varied.size == pytest.approx(math.log(2))  # where the scan is logarithmic


# --- real data ----------------------------------------------------------------------------------------


def test_what_the_limit_of_csi_hangs_on(coherent):
    """An independent fit: base -0.0485 to 0.1059 and 0.289 to 0.436; upper ends of the first, but merged."""
    case, ask = study("nsi", (coherent[CSI],)), limit_of(("eps_u_ee", -0.5, 1.0))
    base = ask(case)
    assert [x for i in base.values.profile.intervals for x in (i.low, i.high)] == pytest.approx(
        [-0.0485, 0.1059, 0.289, 0.436], rel=0.03
    )
    found = {choice.name: choice for choice in _choices(case, base)}
    upper = {
        f"{CSI}_onset held": 0.067,
        f"{CSI}: first energy bin dropped": 0.132,
        "sin2_theta_w=0.2312": 0.089,
        f"{CSI}: time in one bin": 0.422,
    }
    assert upper.keys() <= found.keys()
    for name, value in upper.items():
        intervals = ask(found[name].study()).values.profile.intervals
        assert intervals[0].high == pytest.approx(value, rel=0.03), name
        assert len(intervals) == (1 if name.endswith("time in one bin") else 2)
    assert not {name for name in found if "mirrored" in name or "flavour" in name}  # both sides, own times


def test_what_argon_alone_has(coherent):
    """Times per flavour: 158 events become 136 with the rates alone, as a fit without nurecoil found."""
    lar = coherent[LAR]
    nothing = SimpleNamespace(fixed={}, values=SimpleNamespace(parameter=SCALED.parameters[0]))
    found = {c.name: c for c in _choices(study(SCALED, (lar,), {}), nothing)}
    assert f"{LAR}_delayed_neutrons held" in found
    (timed,) = found[f"{LAR}: times per flavour"].study().experiments
    statistics = lar.experiment.statistics
    rates = {rate.name for background in statistics.backgrounds for rate in background.rates}
    widths = {p.name: 0.0 for p in statistics.pulls if p.name not in rates}
    for experiment, events in ((lar, 158), (timed, 136)):
        fit = asking.fit(
            SCALED, [experiment], {"electroweak": "radiative"}, {"signal_strength": 1.0}, widths=widths
        )
        assert fit.values.components[LAR]["signal"].sum() == pytest.approx(events, rel=0.01)
    (one_sided,) = found[f"{LAR}: mirrored pulls off"].study().experiments
    mirrored = {f"{LAR}_signal_time_mean", f"{LAR}_neutron_time_width"}
    changed = one_sided.experiment.statistics
    for v, (_, down) in zip(changed.signal.shapes, one_sided.variations, strict=True):
        same = np.allclose(matrix(down), matrix(one_sided.templates), rtol=1e-12)
        assert same == (v.pull.name in mirrored)
    for b in changed.backgrounds:
        for v in b.shapes:
            assert np.array_equal(v.down, b.nominal) == (v.pull.name in mirrored)


def test_what_is_mirrored_is_so_in_merged_bins_too(coherent):
    """Sums of mirrored bins are no mirror of the sum: a pull of times does next to nothing to one bin."""
    lar = coherent[LAR]
    nothing = SimpleNamespace(fixed={}, values=SimpleNamespace(parameter=SCALED.parameters[0]))
    found = {c.name: c for c in _choices(study(SCALED, (lar,), {}), nothing)}
    (merged,) = found[f"{LAR}: time in one bin"].study().experiments
    nominal, checked = merged.templates, 0
    for v, (up, down) in zip(merged.experiment.statistics.signal.shapes, merged.variations, strict=True):
        if v.mirrored:
            checked += 1
            np.testing.assert_allclose(matrix(down) * matrix(up), matrix(nominal) ** 2, rtol=1e-12, atol=0)
            assert matrix(down).sum() == pytest.approx(matrix(nominal).sum(), rel=0.02)
    for b in merged.experiment.statistics.backgrounds:
        for v in b.shapes:
            if v.mirrored:
                checked += 1
                some = (b.nominal > 0) & (v.up > 0)
                np.testing.assert_allclose((v.down * v.up)[some], (b.nominal**2)[some], rtol=1e-12)
                assert v.down.sum() == pytest.approx(b.nominal.sum(), rel=0.02)
    assert checked == 2


# --- the command and the page -------------------------------------------------------------------------

ASKED = ("limit", "--model", "331-beta", "--experiment", "binh2021-csi", "--set", "beta=-sqrt(3)")
ASKED = (*ASKED, "--scan", "m_zprime=0.1..100TeV", "--points", "301")


def test_the_command_prints_the_table(monkeypatch):
    monkeypatch.setenv("COLUMNS", "140")
    status, out, _ = run(*ASKED, "--vary")
    assert status == 0
    assert "What the limit hangs on: m_zprime [TeV]" in out
    assert "sin2_theta_w=0.2312" in out
    assert "the limit hangs on sin2_theta_w: at 0.2312 the Standard Model's counts change by" in out


def test_json_has_the_border_unit_and_null_where_it_was_not_asked():
    status, out, _ = run(*ASKED, "--vary", "--json")
    assert status == 0
    found = read_json(out)
    (held,) = (v for v in found["variations"] if v["choice"] == "binh2021-csi_signal held")
    assert held["shifts"][0] == pytest.approx(held["allowed"][0][0] - found["allowed"][0][0])
    assert held["shifts"][1] is None
    assert result(*ASKED)["variations"] is None


def test_the_page_has_a_table_for_each_limit_that_its_experiments_give(monkeypatch):
    done = []

    monkeypatch.setattr("nurecoil.validation.limits.varied", lambda asked: done.append(asked.scan))
    monkeypatch.setattr("nurecoil.validation.limits.table", lambda _: Table("t", ("a",), (("b",),)))
    assert hanging(("coherent-csi-2017",), lambda step: None) is None
    section = hanging((CSI,), lambda step: None)
    assert done == ["eps_u_ee=-0.5..1", "eps_u_mumu=-0.5..1"]
    assert len(section.blocks) == 1 + 2 * 2
    assert len(hanging((CSI, LAR), lambda step: None).blocks) == 1 + 2 * len(LIMITS)
    assert all(asked.lesson for asked in LIMITS)


@pytest.mark.parametrize("asked", LIMITS, ids=lambda asked: asked.scan)
def test_the_commands_of_the_page_can_be_asked(asked):
    words = shlex.split(asked.command)
    assert words[:2] == ["nurecoil", "limit"]
    model = load_model(asked.model)
    names = {p.name for p in model.parameters}
    assert {asked.scan.split("=")[0], *(text.split("=")[0] for text in asked.settings)} <= names

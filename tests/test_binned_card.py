"""Binned cards of a user's own: read, fitted, and every mistake told with its file and field."""

import hashlib
import math

import numpy as np
import pytest

import asking
import nurecoil
from asking import fit
from nurecoil.detector.efficiency import TabulatedEfficiency
from nurecoil.errors import NurecoilError
from nurecoil.experiment import STANDARD_BASIS, compile_experiment
from nurecoil.experiment.card import load_experiment
from nurecoil.models import SCALED_STANDARD_MODEL as SCALED
from nurecoil.models import STANDARD_MODEL, load_model
from nurecoil.study.question import joint_likelihood

CARD = """
name = "mine"
title = "A detector of my own"
reference = "none"

[target]
material = "Ge"
mass = "10 kg"
form_factor = "helm"

[source]
flux = "pion-decay-at-rest"
protons_on_target = 2e23
neutrinos_per_proton = 0.09
baseline = "20 m"

[cross_section]
vector_recoil_term = true
magnetic_recoil_term = false
magnetic_form_factor = true

[detector]
observable = "energy [keV]"
edges = [1, 2, 4, 10]
step = 0.5
quenching = { kind = "constant", factor = 0.2 }
smearing = { kind = "gaussian", a = 0.3 }
efficiency = { kind = "tabulated", x = [0, 2], efficiency = [0.5, 0.9] }

[time]
kind = "pulse"
edges_us = [0, 1, 6]
pulse_mean = "0.5 us"
pulse_width = "0.1 us"
prompt = ["nu_mu"]
delayed = ["nu_mu_bar", "nu_e"]

[data]
observed = { file = "seen.txt", columns = { energy = 0, time = 1 }, weight = 2 }

[[backgrounds]]
name = "flat"
counts = 60
pull = "mine_flat"
width = 0.2

[[backgrounds.factors]]
axes = ["energy"]
table = { file = "flat.csv", columns = { energy = 0 }, weight = 1 }

[[backgrounds.factors]]
axes = ["time"]
exponential_rate_per_us = 0.1

[[signal_pulls]]
effect = "normalisation"
name = "sns_flux"
width = 0.1

[[signal_pulls]]
effect = "quenching"
name = "mine_quenching"
up = { kind = "constant", factor = 0.22 }
down = { kind = "constant", factor = 0.18 }

[[signal_pulls]]
effect = "onset"
name = "mine_onset"
shift = "0.05 us"
"""
SEEN = "# keV us counts\n1.5 0.5 60\n1.5 3 40\n3 0.5 50\n3 3 35\n7 0.5 20\n7 3 30\n"
FLAT = "1.5,1\n3,2\n7,6\n"
QUENCHING = """
[[signal_pulls]]
effect = "quenching"
name = "mine_quenching"
up = { kind = "constant", factor = 0.22 }
down = { kind = "constant", factor = 0.18 }
"""


@pytest.fixture
def mine(tmp_path):
    """Return a function that writes the card and its files, changed, and loads it."""

    def load(*replacements, seen=SEEN, flat=FLAT, more=""):
        text = CARD + more
        for old, new in replacements:
            assert text.count(old) >= 1
            text = text.replace(old, new, 1)
        (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
        for name, content in (("seen.txt", seen), ("flat.csv", flat)):
            if content is not None:
                (tmp_path / name).write_text(content, encoding="utf-8")
        return load_experiment(tmp_path / "mine.toml")

    return load


def refusal(load, *replacements, **files):
    with pytest.raises(NurecoilError) as error:
        load(*replacements, **files)
    sentence = str(error.value)
    assert "mine.toml" in sentence
    assert "\n" not in sentence
    return sentence


# --- a good card --------------------------------------------------------------------------------------


def test_the_card_is_what_it_says(mine):
    experiment = mine()
    statistics = experiment.statistics
    assert experiment.shape == (3, 2)
    assert statistics.observed.tolist() == [60, 40, 50, 35, 20, 30]
    assert [p.name for p in statistics.pulls] == ["sns_flux", "mine_quenching", "mine_onset", "mine_flat"]
    # 60 counts as 1 : 2 : 6 in energy and as the integrals of e^(-t/10) in time
    early, late = 1 - math.exp(-0.1), math.exp(-0.1) - math.exp(-0.6)
    shape = np.outer([1 / 9, 2 / 9, 6 / 9], [early / (early + late), late / (early + late)])
    (background,) = statistics.backgrounds
    np.testing.assert_allclose(background.nominal, 60 * shape.ravel(), rtol=1e-12)
    assert [name for name, _ in experiment.data_hashes] == ["flat.csv", "seen.txt"]
    assert experiment.data_hashes[0][1] == nurecoil_sha256(FLAT)


RADII = """
[[signal_pulls]]
effect = "neutron-radius"
name = "mine_radius"
width = 0.05
"""


def test_the_mean_neutron_radius_is_of_nuclei_that_have_neutrons(mine):
    # charge radii of C12, C13 and H2, to 1e-3 fm; 1H has none
    pull = mine(('material = "Ge"', 'material = "CH"'), more=RADII).statistics.pulls[3]
    mean = (0.9894 * 2.470 + 0.0106 * 2.461 + 0.000145 * 2.142) / 1.000145
    assert pull.default == pytest.approx(mean, rel=1e-9)
    sentence = refusal(mine, ('material = "Ge"', 'material = "1H"'), more=RADII)
    assert "the target 1H has no neutrons" in sentence


def nurecoil_sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


DECIMAL = "15,5,0,5,60\n15,5,3,0,40\n30,0,0,5,50\n30,0,3,0,35\n70,0,0,5,20\n70,0,3,0,30\n"
TEN = ("edges = [1, 2, 4, 10]", "edges = [10, 20, 40, 100]")


def test_decimal_commas_are_refused_where_no_table_of_the_card_uses_all_columns(mine):
    flat = "15.0,1\n30,2\n70,6\n"
    sentence = refusal(mine, TEN, seen=DECIMAL, flat=flat)
    assert "'15,5' in line 1 may be one number or two, as of 5 columns none after column 2" in sentence
    other = 'table = { file = "flat.csv", columns = { energy = 0 }, weight = 1 }'
    also = 'table = { file = "seen.txt", columns = { energy = 0, time = 2 }, weight = 4 }'
    columns = (
        "columns = { energy = 0, time = 1 }, weight = 2",
        "columns = { energy = 0, time = 2 }, weight = 4",
    )
    assert mine(TEN, columns, seen=DECIMAL, flat=flat).statistics.observed.tolist() == [
        60,
        40,
        50,
        35,
        20,
        30,
    ]
    used = mine(
        TEN, ("{ energy = 0, time = 1 }, weight = 2", "{ energy = 0, time = 2 }"), (other, also), seen=DECIMAL
    )
    assert used.statistics.observed.sum() == 6  # rows are events: only the background uses the last column


def test_decimal_commas_of_efficiencies_and_arrival_times_are_refused_too(mine, tmp_path):
    (tmp_path / "efficiency.csv").write_text("0,0,5\n2,0,9\n")
    given = 'kind = "tabulated", x = [0, 2], efficiency = [0.5, 0.9]'
    file = 'kind = "file", file = "efficiency.csv", x = 0, efficiency = '
    assert "'0,0' in line 1 may be one number or two" in refusal(mine, (given, file + "1"))
    with pytest.raises(
        NurecoilError, match=r"efficiency = \[5.0, 9.0\] is not allowed"
    ):  # 5 and 9 are none, but columns are clear
        mine((given, file + "2"))
    (tmp_path / "times.csv").write_text("0,5,0,8\n3,5,0,2\n")
    pulse = 'kind = "pulse"\nedges_us = [0, 1, 6]\npulse_mean = "0.5 us"\npulse_width = "0.1 us"'
    files = 'kind = "tabulated"\nedges_us = [0, 1, 6]\nprompt_file = "times.csv"\ndelayed_file = "times.csv"'
    onset = CARD[CARD.index('[[signal_pulls]]\neffect = "onset"') :]
    assert "times.csv" in (sentence := refusal(mine, (pulse, files), (onset, "")))
    assert "'0,5' in line 1 may be one number or two" in sentence


def test_a_card_of_ones_own_is_fitted_end_to_end(mine):
    compiled = compile_experiment(mine())
    signal = compiled.counts(STANDARD_MODEL.couplings())
    assert signal.shape == (6,)
    assert signal.sum() > 20
    best = fit(load_model("scaled-standard-model"), [compiled], {}, {"signal_strength": 1.0},
               widths={"sns_flux": 0.0})  # fmt: skip
    assert best.values.fit.converged
    parts = best.values.components["mine"]
    assert parts["signal"].sum() + parts["flat"].sum() == pytest.approx(235, rel=0.05)
    assert best.values.observed["mine"].sum() == 235
    assert best.conventions["experiments"]["mine"]["data"]["seen.txt"] == nurecoil_sha256(SEEN)
    prediction = asking.predict(STANDARD_MODEL, compiled, {})
    assert prediction.values.counts == pytest.approx(signal.reshape(3, 2).sum(axis=1))


@pytest.mark.parametrize("sign", [1, -1])
def test_one_standard_deviation_of_a_pull_is_the_card_with_that_value(mine, sign):
    likelihood = joint_likelihood([compile_experiment(mine())], {})
    couplings = STANDARD_MODEL.couplings()
    q = STANDARD_BASIS.strengths(couplings)
    names = [p.name for p in likelihood.pulls]

    def pulled(name, value):
        x = np.zeros((1, len(names)))
        x[0, names.index(name)] = value
        return likelihood.components(q, x)["mine"]["signal"]

    def of_card(old, new):
        return compile_experiment(mine((old, new))).counts(couplings)

    later = of_card('pulse_mean = "0.5 us"', f'pulse_mean = "{0.5 + 0.05 * sign} us"')
    np.testing.assert_allclose(pulled("mine_onset", sign), later, rtol=1e-10)
    brighter = of_card("factor = 0.2 }", f"factor = {0.2 + 0.02 * sign:.2f} }}")
    np.testing.assert_allclose(pulled("mine_quenching", sign), brighter, rtol=1e-10)
    np.testing.assert_allclose(pulled("sns_flux", 0.1 * sign), 1.1**sign * pulled("sns_flux", 0), rtol=1e-12)


def test_a_card_shares_the_neutrino_yield_with_a_built_in_one(mine, coherent):
    both = joint_likelihood([compile_experiment(mine()), coherent["coherent-lar-2020"]], {})
    assert [p.name for p in both.pulls].count("sns_flux") == 1


def test_another_width_of_the_shared_yield_is_refused(mine, coherent):
    other = compile_experiment(mine(('"sns_flux"\nwidth = 0.1', '"sns_flux"\nwidth = 0.2')))
    with pytest.raises(NurecoilError, match="sns_flux of coherent-lar-2020 is defined otherwise"):
        joint_likelihood([other, coherent["coherent-lar-2020"]], {})


# --- mistakes in the card -----------------------------------------------------------------------------

TEMPLATE = """
[template]
table = { file = "flat.csv", columns = { energy = 0 }, weight = 1 }
axes = [{ key = "f90", name = "F90", edges = [0, 1] }]
"""
SECOND_FLAT = """
[[backgrounds]]
name = "{name}"
counts = 3
pull = "{pull}"
width = 0.2
factors = [{{ axes = ["energy", "time"], table = {table} }}]
"""
WHOLE = '{ file = "seen.txt", columns = { energy = 0, time = 1 }, weight = 2 }'


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ('axes = ["energy"]', 'axes = ["enrgy"]', ("backgrounds.flat", "no axis 'enrgy'", "energy, time")),
        ("columns = { energy = 0 }", "columns = { E = 0 }", ("backgrounds.flat", "flat.csv", "no axis 'E'")),
        ("energy = 0, time = 1", "energy = 0", ("data.observed", "seen.txt", "axis 'time' is missing")),
        ("energy = 0, time = 1", "energy = 0, f90 = 1", ("data.observed", "seen.txt", "no axis 'f90'")),
        ('axes = ["energy"]', 'axes = ["energy", "time"]', ("backgrounds.flat", "must cover each of")),
        ("[time]\nkind", TEMPLATE + "[time]\nkind", ("[time] and [template] exclude each other",)),
        ("step = 0.5\n", "", ("detector", "step is missing: with smearing")),
        ("step = 0.5\n", "step = 0.3\n", ("detector", "step = 0.3 is not allowed", "from 1 to 2")),
        ("edges = [1, 2, 4, 10]", "edges = [1, 4, 2, 10]", ("detector.edges", "ascending")),
        ("edges = [1, 2, 4, 10]", "edges = [1, 2, 2, 10]", ("detector.edges", "ascending")),
        ("edges_us = [0, 1, 6]", "edges_us = [0, 6, 1]", ("time.edges_us", "ascending")),
        ("[0.5, 0.9]", "[-0.5, 0.9]", ("detector.efficiency.efficiency.0 = -0.5", "from 0 to 1")),
        ("factor = 0.2 }", "factor = 1.2 }", ("detector.quenching.factor = 1.2 is not allowed", "at most 1")),
        ("factor = 0.22 }", "factor = 1.2 }", ("signal_pulls.mine_quenching.up.factor = 1.2 is not",)),
        ('"0.05 us"', '"0.05 keV"', ("signal_pulls.mine_onset.shift", "wrong unit")),
        ('"0.05 us"', "0.05", ("signal_pulls.mine_onset.shift", "needs a unit")),
        ('effect = "onset"', 'effect = "onst"', ("signal_pulls.mine_onset", "'onset'")),
        ("width = 0.2", "width = -0.2", ("backgrounds.flat.width", "from 0 to 3 (a fraction")),
        ("counts = 60", "counts = -60", ("backgrounds.flat.counts", "from 0 to 1e+12 counts")),
        ("counts = 60", "counts = nan", ("backgrounds.flat.counts = nan is not allowed",)),
        ("counts = 60", 'counts = 0\nscale = 2', None),
        ('"mine_flat"\nwidth = 0.2', '"mine_flat"\nwidth = "poisson"', None),
        ("exponential_rate_per_us = 0.1", "", ("backgrounds.flat.factors.1", "needs either a 'table' or")),
        ("exponential_rate_per_us = 0.1", "exponential_rate_per_us = 0.1\ntimes_efficiency = true",
         ("backgrounds.flat.factors.1", "for the axis 'time' alone")),
        ('delayed = ["nu_mu_bar", "nu_e"]', 'delayed = ["nu_e"]', ("signal", "must be named once")),
        ('pull = "mine_flat"', 'pull = "sns_flux"', ("the pull sns_flux is there twice",)),
        ('name = "mine_onset"', 'name = "mine_quenching"', ("the pull mine_quenching is there twice",)),
        ('name = "flat"', 'name = "signal"', ("backgrounds.signal", "another name")),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_field(mine, old, new, parts):
    if parts is None:
        mine((old, new))
        return
    sentence = refusal(mine, (old, new))
    for part in parts:
        assert part in sentence


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            'kind = "tabulated", x = [0, 2], efficiency = [0.5, 0.9]',
            'kind = "file", flie = "flat.csv", x = 0, efficiency = 1',
            "detector.efficiency has no key 'flie': did you mean 'file'? (known: kind, file, x, efficiency,"
            " release)",
        ),
        (
            '{ kind = "constant", factor = 0.2 }',
            "0.2",
            "detector.quenching = 0.2 is not allowed: it must be a table with the key 'kind'"
            " (constant, linear, polynomial, lindhard, tabulated, file)",
        ),
        ("[detector]", "[detectr]", "the card has no key 'detectr': did you mean 'detector'?"),
        ("[detector]", "[detectr]", "detector is missing: it must be a section"),
        (
            'kind = "pulse"',
            'kind = "puls"',
            "time has no kind 'puls': did you mean 'pulse'? (known: pulse, tabulated)",
        ),
        (
            'effect = "onset"',
            'kind = "onset"',
            "signal_pulls.mine_onset.effect is missing: it must be one of normalisation, quenching,"
            " efficiency, neutron-radius, onset, template",
        ),
        (
            "[[backgrounds]]",
            "[backgrounds]",
            "backgrounds = { … } is not allowed: it must be a list of tables: write [[backgrounds]]",
        ),
        (
            "columns = { energy = 0, time = 1 }",
            'columns = { energy = "0", time = 1 }',
            "data.observed.columns.energy = '0' is not allowed: it must be a whole number from 0",
        ),
        (
            "edges = [1, 2, 4, 10]",
            'edges = "1, 2"',
            "detector.edges = '1, 2' is not allowed: it must be a list",
        ),
        (
            "edges = [1, 2, 4, 10]",
            'edges = [1, "2", 4]',
            "detector.edges.1 = '2' is not allowed: it must be a number",
        ),
        ("counts = 60", 'counts = "60"', "counts = '60' is not allowed: it must be a number from 0 to 1e+12"),
        (
            'name = "mine"',
            'name = "my card"',
            "the name 'my card' is not allowed: it must be a text of letters",
        ),
        (
            'pulse_width = "0.1 us"',
            'pulse_width = "0 us"',
            "time.pulse_width = '0 us' is not allowed: it must",
        ),
    ],
)
def test_what_a_bad_card_is_told(mine, old, new, sentence):
    assert sentence in refusal(mine, (old, new))


def test_two_backgrounds_of_one_name_are_refused(mine):
    sentence = refusal(mine, more=SECOND_FLAT.format(name="flat", pull="mine_other", table=WHOLE))
    assert "backgrounds.flat: there are two of that name" in sentence
    good = mine(more=SECOND_FLAT.format(name="other", pull="mine_other", table=WHOLE))
    assert [b.name for b in good.statistics.backgrounds] == ["flat", "other"]


def test_poisson_needs_counts(mine):
    sentence = refusal(mine, ('counts = 60\npull = "mine_flat"\nwidth = 0.2',
                              'counts = 0\npull = "mine_flat"\nwidth = "poisson"'))  # fmt: skip
    assert "backgrounds.flat: the width 'poisson' needs counts above 0" in sentence


@pytest.mark.parametrize(
    ("pull", "reason"),
    [
        ('effect = "template"\nup = ' + WHOLE, "signal_pulls.mine_more: a template needs a [template]"),
    ],
)
def test_a_pull_without_its_section_is_refused(mine, pull, reason):
    assert reason in refusal(mine, more=f'\n[[signal_pulls]]\nname = "mine_more"\n{pull}\n')


def test_an_onset_needs_a_pulse(mine):
    tabulated = """kind = "tabulated"
edges_us = [0, 1, 6]
prompt_file = "flat.csv"
delayed_file = "flat.csv"
"""
    pulse = CARD[CARD.index('kind = "pulse"') : CARD.index('prompt = ["nu_mu"]')]
    assert "signal_pulls.mine_onset: an onset needs a [time] of the kind 'pulse'" in refusal(
        mine, (pulse, tabulated)
    )


def test_a_counting_card_has_its_files_beside_it(mine):
    counting = CARD[: CARD.index("[time]")] + "[statistics]\nobserved = 3\nsignal_pull_width = 0.1\n"
    by_file = counting.replace(
        '{ kind = "tabulated", x = [0, 2], efficiency = [0.5, 0.9] }',
        '{ kind = "file", file = "flat.csv", x = 0, efficiency = 1 }',
    )
    efficiency = mine((CARD, by_file), flat="1.5,0.3\n3,0.9\n").signal.detector.efficiency
    assert efficiency == TabulatedEfficiency((1.5, 3.0), (0.3, 0.9))
    assert "detector: there is no data file" in refusal(mine, (CARD, by_file.replace("flat.csv", "no.csv")))


def test_all_mistakes_are_told_at_once(mine):
    sentence = refusal(
        mine, ('"10 kg"', '"10 m"'), ("step = 0.5\n", ""), ("edges_us = [0, 1, 6]", "edges_us = [1, 1]"),
        ("counts = 60", "counts = -1"), ("[0.5, 0.9]", "[0.5, 1.9]"),
    )  # fmt: skip
    for field in ("target.mass", "time.edges_us", "backgrounds.flat.counts", "detector.efficiency"):
        assert f" {field}" in sentence


def test_all_axes_that_are_wrong_are_told_at_once(mine):
    sentence = refusal(mine, ("energy = 0, time = 1", "energy = 0"), ("{ energy = 0 }", "{ E = 0 }"),
                       ('name = "flat"', 'name = "signal"'))  # fmt: skip
    for part in ("axis 'time' is missing", "no axis 'E'", "backgrounds.signal"):
        assert part in sentence


# --- other samples, masks and tables ------------------------------------------------------------------

MASK = ("[data]\n", "[data]\nmasked = { energy = [[2, 4]] }\n")
WIDE = (
    'observed = { file = "seen.txt", columns = { energy = 0, time = 1 }, weight = 2 }',
    'observed = { file = "seen.txt", columns = { time = 0 }, across = "energy", weight = 1 }',
)
SEEN_WIDE = "us,low,middle,high\n0.5,60,50,20\n3,40,35,30\n"
EACH = ('pull = "mine_flat"\nwidth = 0.2', 'pull = "mine_flat"\nwidth = "poisson"\neach = "energy"')
TABLE = ("counts = 60", 'counts = "table"')


def test_masked_bins_are_not_there(mine):
    """Of the counts, of the signal in all its variations, and of the background, whose others stay."""
    whole, masked = compile_experiment(mine()), compile_experiment(mine(MASK))
    likelihood = joint_likelihood([masked], {})
    strengths = STANDARD_BASIS.strengths(STANDARD_MODEL.couplings())
    kept = np.array([1, 1, 0, 0, 1, 1])
    signal, seen = whole.counts(STANDARD_MODEL.couplings()), whole.experiment.statistics.observed
    assert masked.experiment.statistics.observed == pytest.approx(kept * seen)
    assert masked.counts(STANDARD_MODEL.couplings()) == pytest.approx(kept * signal)
    for pair, before in zip(masked.variations, whole.variations, strict=True):
        for block, other in zip(pair, before, strict=True):
            assert block["vector"] == pytest.approx(kept[:, np.newaxis, np.newaxis] * other["vector"])
    mu = signal + whole.experiment.statistics.backgrounds[0].nominal
    by_hand = 2 * (mu - seen + seen * np.log(seen / mu))[kept == 1].sum()
    assert likelihood.chi2(strengths, likelihood.centre)[0] == pytest.approx(by_hand, rel=1e-12)
    assert fit(SCALED, [masked], {}, {"signal_strength": 1.0}).values.bins == 4


def test_an_axis_of_energy_alone_is_masked_too(mine):
    alone = [(CARD[CARD.index("[time]") : CARD.index("[data]")], ""), ("energy = 0, time = 1", "energy = 0")]
    alone += [
        (CARD[CARD.index('[[backgrounds.factors]]\naxes = ["time"]') : CARD.index("[[signal_pulls]]")], "")
    ]
    alone += [(CARD[CARD.index('[[signal_pulls]]\neffect = "onset"') :], "")]
    counts = compile_experiment(mine(MASK, *alone, seen="1.5 0 60\n3 0 50\n7 0 20\n")).counts(
        STANDARD_MODEL.couplings()
    )
    assert counts[1] == 0
    assert (counts[[0, 2]] > 1).all()


@pytest.mark.parametrize(
    ("masked", "sentence"),
    [
        ("{ energy = [[2, 3]] }", "data.masked.energy = [2, 3] must go from one to another of 1, 2, 4, 10"),
        ("{ energy = [[4, 2]] }", "data.masked.energy = [4, 2] must go from one to another of 1, 2, 4, 10"),
        ("{ f90 = [[2, 4]] }", "data.masked: there is no axis 'f90' (the card has energy, time)"),
        ("{ energy = [2, 4] }", "data.masked.energy.0 = 2 is not allowed"),
    ],
)
def test_a_mask_goes_from_edge_to_edge(mine, masked, sentence):
    assert sentence in refusal(mine, ("[data]\n", f"[data]\nmasked = {masked}\n"))


def test_bins_of_an_axis_may_be_columns(mine):
    wide = mine(WIDE, seen=SEEN_WIDE).statistics.observed
    assert wide.tolist() == mine().statistics.observed.tolist() == [60, 40, 50, 35, 20, 30]


@pytest.mark.parametrize(
    ("new", "seen", "sentence"),
    [
        (
            WIDE[1],
            "0.5,60,50\n3,40,35\n",
            "seen.txt: the axis energy has 3 bins, but there are 2 columns from 1 on",
        ),
        (WIDE[1], "0.5,60,50,20\n", "there is no row in the bin 1 to 2 x 1 to 6"),
        (WIDE[1].replace(", weight = 1", ""), SEEN_WIDE, "across = 'energy' needs a 'weight', and no column"),
        (
            WIDE[1].replace("time = 0", "energy = 0"),
            SEEN_WIDE,
            "across = 'energy' needs a 'weight', and no column",
        ),
        (WIDE[1].replace('"energy"', '"E"'), SEEN_WIDE, "data.observed: seen.txt: there is no axis 'E'"),
        (WIDE[1].replace("time = 0", "time = 9"), SEEN_WIDE, "column 9 is asked for, but there are 4"),
    ],
)
def test_columns_that_are_no_bins_are_refused(mine, new, seen, sentence):
    assert sentence in refusal(mine, (WIDE[0], new), seen=seen)


def test_another_sample_gives_each_bin_a_rate_of_its_own(mine):
    """So many counts that it knows to 1/√n, of `scale` times its own live time."""
    found = mine(
        EACH, TABLE, ("each =", "scale = 0.5\neach ="), flat="1.5,16\n3,4\n7,25\n"
    ).statistics.backgrounds
    assert [b.nominal.reshape(3, 2).sum(axis=1).tolist() for b in found] == [
        [8, 0, 0],
        [0, 2, 0],
        [0, 0, 12.5],
    ]
    assert [(b.rates[0].name, b.rates[0].prior_width) for b in found] == [
        ("mine_flat_0", 0.25), ("mine_flat_1", 0.5), ("mine_flat_2", 0.2)
    ]  # fmt: skip
    parts = compile_experiment(mine(EACH, TABLE, flat="1.5,16\n3,4\n7,25\n"))
    best = fit(SCALED, [parts], {}, {"signal_strength": 1.0}).values.components["mine"]
    assert set(best) == {"signal", "flat"}
    assert (best["flat"] > 0).all()  # of all bins together
    seen = asking.predict(STANDARD_MODEL, parts, {}).values.backgrounds
    assert {name: counts.tolist() for name, counts in seen.items()} == {"flat": pytest.approx([16, 4, 25])}


@pytest.mark.parametrize(
    ("changes", "flat", "sentence"),
    [
        (
            (EACH, TABLE),
            "1.5,16\n3,0\n7,25\n",
            "each = 'energy' needs counts in all bins that are not masked, but from 2",
        ),
        (((EACH[0], EACH[1].replace("energy", "E")),), FLAT, "backgrounds.flat: there is no axis 'E'"),
        ((EACH, TABLE), "1.5,16\n3,4\n", "no row in the bin 4 to 10"),
    ],
)
def test_a_bin_that_another_sample_says_nothing_of_is_refused(mine, changes, flat, sentence):
    assert sentence in refusal(mine, *changes, flat=flat)


def test_a_masked_bin_needs_no_counts_of_another_sample(mine):
    found = mine(EACH, TABLE, MASK, flat="1.5,16\n3,0\n7,25\n").statistics.backgrounds
    assert [b.rates[0].name for b in found] == ["mine_flat_0", "mine_flat_2"]


def test_rates_of_their_own_go_without_shape_pulls(mine):
    shape = '[[backgrounds.shape_pulls]]\nname = "tilt"\nup = ' + WHOLE + "\n\n[[signal_pulls]]"
    assert "each = 'energy' goes without shape_pulls" in refusal(mine, EACH, ("[[signal_pulls]]", shape))


def test_the_efficiency_of_several_detectors_is_their_mean(mine, tmp_path):
    (tmp_path / "one.txt").write_text("0 0.2\n2 0.6\n")
    (tmp_path / "two.txt").write_text("1 0.8\n4 1\n")
    files = '{ kind = "file", file = { "one.txt" = 3, "two.txt" = 1 }, x = 0, efficiency = 1 }'
    old = '{ kind = "tabulated", x = [0, 2], efficiency = [0.5, 0.9] }'
    efficiency = mine((old, files)).signal.detector.efficiency
    x = np.array([0.0, 1.0, 2.0, 3.0, 9.0])  # the second begins at 1
    expected = [
        0.75 * 0.2,
        0.75 * 0.4 + 0.2,
        0.45 + (0.8 + 0.2 / 3) / 4,
        0.45 + (0.8 + 0.4 / 3) / 4,
        0.45 + 0.25,
    ]
    assert efficiency(x) == pytest.approx(expected)
    sentence = refusal(mine, (old, files.replace("= 3", "= 0")))
    assert "detector.efficiency.file" in sentence


# --- mistakes in the data -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "parts"),
    [
        (
            {"seen": "1.5 0.5 60\n1.5 nan 40\n"},
            ("data.observed", "seen.txt", "'nan' in line 2 is no finite number"),
        ),
        ({"seen": "1.5 0.5 60\n1.5 3 -40\n"}, ("data.observed", "seen.txt", "negative", "-40")),
        ({"seen": "1.5 0.5\n1.5 3\n"}, ("data.observed", "seen.txt", "column 2 is asked for")),
        ({"seen": "1.5 0.5 sixty\n"}, ("data.observed", "seen.txt", "not a table of numbers")),
        ({"seen": ""}, ("data.observed", "seen.txt", "not a table of numbers")),
        ({"seen": None}, ("data.observed", "there is no data file", "seen.txt")),
        ({"flat": None}, ("backgrounds.flat", "there is no data file", "flat.csv")),
        ({"flat": "1.5,inf\n"}, ("backgrounds.flat", "flat.csv", "'inf' in line 1 is no finite number")),
        ({"flat": "1.5,-1\n3,2\n"}, ("backgrounds.flat", "flat.csv", "negative")),
        ({"flat": "50,1\n"}, ("backgrounds.flat", "no row in the bin")),
    ],
)
def test_bad_data_are_named_with_file_and_field(mine, files, parts):
    sentence = refusal(mine, **files)
    for part in parts:
        assert part in sentence


def test_all_bad_files_are_told_at_once(mine):
    sentence = refusal(mine, ('material = "Ge"', 'material = "1H"'), more=RADII, seen=None, flat="1.5,nan\n")
    for part in ("data.observed: ", "backgrounds.flat: ", "signal_pulls.mine_radius: "):
        assert part in sentence


def test_an_unknown_release_is_refused_with_the_nearest_name(mine):
    sentence = refusal(mine, ("[data]", '[data]\nrelease = "coherent-csi-2020"'))
    assert "data.observed" in sentence
    assert "unknown data release 'coherent-csi-2020': did you mean 'coherent-" in sentence


def test_a_file_that_a_release_does_not_have_is_refused(mine, monkeypatch, tmp_path):
    monkeypatch.setenv("NURECOIL_DATA", str(tmp_path))
    sentence = refusal(mine, ("[data]", '[data]\nrelease = "coherent-csi-2021"'))
    assert "seen.txt" in sentence
    assert "backgrounds.flat" in sentence


def test_the_rate_of_a_counted_background_ends_at_zero(mine):
    """Nothing seen on 220 ± 22: χ² = 2 [s + 220 (1 + t)] + (10 t)², and t >= -1."""
    nothing = SEEN.replace(" 60\n", " 0\n")
    for count in (40, 50, 35, 20, 30):
        nothing = nothing.replace(f" {count}\n", " 0\n")
    experiment = mine(("counts = 60", "counts = 220"), ("width = 0.2", "width = 0.1"), seen=nothing)
    held = ("sns_flux", "mine_quenching", "mine_onset")
    study = nurecoil.Study(SCALED, experiment, fix=held)
    signal = study.predict().values.parts[0].standard_model_total
    found = study.limit("signal_strength", "0..1")
    assert found.values.profile.upper_limit == pytest.approx(2.705543 / 2 / signal, rel=1e-4)

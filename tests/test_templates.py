"""Released templates: a release of closed form against a plain detector, and every mistake by its name."""

import json
from dataclasses import replace

import numpy as np
import pytest

from nurecoil.detector.templates import Efficiencies, TabulatedResponse
from nurecoil.errors import NurecoilError
from nurecoil.experiment import compile_experiment
from nurecoil.experiment.card import load_experiment
from nurecoil.likelihood.objective import expected
from nurecoil.likelihood.response import respond
from nurecoil.likelihood.term import terms_of
from nurecoil.models import STANDARD_MODEL

FIRST = """
name = "mine"
title = "A release of my own"
reference = "none"

[target]
material = "Xe"
mass = "1 tonne"
form_factor = "helm"

[source]
flux = "table"
file = "flux.txt"
columns = { energy = 0, nu_e = 1 }
energy_unit = "MeV"
area = "cm2"

[cross_section]
vector_recoil_term = true
magnetic_recoil_term = false
magnetic_form_factor = true
"""
CARD = (
    FIRST
    + """
[templates]
energies = "kev"
signal = "mono"
pulls = { mine_light = "light", mine_charge = "charge" }
step = 2
axes = [{ key = "s2", name = "S2 [bin]", edges = "edges_s2", column = 1 }]

[[templates.runs]]
name = "A"
exposure = 3
templates = "a.npz"
events = "a.csv"

[[templates.runs]]
name = "B"
exposure = 0.5
templates = "b.npz"
events = "b.csv"

[[backgrounds]]
name = "flat"
template = "ac"
pull = "mine_flat"
width = 0.1
runs = ["B"]

[[backgrounds]]
name = "neutrons"
template = "rg"
pull = "mine_neutrons"
width = 0.5

[[signal_pulls]]
effect = "normalisation"
name = "mine_efficiency"
width = 0.25
"""
)
PLAIN = (
    FIRST
    + """
[detector]
observable = "recoil energy [keV]"
edges = [1, 5]
efficiency = { kind = "constant", value = 1 }

[statistics]
observed = "standard-model"
signal_pull_width = 0
"""
)
PULLS = np.array([-2.0, 0.0, 1.0, 2.0])
KEV = np.array([1.0, 1.5, 2.5, 4.0, 5.0])
SHARES = {"a": (0.2, 0.1), "b": (0.3, 0.05)}  # of recoils, in each bin


def bend(t, bin):
    """ln of what two pulls do: it has all terms of second degree."""
    light, charge = np.meshgrid(t, t, indexing="ij")
    a, b = ((0.2, -0.1), (-0.05, 0.15))[bin]
    return a * light + b * charge + 0.02 * light**2 - 0.03 * charge**2 + 0.04 * light * charge


def release(run):
    """The arrays of a run."""
    changes = np.stack([np.exp(bend(PULLS, bin)) for bin in (0, 1)], axis=-1)
    return {
        "kev": KEV,
        "light": PULLS,
        "charge": PULLS,
        "mono": np.array(SHARES[run]) * changes * np.ones((KEV.size, 1, 1, 1)),
        "ac": np.array([4.0, 2.0]),
        "rg": np.array([1.0, 0.5]) * changes,
        "edges_s2": np.array([90.0, 150.0 if run == "a" else 160.0, 500.0]),
    }


@pytest.fixture
def mine(tmp_path):
    """Return what loads the experiment, with changes of its files and of its card."""

    def load(changed=None, *replacements):
        (tmp_path / "flux.txt").write_text("1 0\n5 2e12\n16 0\n")
        (tmp_path / "a.csv").write_text(",s2,depth\n0,155.2,7\n1,90.0,8\n")
        (tmp_path / "b.csv").write_text(",s2,depth\n0,155.2,7\n")
        for run in "ab":
            arrays = {**release(run), **(changed or {}).get(run, {})}
            arrays = {name: array for name, array in arrays.items() if array is not None}
            np.savez(tmp_path / f"{run}.npz", **arrays)
        text = CARD
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "mine.toml").write_text(text)
        return load_experiment(tmp_path / "mine.toml")

    return load


def standard_counts(compiled):
    return compiled.counts(STANDARD_MODEL.evaluate({p.name: p.default for p in STANDARD_MODEL.parameters}))


def test_counts_are_those_of_a_plain_detector_between_the_energies(mine, tmp_path):
    experiment = mine()
    (tmp_path / "plain.toml").write_text(PLAIN)
    (recoils,) = standard_counts(compile_experiment(load_experiment(tmp_path / "plain.toml")))
    found = standard_counts(compile_experiment(experiment)).reshape(experiment.shape)
    # bins run over the axes, and then over the runs
    shares = np.array([SHARES["a"], SHARES["b"]]).T * [3, 0.5]
    np.testing.assert_allclose(found, shares * recoils, rtol=1e-6)


def test_runs_are_blocks_of_bins_with_edges_and_backgrounds_of_their_own(mine):
    experiment = mine()
    assert [axis.edges for axis in experiment.axes] == [(0, 1, 2), (0, 1, 2)]
    assert experiment.axes[1].name == "run (A, B)"
    assert experiment.statistics.observed.tolist() == [1, 1, 1, 0]  # 155.2 is above 150 and below 160
    flat, neutrons = experiment.statistics.backgrounds
    assert flat.nominal.tolist() == [0, 4 * 0.5, 0, 2 * 0.5]
    assert neutrons.nominal.tolist() == [3, 0.5, 1.5, 0.25]
    names = ["mine_efficiency", "mine_light", "mine_charge", "mine_flat", "mine_neutrons"]
    assert [pull.name for pull in experiment.statistics.pulls] == names
    same = release("a")["edges_s2"]
    assert mine({"b": {"edges_s2": same}}).axes[0].edges == tuple(same)


@pytest.mark.parametrize("pulls", [(0.0, 0.0), (0.7, -1.3), (-2.0, 2.0), (1.6, 1.9)])
def test_both_pulls_change_the_signal_together_within_a_step(mine, pulls):
    (term,) = terms_of(compile_experiment(mine()))
    at = {"mine_light": pulls[0], "mine_charge": pulls[1]}
    x = np.array([at.get(pull.name, 0.0) for pull in term.pulls])
    t = [np.array([value]) for value in (x - term.centre) / term.unit]
    strengths = np.ones((1, term.arrays.signal.templates.shape[1]))
    found = expected(term.arrays, respond(term.arrays.signal, strengths), t)
    nominal = expected(term.arrays, respond(term.arrays.signal, strengths), [0 * value for value in t])
    for bin, ratio in enumerate((found["signal"] / nominal["signal"]).reshape(2, 2)):
        np.testing.assert_allclose(ratio, np.exp(bend(np.array(pulls), bin)[0, 1]), rtol=1e-9)


def test_pulls_change_a_background_in_number_alone(mine):
    # one by one, and between ±2 as the logarithm of its counts: 1 and 0.5 in the bins, by (e^g + e^h/2)/1.5
    (_, neutrons) = mine().statistics.backgrounds
    light, charge = neutrons.shapes
    for shape, which in ((light, 0), (charge, 1)):
        for counts, t in ((shape.up, 2.0), (shape.down, -2.0)):
            ends = [bend(np.array([0.0, t]), bin)[(1, 0) if which == 0 else (0, 1)] for bin in (0, 1)]
            assert counts == pytest.approx(neutrons.nominal * (np.exp(ends) @ [1, 0.5] / 1.5), rel=1e-12)


def test_the_response_is_cubic_between_energies_and_0_outside():
    energies, values = (0.5, 0.75, 1.5, 2.0), np.array([[0.0], [0.2], [0.25], [0.1]])
    response = TabulatedResponse(energies, Efficiencies(values))
    found = response.responses([0.4e-3, 0.5e-3, 0.75e-3, 2e-3, 2.1e-3], [response.efficiency])[0, 0]
    np.testing.assert_allclose(found, [0, 0, 0.2, 0.1, 0], atol=1e-15)
    # straight lines are, and a maximum is no overshoot
    (straight,) = response.responses([0.9e-3], [Efficiencies(np.array(energies)[:, None])])[0]
    assert straight == pytest.approx(0.9, rel=1e-12)
    assert response.responses(np.linspace(0.5e-3, 2e-3, 99), [response.efficiency]).max() <= 0.25
    # by hand between 0.75 and 1.5: slopes 0.8, 1/15 and -0.3, the middle one's 0 as it turns
    w, v = 2 * 0.75 + 0.25, 0.75 + 2 * 0.25
    slope = (w + v) / (w / 0.8 + v * 15)
    (half,) = response.responses([1.125e-3], [response.efficiency])[0]
    assert half == pytest.approx(0.225 + 0.75 * slope / 8, rel=1e-12)


def test_the_response_is_scaled_to_what_another_release_expects(mine, tmp_path, monkeypatch):
    nominal = mine()
    spectrum = {"rate": 100.0, "coordinate_system": [0.0, 0.25, 1.0], "map": [0.5, 1.5, 3.5]}
    (tmp_path / "spectrum.json").write_text(json.dumps(spectrum))
    counts = {run: np.array([5.0, 8.0]) * np.ones((4, 4, 1)) for run in "ab"}
    head = '[[backgrounds]]\nname = "flat"'
    expected_there = """[templates.expected]
release = "another"
signal = "sm"
spectrum = "spectrum.json"

"""
    monkeypatch.setattr(
        "nurecoil.experiment.card.tables.file_path", lambda release, name: tmp_path / name
    )  # the other release is beside the card too
    changed = mine({run: {"sm": counts[run]} for run in "ab"}, (head, expected_there + head))
    # recoils of 1 and 2.5 keV: all 100 are counted with the efficiencies of the run
    before, after = (e.signal.detector.efficiency.table.reshape(-1, 2, 2) for e in (nominal, changed))
    for number, run in enumerate("ab"):
        scale = np.array([5.0, 8.0]) / (100 * np.array(SHARES[run]))
        np.testing.assert_allclose(after[:, :, number], before[:, :, number] * scale, rtol=1e-12)


def nan(array):
    return np.where(np.arange(array.size).reshape(array.shape) == 1, np.nan, array)


@pytest.mark.parametrize(
    ("run", "changed", "sentence"),
    [
        ("a", {"mono": None}, "a.npz has no array mono, but kev, light, charge, ac, rg, edges_s2: is"),
        ("b", {"mono": release("b")["mono"][1:]}, "b.npz: mono has the shape (4, 4, 4, 2), it must have (5"),
        ("a", {"ac": np.ones(3)}, ""),
        ("b", {"ac": np.ones(3)}, "b.npz: ac has the shape (3,), it must have (2,)"),
        ("b", {"ac": np.array([1.0, -2.0])}, "b.npz: ac must not be negative, but one is -2"),
        ("a", {"rg": nan(release("a")["rg"])}, "a.npz: rg has numbers that are not finite"),
        ("a", {"mono": 1j * release("a")["mono"]}, "a.npz: mono has complex128: it must have real numbers"),
        ("b", {"ac": np.array(["1", "2"])}, "b.npz: ac has <U1: it must have real numbers"),
        ("a", {"mono": 9 * release("a")["mono"]}, "a.npz: an efficiency of 1.8 is above 1"),
        ("b", {"kev": KEV + 0.1}, "b.npz: kev differs from that of a.npz"),
        ("a", {"kev": KEV[::-1]}, "kev of a.npz = [5.0, 4.0, 2.5, 1.5, 1.0] is not allowed"),
        ("a", {"light": PULLS + 0.5}, "a.npz: light must have the value 0 once"),
        ("b", {"edges_s2": np.array([1.0, 2.0, 3.0, 4.0])}, "b.npz: edges_s2 has 4 edges, not 3"),
        ("a", {"edges_s2": np.array([1.0, 4.0, 3.0])}, "edges_s2 of a.npz = [1.0, 4.0, 3.0] is not allowed"),
        ("a", {"charge": np.ones((2, 2))}, "a.npz: charge has the shape (2, 2): it must have 1 axis"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_arrays_is_told_with_file_and_array(mine, run, changed, sentence):
    if not sentence:  # of a run that does not have the background
        assert mine({run: changed})
        return
    with pytest.raises(NurecoilError) as refused:
        mine({run: changed})
    assert sentence in str(refused.value)


@pytest.mark.parametrize("kept", [0, 100, 0.5, 0.98])
def test_a_file_that_is_cut_short_is_told(mine, tmp_path, kept):
    mine()
    content = (tmp_path / "b.npz").read_bytes()
    (tmp_path / "b.npz").write_bytes(content[: int(kept * len(content)) if kept < 1 else kept])
    with pytest.raises(NurecoilError, match=r"b\.npz is no whole file of arrays"):
        load_experiment(tmp_path / "mine.toml")


def test_a_file_of_one_array_is_told(mine, tmp_path):
    mine()
    with (tmp_path / "b.npz").open("wb") as stream:
        np.save(stream, np.ones(3))
    with pytest.raises(NurecoilError, match=r"b\.npz is no whole file of arrays"):
        load_experiment(tmp_path / "mine.toml")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("step = 2", "step = 1.5", "light must have the value 1.5 once"),
        ('runs = ["B"]', 'runs = ["C"]', "backgrounds.flat: there is no run 'C'"),
        (', mine_charge = "charge"', "", "pulls = ['mine_light'] is not allowed: it must be two"),
        ('pull = "mine_flat"', 'pull = "mine_light"', "the pull mine_light is there twice"),
        ('name = "neutrons"', 'name = "flat"', "the background flat is there twice"),
        ("column = 1", "column = 3", "a.csv: column 3 is asked for, but there are 3 (from 0)"),
        ('events = "b.csv"', 'events = "c.csv"', "there is no data file"),
        ("exposure = 3", "exposure = 0", "templates.runs.A.exposure = 0 is not allowed"),
        ('signal = "mono"\n', "", "templates.signal is missing"),
    ],
)
def test_what_is_wrong_with_a_card_is_told(mine, old, new, sentence):
    with pytest.raises(NurecoilError) as refused:
        mine(None, (old, new))
    assert sentence in str(refused.value)


def test_electrons_are_none_of_the_templates(mine, tmp_path):
    mine()
    with pytest.raises(NurecoilError, match="sees no recoils of electrons"):
        load_experiment(f"{tmp_path / 'mine.toml'}+electrons")


def test_a_background_has_no_shape_of_two_pulls_together(mine):
    statistics = mine().statistics
    neutrons = statistics.backgrounds[1]
    pair = replace(neutrons.shapes[0], also=neutrons.shapes[1].pull)
    with pytest.raises(NurecoilError, match="background neutrons must not"):
        replace(statistics, backgrounds=(replace(neutrons, shapes=(*neutrons.shapes, pair)),))

"""What is printed of a card follows what is computed: an edited experiment is not its card's."""

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest

from asking import limit, predict
from nurecoil import cli
from nurecoil.detector.efficiency import ConstantEfficiency
from nurecoil.experiment import CompiledExperiment, compile_experiment, edits
from nurecoil.experiment.card import load_experiment
from nurecoil.experiment.recoil import RecoilTemplates
from nurecoil.models import SCALED_STANDARD_MODEL, STANDARD_MODEL
from nurecoil.physics.couplings import FLAVOURS
from nurecoil.physics.form_factors import form_factor
from nurecoil.study.result import conventions
from test_binned_card import CARD, FLAT, SEEN

COUNTING = "binh2021-csi"


def ledger(compiled, result=None):
    """Return what a result says of its experiment."""
    found = result.conventions if result else conventions(STANDARD_MODEL, [compiled])
    return found["experiments"][compiled.experiment.name]


def as_if_compiled(experiment):
    """Return what `compile_experiment` would, without its work."""
    compiled = CompiledExperiment(
        experiment, RecoilTemplates({"vector": np.ones((1, 3, 3)), "magnetic": np.ones((1, 3, 1))})
    )
    return replace(compiled, as_compiled=compiled)


@pytest.fixture
def binned(tmp_path):
    """Return an experiment with bins, a background and pulls of the signal's shape."""
    for name, text in (("mine.toml", CARD), ("seen.txt", SEEN), ("flat.csv", FLAT)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return load_experiment(tmp_path / "mine.toml")


def deep(thing, path, change):
    """Return a thing with one field inside of it changed."""
    first, _, rest = path.partition(".")
    old = thing[int(first)] if first.isdigit() else getattr(thing, first)
    new = deep(old, rest, change) if rest else change(old)
    if first.isdigit():
        return (*thing[: int(first)], new, *thing[int(first) + 1 :])
    return replace(thing, **{first: new})


EDITS = {
    "name": lambda name: "another",
    "reference": lambda text: "mine",
    "mass_kg": lambda mass: 100.0,
    "target.formula": lambda formula: "Ar",
    "target.nuclides.0.charge_radius_fm": lambda radius: 1.01 * radius,
    "flux.components.0.flavour": lambda flavour: FLAVOURS[0],
    "exposure.baseline_m": lambda baseline: 2 * baseline,
    "exposure.protons_on_target": lambda protons: np.nextafter(protons, np.inf),
    "conventions.vector_recoil_term": lambda term: not term,
    "statistics.signal.nominal.detector.efficiency": lambda efficiency: ConstantEfficiency(0.3),
    "statistics.signal.nominal.detector.quenching.factor": lambda factor: 0.5 * factor,
    "statistics.signal.nominal.form_factor": lambda old: form_factor("klein-nystrand"),
    "axes.0.name": lambda name: "keV",
    "overlaps": lambda names: ("binh2021-csi",),
}
EDITS_OF_COUNTS = {
    "statistics.observed": lambda observed: observed + 1,
    "statistics.backgrounds.0.nominal": lambda background: background + 1,
    "statistics.signal.rates.0.prior_width": lambda width: 0.1,
    "statistics.backgrounds.0.rates": lambda pulls: (),
    "spectrum.coincidence": lambda counts: counts[::-1],
}
EDITS_OF_BINS = {
    "statistics.observed": lambda observed: observed[::-1],
    "statistics.backgrounds": lambda backgrounds: (),
    "statistics.backgrounds.0.nominal": lambda counts: 2 * counts,
    "statistics.signal.shapes.0.up.detector.quenching.factor": lambda factor: 0.5 * factor,
    "statistics.signal.rates.0.prior_width": lambda width: 0.2,
    "statistics.signal.nominal.spread": lambda spread: 0.5 * spread,
}


@pytest.mark.parametrize(("path", "change"), [*EDITS.items(), *EDITS_OF_COUNTS.items()])
def test_any_edit_of_a_counting_experiment_is_said_in_place_of_the_hash(path, change):
    experiment = load_experiment(COUNTING)
    original = ledger(as_if_compiled(experiment))["card"]
    assert original.startswith("sha256 ")
    said = ledger(as_if_compiled(deep(experiment, path, change)))["card"]
    assert said.startswith("edited in Python: ")
    assert path.replace(".0", "[0]") in said
    assert original.split()[1] not in said
    assert ledger(as_if_compiled(deep(experiment, path, lambda old: old)))["card"] == original


@pytest.mark.parametrize(("path", "change"), [*EDITS.items(), *EDITS_OF_BINS.items()])
def test_any_edit_of_a_binned_experiment_is_said_in_place_of_the_hash(binned, path, change):
    said = ledger(as_if_compiled(deep(binned, path, change)))
    assert said["card"].startswith("edited in Python: ")
    assert path.replace(".0", "[0]") in said["card"]
    assert ("data" in said) == (not path.startswith(("statistics", "signal")))  # else not of the files alone


def test_the_edit_of_the_issue_is_said_with_its_value(coherent):
    experiment = replace(coherent["coherent-csi-2021"].experiment, mass_kg=100.0)
    found = predict(STANDARD_MODEL, compile_experiment(experiment), {})
    assert found.values.total == pytest.approx(2219, abs=1)
    assert (
        found.conventions["experiments"]["coherent-csi-2021"]["card"] == "edited in Python: mass_kg = 100.0"
    )


def test_many_edits_are_counted(binned):
    edited = binned
    for path, change in EDITS.items():
        edited = deep(edited, path, change)
    assert "and 12 more" in ledger(as_if_compiled(edited))["card"]


def test_an_edit_that_is_undone_or_changes_nothing_is_none(binned):
    for same in (
        replace(replace(binned, mass_kg=100.0), mass_kg=10.0),
        deep(binned, "statistics.observed", np.array),
        deep(binned, "statistics.signal.nominal.detector.quenching", replace),
        pickle.loads(pickle.dumps(binned)),
    ):
        assert ledger(as_if_compiled(same))["card"].startswith("sha256 ")


def test_the_arrays_of_a_card_cannot_be_edited_in_place(binned):
    compiled = compile_experiment(binned)
    (background,) = binned.statistics.backgrounds
    for array in (
        binned.statistics.observed, background.nominal, binned.signal.spread,
        binned.statistics.signal.shapes[1].up.spread, *compiled.templates.channels.values(),
        compiled.variations[0][0]["vector"],
    ):  # fmt: skip
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 5.0


def test_what_is_changed_after_compiling_is_said(binned):
    compiled = compile_experiment(binned)
    twice = replace(compiled, templates=compiled.templates.scaled(2.0))
    assert ledger(twice)["card"].startswith("edited in Python: compiled.templates.channels[vector]")
    by_hand = CompiledExperiment(binned, compiled.templates)
    assert ledger(by_hand)["card"] == "edited in Python: compiled"
    other = replace(compiled, experiment=replace(binned, mass_kg=20.0))
    assert "compiled.experiment.mass_kg = 20.0" in ledger(other)["card"]
    again = replace(compiled, templates=compiled.templates)
    assert ledger(again)["card"].startswith("sha256 ")


def test_a_form_factor_that_is_asked_for_stands_in_the_ledger_beside_the_card():
    experiment = load_experiment(COUNTING)
    other = experiment.with_form_factor(form_factor("klein-nystrand"))
    said, before = (ledger(as_if_compiled(e)) for e in (other, experiment))
    assert said["card"] == before["card"]
    assert said["form_factor"] != before["form_factor"]
    edited = replace(other, mass_kg=100.0)
    assert ledger(as_if_compiled(edited))["card"] == "edited in Python: mass_kg = 100.0"
    edited = replace(experiment, mass_kg=100.0).with_form_factor(form_factor("klein-nystrand"))
    assert ledger(as_if_compiled(edited))["card"] == "edited in Python: mass_kg = 100.0"


def test_every_answer_says_it():
    compiled = compile_experiment(replace(load_experiment(COUNTING), mass_kg=100.0))
    found = limit(SCALED_STANDARD_MODEL, [compiled], {}, ("signal_strength", 0.0, 1.0))
    assert ledger(compiled, found)["card"] == "edited in Python: mass_kg = 100.0"


def test_an_edited_file_is_another_card(binned, tmp_path, capsys):
    path = tmp_path / "mine.toml"
    before = ledger(compile_experiment(binned))
    path.write_text(CARD.replace('"10 kg"', '"20 kg"'), encoding="utf-8")
    assert ledger(compile_experiment(binned)) == before  # what was read is what is computed
    assert ledger(compile_experiment(load_experiment(path)))["card"] not in (before["card"], "")
    (tmp_path / "seen.txt").write_text(SEEN.replace("60", "61"), encoding="utf-8")
    assert ledger(compile_experiment(load_experiment(path)))["data"]["seen.txt"] != before["data"]["seen.txt"]
    with pytest.raises(SystemExit):
        cli.main(["predict", "--model", "standard-model", "--experiment", str(path), "--json"])
    shown = json.loads(capsys.readouterr().out)["conventions"]["experiments"]["mine"]["card"]
    assert shown == ledger(compile_experiment(load_experiment(path)))["card"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (1.0, 1.0, []), (1.0, 2.0, ["x = 2.0"]), ((1, 2), (1, 3), ["x[1] = 3"]), ((1,), (1, 2), ["x"]),
        (np.zeros(2), np.zeros(2), []), (np.zeros(2), np.ones(2), ["x"]), (None, np.ones(2), ["x"]),
        (np.ones(2), np.ones(3), ["x"]), (None, None, []), ("a", "b", ["x = b"]),
    ],
)  # fmt: skip
def test_edits_of_plain_things(old, new, said):
    assert edits(old, new, "x") == said

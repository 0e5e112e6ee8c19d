"""What people meet says in one line what it is."""

import pydoc
from importlib import import_module

import pytest

import nurecoil
from nurecoil.experiment.card import load_experiment
from nurecoil.physics.nuclei import material
from nurecoil.study.result import Shown
from nurecoil.verbs import VERBS

CSI = "CsI 14.6 kg, one number of counts, 2 pulls"


def test_an_experiment_says_what_it_is(csi):
    assert repr(csi.experiment) == f"<Experiment binh2021-csi: {CSI}>"
    assert repr(csi) == f"<CompiledExperiment binh2021-csi: {CSI}>"


def test_bins_of_several_axes(coherent):
    said = "<CompiledExperiment coherent-csi-2021: CsI 14.6 kg, 9 x 11 bins, 9 pulls>"
    assert repr(coherent["coherent-csi-2021"]) == said


def test_the_parts_of_an_experiment_say_what_they_are():
    csi = load_experiment("binh2021-csi")
    assert repr(csi.target) == "<Material CsI: Cs133, I127>"
    assert repr(material("H2O")) == "<Material H2O: H1, H2, O16, O17, O18>"
    assert repr(csi.flux) == "<Flux pion-decay-at-rest: nu_mu, nu_mu_bar, nu_e>"
    parts = "constant quenching, no smearing, logistic efficiency"
    assert repr(csi.signal.detector) == f"<Detector PE: 26 bins from 4 to 56, {parts}>"


def test_a_model_says_what_it_is():
    assert (
        repr(nurecoil.load_model("standard-model")) == "<Model standard-model: Standard Model, 2 parameters>"
    )


def test_an_answer_says_what_it_has():
    study = nurecoil.Study("standard-model", "binh2021-csi", electroweak="tree")
    assert repr(study.predict().values) == "<Prediction with parts, study>"


@pytest.mark.parametrize("verb", [*VERBS, "scan"])
def test_no_answer_prints_its_arrays(verb):
    answers = [
        each
        for each in vars(import_module(f"nurecoil.verbs.{verb}")).values()
        if isinstance(each, type) and issubclass(each, Shown) and each is not Shown
    ]
    assert answers
    assert {answer.__repr__ for answer in answers} == {Shown.__repr__}


@pytest.mark.parametrize("verb", [*VERBS, "scan"])
def test_the_help_of_a_verb_shows_a_readable_signature(verb):
    study = nurecoil.Study("standard-model", "binh2021-csi")
    for ask in (getattr(nurecoil.Study, verb), getattr(study, verb)):
        told = pydoc.plain(pydoc.render_doc(ask)).splitlines()[2]
        assert "->" in told
        assert "Annotated" not in told


def test_long_arrays_are_not_printed(csi):
    assert len(repr(csi)) < 100
    assert len(repr(csi.experiment.signal)) < 1000

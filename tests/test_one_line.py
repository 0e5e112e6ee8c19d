"""What people meet says in one line what it is."""

import nurecoil
from nurecoil.experiment.card import load_experiment
from nurecoil.physics.nuclei import material

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


def test_long_arrays_are_not_printed(csi):
    assert len(repr(csi)) < 100
    assert len(repr(csi.experiment.signal)) < 1000

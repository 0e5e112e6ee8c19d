"""Labels in figures: those of the pulls of all experiments are words, and differ."""

import pytest

import nurecoil
from nurecoil.experiment.card import experiment_names
from nurecoil.parameters import Parameter
from nurecoil.presentation.labels import axis_label, symbols


def parameters(*names):
    return [Parameter(name, "", "", 0.0) for name in names]


@pytest.fixture(scope="module")
def pulls():
    cards = [nurecoil.load_experiment(name) for name in experiment_names()]
    found = {pull.name: pull for card in cards for pull in card.statistics.pulls}
    return list(found.values())


def test_all_pulls_have_labels_without_identifiers(pulls):
    labels = symbols(pulls)
    assert len(labels) > 60
    assert len(set(labels)) == len(labels)
    plain = [label for label in labels if not label.startswith("$")]
    assert not [label for label in plain if "_" in label or "-" in label]


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["coherent-csi-2021_quenching_0", "sns_flux"], ["quenching 0", "SNS flux"]),
        (
            ["coherent-csi-2021_quenching_0", "conus-plus-2025_signal"],
            ["quenching 0\nCOHERENT CsI 2021", "signal\nCONUS+ 2025"],
        ),
        (["mine_signal", "mine_onset"], ["mine signal", "mine onset"]),
        (["a-b_c", "c"], ["c\na b", "c"]),  # which the short ones would not tell apart
        (["a-b_c_d", "a-b_c-d"], ["a-b_c_d", "a-b_c-d"]),  # nor words
    ],
)
def test_labels_of_a_figure_are_short_and_differ(names, labels):
    assert symbols(parameters(*names)) == labels


def test_a_radius_keeps_its_symbol_and_unit():
    radius = Parameter("neutron_radius_ar", "", r"R_n(\mathrm{Ar})", 3.4, unit="fm")
    assert symbols([radius]) == [r"$R_n(\mathrm{Ar})$"]
    assert axis_label(radius) == r"$R_n(\mathrm{Ar})$ [fm]"

"""What is remarked on how a model and experiments go together."""

from dataclasses import replace

import numpy as np
import pytest

from asking import combine, fit, limit
from nurecoil.errors import NurecoilError
from nurecoil.experiment import CompiledExperiment, compile_experiment
from nurecoil.experiment.card import load_experiment
from nurecoil.models import SCALED_STANDARD_MODEL, STANDARD_MODEL, load_model
from nurecoil.physics.nuclei import material
from nurecoil.study.question import joint_likelihood
from nurecoil.study.remarks import on_mixing_angle, remarks
from test_binned_card import CARD, FLAT, SEEN


@pytest.fixture
def timed(csi):
    """Return a function that gives an experiment times, (components, energy bins, cells)."""

    def make(spread):
        signal = replace(csi.experiment.signal, spread=np.array(spread, dtype=float))
        return CompiledExperiment(csi.experiment.with_signal(signal), csi.templates)

    return make


SAME = [[[0.2, 0.6]], [[0.1, 0.3]], [[0.1, 0.3]]]  # one shape, though less of two components is seen
APART = [[[0.9, 0.1]], [[0.3, 0.5]], [[0.3, 0.5]]]


def said(model, experiment, *free, **values):
    """Return what is remarked but for electrons, of which `test_electrons.py` has the tests."""
    chosen = load_model(model)
    found = remarks(chosen, [experiment], chosen.resolve(values), free)
    return tuple(remark for remark in found if "+electrons" not in remark)


@pytest.mark.parametrize("model", ["light-vector", "light-scalar"])
def test_flavours_that_a_light_mediator_tells_apart_are_remarked(timed, model):
    point = {"m_mediator": 10.0, "g_mediator": 1e-5}
    (remark,) = said(model, timed(SAME), "g_mediator", **point, charge_nu_e=0.5)
    assert "one distribution of arrival times for all flavours" in remark
    assert said(model, timed(SAME), "g_mediator", **point) == ()


@pytest.mark.parametrize(
    ("model", "free", "values"),
    [
        ("millicharges", "q_nu_mu", {}),
        ("charge-radii", "r2_nu_mu", {"electroweak": "radiative"}),
        ("u1-prime", "g_mediator", {"charges": "L_mu-L_tau", "m_mediator": 10.0, "g_mediator": 1e-3}),
    ],
)
def test_flavours_that_protons_alone_tell_apart_are_remarked(timed, model, free, values):
    (remark,) = said(model, timed(SAME), free, **values)
    assert "one distribution of arrival times for all flavours" in remark
    assert said(model, timed(SAME), "sin2_theta_w", **{free: 0.0} | values) == ()


def test_flavours_without_times_of_their_own_are_remarked(timed):
    (remark,) = said("nsi", timed(SAME), "eps_u_ee")
    assert "one distribution of arrival times for all flavours" in remark
    assert said("nsi", timed(SAME), "eps_d_etau_im", eps_d_etau_im=0.3)
    assert not said("nsi", timed(APART), "eps_u_ee")


def test_nothing_is_remarked_where_flavours_change_alike(csi, timed):
    assert not said("nsi", csi, "eps_u_ee")  # no times at all
    assert not said("331-beta", timed(SAME), "m_zprime", "mu_nu", beta=1.0, m_zprime=1e6)
    assert not said("scaled-standard-model", timed(SAME), "signal_strength", electroweak="radiative")
    assert not said("nsi", timed(SAME), "sin2_theta_w", eps_u_ee=0.1)


def test_a_projection_is_remarked_where_the_mixing_angle_is_free(compiled):
    ge, values = compiled["binh2021-ge"], STANDARD_MODEL.resolve({})
    (remark,) = remarks(STANDARD_MODEL, [ge], values, ["sin2_theta_w"])
    assert "binh2021-ge is a projection" in remark
    assert remarks(STANDARD_MODEL, [ge], values, []) == ()


def test_the_same_data_twice_are_remarked(csi, compiled):
    twice = CompiledExperiment(
        replace(csi.experiment, name="again", overlaps=("binh2021-csi",)), csi.templates
    )
    values = STANDARD_MODEL.resolve({})
    (remark,) = remarks(STANDARD_MODEL, [csi, twice], values, [])
    assert remark == "binh2021-csi and again contain the same data, which count twice here."
    assert remarks(STANDARD_MODEL, [twice, csi], values, []) != ()
    assert remarks(STANDARD_MODEL, [csi, compiled["binh2021-lar"]], values, []) == ()


# --- data that would count twice ----------------------------------------------------------------------


def renamed(compiled, **changes):
    """Return an experiment under another name, with more changes."""
    return replace(compiled, experiment=replace(compiled.experiment, name="again", **changes))


@pytest.fixture
def beside(tmp_path):
    """Return a function that compiles a binned card with some texts replaced, under another name each."""

    def load(name, *replacements, seen="seen.txt", content=SEEN):
        text = CARD.replace('"mine', f'"{name}').replace('"seen.txt"', f'"{seen}"')
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new, 1)
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
        (tmp_path / seen).write_text(content, encoding="utf-8")
        (tmp_path / "flat.csv").write_text(FLAT, encoding="utf-8")
        return compile_experiment(load_experiment(tmp_path / f"{name}.toml"))

    return load


ASK = {
    "likelihood": lambda pair: joint_likelihood(pair, {}),
    "limit": lambda pair: limit(SCALED_STANDARD_MODEL, pair, {}, ("signal_strength", 0.0, 2.0)),
    "fit": lambda pair: fit(SCALED_STANDARD_MODEL, pair, {}, {"signal_strength": 1.0}),
    "combine": lambda pair: combine(SCALED_STANDARD_MODEL, pair, {}, ("signal_strength", 0.0, 2.0)),
}


@pytest.mark.parametrize("ask", ASK.values(), ids=ASK.keys())
def test_one_experiment_twice_is_refused(compiled, ask):
    csi, ge = compiled["binh2021-csi"], compiled["binh2021-ge"]
    for pair in ([csi, csi], [ge, ge], [csi, replace(csi, templates=csi.templates.scaled(2.0))]):
        with pytest.raises(NurecoilError, match=f"experiment {pair[0].experiment.name} is given 2 times"):
            ask(pair)


@pytest.mark.parametrize("ask", ASK.values(), ids=ASK.keys())
def test_the_same_counts_under_another_name_are_refused(csi, ask):
    for twin in (renamed(csi), renamed(csi, title="another", overlaps=())):
        with pytest.raises(NurecoilError, match="binh2021-csi and again have the same observed counts"):
            ask([csi, twin])


def test_what_another_detector_saw_is_not_refused(compiled):
    csi, ge = compiled["binh2021-csi"], compiled["binh2021-ge"]
    statistics, exposure = csi.experiment.statistics, csi.experiment.exposure
    joint_likelihood([csi, compiled["binh2021-lar"], ge], {})
    joint_likelihood([ge, renamed(ge)], {})  # projections observe nothing that could count twice
    joint_likelihood([csi, renamed(csi, statistics=replace(statistics, observed=np.array([135.0])))], {})
    joint_likelihood([csi, renamed(csi, mass_kg=14.5)], {})
    joint_likelihood([csi, renamed(csi, exposure=replace(exposure, baseline_m=25.0))], {})
    nothing = replace(statistics, observed=np.zeros(1))
    none = replace(csi, experiment=replace(csi.experiment, statistics=nothing))
    joint_likelihood([none, renamed(none)], {})  # two detectors that saw nothing


def test_two_cards_of_one_data_file_are_refused(beside):
    mine = beside("mine")
    for other in (
        beside("other"),
        beside("other", ('"10 kg"', '"11 kg"')),
        beside("other", ("edges = [1, 2, 4, 10]", "edges = [1, 4, 10]")),
        beside("other", seen="copy.txt"),
        beside("other", seen="copy.txt", content="# a comment\n" + SEEN),
    ):
        with pytest.raises(NurecoilError, match="mine and other have the same observed counts"):
            joint_likelihood([mine, other], {})
        with pytest.raises(NurecoilError, match="other and mine have the same observed counts"):
            joint_likelihood([other, mine], {})


def test_other_parts_of_one_file_are_not_refused(beside):
    mine = beside("mine")
    joint_likelihood([mine, beside("other", seen="other.txt", content=SEEN.replace(" 60", " 61"))], {})
    low, high = (beside(name, ("edges = [1, 2, 4, 10]", f"edges = {edges}"))
                 for name, edges in (("low", "[1, 2, 4]"), ("high", "[4, 10]")))  # fmt: skip
    joint_likelihood([low, high], {})
    columns = "\n".join(f"{row} {number}" for number, row in enumerate(SEEN.splitlines()[1:]))
    one = beside("one", seen="both.txt", content=columns)
    two = beside(
        "two", ("time = 1 }, weight = 2", "time = 1 }, weight = 3"), seen="both.txt", content=columns
    )
    joint_likelihood([one, two], {})
    toy = replace(mine.experiment.statistics, observed=mine.experiment.statistics.observed + 1)
    joint_likelihood([mine, renamed(mine, statistics=toy)], {})


def test_releases_that_contain_one_another_are_remarked(coherent):
    pair = [coherent["coherent-csi-2017"], coherent["coherent-csi-2021"]]
    (remark,) = remarks(STANDARD_MODEL, pair, STANDARD_MODEL.resolve({}), [])
    assert "contain the same data, which count twice here" in remark


@pytest.mark.parametrize("name", ["coherent-csi-2017", "coherent-csi-2021", "coherent-lar-2020"])
def test_a_release_under_another_name_is_refused(coherent, name):
    with pytest.raises(NurecoilError, match=f"{name} and again have the same observed counts"):
        joint_likelihood([coherent[name], renamed(coherent[name], mass_kg=10.0)], {})


@pytest.mark.parametrize(
    ("target", "light"),
    [("H2O", "1H"), ("CH", "1H"), ("3He", "3He"), ("C3F8", "19F"), ("LiF", "7Li, 19F"), ("7LiF", "7Li, 19F")],
)
def test_the_axial_part_of_light_odd_nuclei_is_remarked(csi, target, light):
    other = CompiledExperiment(replace(csi.experiment, target=material(target)), csi.templates)
    (remark,) = remarks(STANDARD_MODEL, [other], STANDARD_MODEL.resolve({}), [])
    assert remark.startswith("binh2021-csi: the axial part of the cross section, which is neglected")
    assert f"not small for {light} in the target" in remark


@pytest.mark.parametrize("target", ["D2O", "Ar", "Ge", "Xe", "NaI", "SiO2", "CO2", "4He"])
def test_the_axial_part_of_other_nuclei_is_not(csi, target):
    other = CompiledExperiment(replace(csi.experiment, target=material(target)), csi.templates)
    assert remarks(STANDARD_MODEL, [other], STANDARD_MODEL.resolve({}), []) == ()


def test_a_limit_says_how_the_counts_hang_on_the_mixing_angle(csi, compiled):
    """χ² sees N - (1 - 4 s²) Z: a smaller s² means fewer counts; by how many, two predictions say."""
    lar = compiled["binh2021-lar"]
    (remark,) = on_mixing_angle([csi, lar], STANDARD_MODEL.resolve({}))
    for each in (csi, lar):
        here, there = (
            each.counts(STANDARD_MODEL.couplings(sin2_theta_w=s2)).sum() for s2 in (0.23857, 0.2312)
        )
        assert there < here
        assert f"{100 * (there / here - 1):+.1f} % in {each.experiment.name}" in remark
    assert on_mixing_angle([csi], STANDARD_MODEL.resolve({"sin2_theta_w": 0.2312})) == ()
    assert on_mixing_angle([csi], {"electroweak": "tree"}) == ()  # scanned


def test_the_remark_stands_with_the_limit(csi):
    model, point = load_model("331-beta"), {"beta": -(3**0.5)}
    found = limit(model, [csi], point, ("m_zprime", 1e5, 1e8), points=301)
    assert any(note.startswith("the limit hangs on sin2_theta_w") for note in found.notes)
    angle = limit(STANDARD_MODEL, [csi], {}, ("sin2_theta_w", 0.1, 0.4), points=301)
    assert not any("hangs on" in note for note in angle.notes)

"""What a Study takes, in the words of its users, and what it refuses in a sentence."""

from dataclasses import replace

import numpy as np
import pytest

import nurecoil
from command_line import run
from nurecoil import NurecoilError, Study

CSI = "binh2021-csi"


@pytest.mark.parametrize("experiments", [CSI, [CSI], (CSI,), nurecoil.load_experiment(CSI)])
def test_experiments_are_names_or_objects_one_or_several(experiments):
    (part,) = Study("standard-model", experiments).predict().values.parts
    assert part.total == pytest.approx(186.836, rel=1e-5)


def test_a_compiled_experiment_and_a_model_are_taken_as_they_are():
    compiled = nurecoil.compile_experiment(nurecoil.load_experiment(CSI))
    study = Study(nurecoil.load_model("nsi"), compiled)
    assert study.experiments == (compiled,)


def test_values_are_as_people_write_them():
    written = Study("331-beta", CSI, beta="-sqrt(3)", m_zprime="2 TeV").predict().values.parts[0]
    plain = Study("331-beta", CSI, inside_units=True, beta=-(3**0.5), m_zprime=2e6).predict().values.parts[0]
    np.testing.assert_array_equal(written.counts, plain.counts)


def test_all_that_is_held_known_and_profiled_reaches_the_answer():
    prior, constrain = {f"{CSI}_signal": "20%"}, {"sin2_theta_w": "0.2386+-0.0001"}
    study = Study("nsi", CSI, prior=prior, fix=f"{CSI}_background", constrain=constrain,
                  profile={"eps_d_ee": "-0.1..0.1"}, form_factor="helm", engine="numpy")  # fmt: skip
    result = study.limit("eps_u_ee", "-0.5..0.5")
    held = result.conventions["experiments"][CSI]
    assert held["pull_widths"] == {f"{CSI}_signal": 0.2, f"{CSI}_background": 0.0}
    assert held["form_factor"].startswith("Helm")
    assert result.conventions["constraints"] == {"sin2_theta_w": [0.2386, 0.0001]}
    assert result.conventions["profiled over"] == {"eps_d_ee": [-0.1, 0.1]}
    assert result.provenance["settings"]["engine"] == "numpy"


def test_a_name_alone_starts_a_fit_at_its_default():
    one, other = (
        Study("standard-model", CSI).fit(free) for free in ("sin2_theta_w", {"sin2_theta_w": 0.238})
    )
    assert one.values.fit.values["sin2_theta_w"] == pytest.approx(
        other.values.fit.values["sin2_theta_w"], rel=1e-6
    )


def test_a_result_prints_shows_plots_and_saves(tmp_path):
    result = Study("331-beta", CSI, beta="-sqrt(3)").limit("m_zprime", "0.2..20 TeV", cl=0.9)
    assert str(result).splitlines()[1].startswith("  allowed")
    assert result._repr_html_().startswith("<table><caption>m_zprime at 90 % CL")
    assert repr(result) == "<Result limit: 331-beta, binh2021-csi>"
    axes = result.plot(title=False)
    assert axes.get_xscale() == "log"
    for name in ("limit.json", "limit.png", "limit.svg", "limit.pdf"):
        result.save(tmp_path / name)
        assert (tmp_path / name).stat().st_size > 1000
    with pytest.raises(NurecoilError, match="cannot save to 3: give the path of a file"):
        result.save(3)
    with pytest.raises(NurecoilError, match="it must end in"):
        result.save(tmp_path / "limit.txt")
    assert not (tmp_path / "limit.txt").exists()


def test_a_result_is_drawn_on_axes_of_a_figure_of_ones_own():
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    result = Study("331-beta", CSI, beta="-sqrt(3)").limit("m_zprime", "0.2..20 TeV")
    assert result.plot(axes) is axes
    assert len(axes.lines) >= 3
    assert axes.get_xlabel() == "$m_{Z'}$ [TeV]"
    with pytest.raises(NurecoilError, match="it takes axes"):
        result.plot(3)


def test_a_projection_observes_its_background_as_well(tmp_path, monkeypatch):
    """Else a starter card with 50 events of background is fitted by 0.85 of the Standard Model."""
    monkeypatch.chdir(tmp_path)
    assert run("new-card", "mine")[0] == 0
    fit = Study("scaled-standard-model", "mine.toml").fit("signal_strength").values.fit
    assert fit.values["signal_strength"] == pytest.approx(1.0, abs=1e-6)
    assert fit.minimum == pytest.approx(0.0, abs=1e-9)


REFUSED = {
    "a pull fixed elsewhere": (
        lambda: Study("nsi", CSI, fix={f"{CSI}_signal": 0.5}),
        "held at its centre",
    ),
    "no engine": (lambda: Study("nsi", CSI, engine="x"), "unknown engine 'x'"),
    "ranges as a list": (lambda: Study("nsi", CSI).map([("eps_u_ee", (-1, 1))]), "two different"),
    "5 experiments": (lambda: Study("nsi", 5), "experiments = 5 is not allowed"),
    "none": (lambda: Study("nsi", []), "at least one experiment is needed"),
    "nothing": (lambda: Study("nsi", [None]), "None is no experiment"),
    "no model": (lambda: Study(None, CSI), "unknown model 'None'"),
    "no unit": (
        lambda: Study("331-beta", CSI, m_zprime=2e6),
        "has no unit: write it as a text",
    ),
    "an array": (lambda: Study("nsi", CSI, eps_u_ee=np.zeros(2)), "is not a number"),
    "a misspelling": (lambda: Study("331-beta", CSI, bta=1), "did you mean 'beta'"),
    "prior of nothing": (lambda: Study("nsi", CSI, prior={"x": 1}), "unknown nuisance parameter 'x'"),
    "prior as a text": (lambda: Study("nsi", CSI, prior="x=1"), "give names with values"),
    "a constraint without width": (
        lambda: Study("nsi", CSI, constrain={"sin2_theta_w": 0.23}),
        "not of the form VALUE\\+-WIDTH",
    ),
    "a range that is none": (
        lambda: Study("nsi", CSI).limit("eps_u_ee", 3),
        "is not of the form '0.2..20 TeV'",
    ),
    "a level that is none": (
        lambda: Study("nsi", CSI).limit("eps_u_ee", "-1..1", cl=[None]),
        "is not a number",
    ),
    "points in words": (
        lambda: Study("nsi", CSI).limit("eps_u_ee", "-1..1", points="many"),
        "points = 'many'",
    ),
    "toys in words": (lambda: Study("nsi", CSI).goodness(toys="x"), "toys = 'x' is not"),
    "set and scanned": (
        lambda: Study("nsi", CSI, eps_u_ee=0).limit("eps_u_ee", "-1..1"),
        "both set",
    ),
    "no figure": (
        lambda: Study("scaled-standard-model", "binh2021-ge").fit("signal_strength").plot(),
        "fit has no figure: no bins are observed",
    ),
}


@pytest.mark.parametrize(("ask", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused_in_a_sentence(ask, sentence):
    with pytest.raises(NurecoilError, match=sentence):
        ask()


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda s: s.goodness(toys=True), "toys = True is not allowed"),
        (lambda s: s.goodness(toys=20, seed=True), "seed = True is not allowed"),
        (lambda s: s.limit("signal_strength", "0..3", points=False), "points = False is not allowed"),
    ],
)
def test_true_and_false_are_no_numbers(ask, message):
    with pytest.raises(nurecoil.NurecoilError, match=message):
        ask(nurecoil.Study("scaled-standard-model", "binh2021-csi"))


def test_true_is_no_width_of_a_constraint():
    with pytest.raises(nurecoil.NurecoilError, match="True is not a number"):
        nurecoil.Study("nsi", "binh2021-csi", constrain={"sin2_theta_w": (0.23, True)})


@pytest.mark.parametrize("mass", [True, "3", -1.0, np.nan])
def test_an_edited_mass_that_is_no_positive_number_is_refused(mass):
    edited = replace(nurecoil.load_experiment("binh2021-csi"), mass_kg=mass)
    with pytest.raises(nurecoil.NurecoilError, match=r"mass_kg = .* is not allowed"):
        nurecoil.Study("standard-model", edited)


@pytest.mark.parametrize(
    ("free", "held"),
    [
        ({"beta": -0.5}, {"m_zprime": "2 TeV"}),
        ({"beta": -1.0}, {"m_zprime": "1 TeV"}),
        ({"beta": 0.5, "m_zprime": "2 TeV"}, {}),
    ],
)
def test_a_fit_stays_where_the_model_exists(free, held):
    """331β ends at (1 + β²) s_W² = 1: |β| = 1.7865."""
    found = nurecoil.Study("331-beta", "binh2021-csi", **held).fit(free).record()
    assert abs(found["best_fit"]["beta"]["value"]) < 1.7866
    assert found["chi2"] < 1.0

"""A model of one's own: a file, checked when it is loaded, and what an installed package offers."""

import dataclasses
import re
import textwrap
from dataclasses import replace
from importlib.metadata import EntryPoint

import numpy as np
import pytest

import nurecoil
from command_line import result, run
from nurecoil.errors import NurecoilError
from nurecoil.models import STANDARD_MODEL, loading

OWN = """
from dataclasses import replace

import numpy as np

from nurecoil import STANDARD_MODEL, Model, Parameter


def couplings(values):
    standard = STANDARD_MODEL.evaluate(values)
    more = np.asarray(values["more_n"])[..., np.newaxis, np.newaxis] * np.eye(3)
    return replace(standard, vector_n=standard.vector_n + more)


MODEL = Model(
    name="more-neutrons",
    title="Standard Model with more coupling to neutrons",
    reference="Author:2026",
    parameters=(*STANDARD_MODEL.parameters, Parameter("more_n", "more g_V^n", "g", 0.0, low=-1.0, high=1.0)),
    evaluate=couplings,
    standard_at={"more_n": 0.0},
)
"""
CSI = ("--experiment", "binh2021-csi")


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "own.py"
    path.write_text(OWN)
    return path


def test_it_is_used_as_any_other(own):
    """g_V^n of the Standard Model is -1/2: with 0.1 added, N's part of the amplitude is 0.8 of it."""
    study = nurecoil.Study(own, "binh2021-csi", more_n=0.1)
    nsi = {f"eps_{q}_{f}": e for f in ("ee", "mumu", "tautau") for q, e in (("u", -1 / 30), ("d", 2 / 30))}
    (expected,) = nurecoil.Study("nsi", "binh2021-csi", **nsi).predict().values.parts
    (found,) = study.predict().values.parts
    assert found.counts == pytest.approx(expected.counts, rel=1e-12)


def test_every_verb_takes_it(own):
    at = ("--model", str(own), *CSI)
    assert result("predict", *at, "--set", "more_n=0.1")["model"] == "more-neutrons"
    limit = result("limit", *at, "--scan", "more_n=-0.5..0.5")
    assert limit["allowed"]
    assert result("fit", *at, "--free", "more_n=0.1")["best_fit"]["more_n"]["value"] == pytest.approx(
        limit["best_fit"]["more_n"]["value"], abs=1e-3
    )
    assert run("sensitivity", *at, "--scan", "more_n=-0.5..0.5")[0] == 0


@pytest.mark.parametrize(("start", "nearest"), [(0.1, 0.0833498), (0.9, 0.8841606)])
def test_of_equal_minima_the_one_of_the_users_start_comes_first(own, start, nearest):
    """One count knows |Q| alone: Q and -Q fit as well as one another."""
    fit = nurecoil.Study(own, "binh2021-csi").fit({"more_n": start}).values.fit
    assert fit.values["more_n"] == pytest.approx(nearest, rel=1e-5)


def changed(own, old, new):
    own.write_text(OWN.replace(old, new))
    return str(own)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"more_n": 0.0}', '"more_n": 0.1}', "is not the Standard Model at more_n = 0.1, as it says"),
        ("* np.eye(3)", "* np.ones((3, 2))", "fails: ValueError"),
        ("vector_n=standard", "axial_n=np.ones(3), vector_n=standard", r"gives axial_n of shape \(3,\)"),
        ("* np.eye(3)", "* np.triu(np.ones((3, 3)))", "gives vector_n that is not Hermitian"),
        ('Parameter("more_n"', 'Parameter("more n"', "has a parameter 'more n', which must be a word"),
        ('Parameter("more_n"', 'Parameter("prior"', "has a parameter 'prior', which must be a word"),
        ('Parameter("more_n"', 'Parameter("sin2_theta_w"', "has 2 parameters called sin2_theta_w"),
        ('"more_n", "more g_V^n", "g", 0.0', '"more_n", "more g_V^n", "g", 9.0', "more_n = 9 is not allowed"),
        ('values["more_n"]', 'values["less_n"]', "fails: KeyError"),
        ('np.asarray(values["more_n"])', "np.ones(1, int)[0]", "is not the Standard Model at more_n = 0.0"),
        ("MODEL = Model(", "MODELS = 3\nModel(", "defines 0 models: it must define one"),
        ("MODEL = Model(", "ONE = STANDARD_MODEL\nTWO = THREE = Model(", ""),
        ("import numpy as np", "import no_such_package", "fails: ModuleNotFoundError"),
        ("import numpy as np", "this is no Python", "fails: SyntaxError"),
        ("import numpy as np", "import numpy as np\nimport sys\nsys.exit(5)", "fails: SystemExit: 5"),
        ("* np.eye(3)", "* np.full((3, 3), np.nan)", "gives vector_n that is not finite"),
        ('np.asarray(values["more_n"])', 'np.max(values["more_n"])', "an array of more_n"),
        ('low=-1.0, high=1.0', 'low=-1.0, high=1.0, unit="furlong"', "unknown unit of more_n 'furlong'"),
        ('low=-1.0, high=1.0', 'low=1.0, high=-1.0', "the bounds of more_n, 1.0 and -1.0, are reversed"),
        ('{"more_n": 0.0}', '{"less_n": 0.0}', "the model more-neutrons .* unknown parameter 'less_n'"),
        ('"g", 0.0', '"g", 9.0', "the model more-neutrons has values that it does not allow: more_n = 9"),
        ('name="more-neutrons"', "name=None", "has the name None, which is no text"),
        ("parameters=(", 'parameters=("more_n",', r"has parameters \('more_n', .* a tuple of"),
        ("evaluate=", 'channels="vector", evaluate=', "has channels 'vector', which must be a tuple"),
        ("evaluate=", 'channels=("vectors",), evaluate=', "lists an unknown channel 'vectors': did you mean"),
        ("evaluate=", "notes=lambda v: 'so', evaluate=", "has notes 'so', which must be a tuple"),
        ("evaluate=", "notes=lambda v: v['g'], evaluate=", "has notes that fail: KeyError: 'g'$"),
    ],
)  # fmt: skip
def test_what_it_says_is_checked_when_it_is_loaded(own, old, new, sentence):
    path = changed(own, old, new)
    if not sentence:
        assert nurecoil.load_model(path).name == "more-neutrons"  # one under two names is one
        return
    with pytest.raises(nurecoil.NurecoilError, match=sentence):
        nurecoil.load_model(path)
    status, _, err = run("limit", "--model", path, *CSI, "--scan", "more_n=-0.5..0.5")
    assert status == 2
    assert err.count("\n") == 1


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(nurecoil.NurecoilError, match="there is no model file"):
        nurecoil.load_model(tmp_path / "none.py")


def test_a_changed_file_is_read_again(own):
    first = nurecoil.load_model(own)
    assert nurecoil.load_model(own) == first
    assert nurecoil.load_model(changed(own, "more-neutrons", "still-more")).name == "still-more"


def test_an_installed_package_offers_models(monkeypatch):
    entry = EntryPoint("more-neutrons", "nurecoil.models.nsi:NSI", loading.GROUP)
    broken = EntryPoint("broken", "nurecoil.models.nsi:NONE", loading.GROUP)
    monkeypatch.setattr(loading, "entry_points", lambda: [entry, broken])
    assert nurecoil.model_names()[-2:] == ("broken", "more-neutrons")
    assert nurecoil.load_model("more-neutrons") is nurecoil.load_model("nsi")
    with pytest.raises(nurecoil.NurecoilError, match=r"broken .* cannot be loaded"):
        nurecoil.load_model("broken")
    with pytest.raises(nurecoil.NurecoilError, match="unknown model 'more-neutron': did you mean"):
        nurecoil.load_model("more-neutron")


def test_worker_processes_have_it(own, tmp_path):
    pytest.importorskip("netCDF4")
    card = tmp_path / "card.toml"
    card.write_text(
        textwrap.dedent(f"""
        model = "{own}"
        experiments = ["binh2021-csi"]
        [scan.more_n]
        low = -0.2
        high = 0.2
        points = 300
    """)
    )
    status, _, err = run("scan", card, "--output", tmp_path / "x.nc", "--workers", "1")
    assert (status, err) == (0, "")
    np.testing.assert_equal((tmp_path / "x.nc").is_file(), True)


def test_a_parameter_that_changes_nothing_leaves_everything_allowed(tmp_path):
    """Even if the couplings are then one set for all points."""
    path = tmp_path / "own.py"
    text = OWN.replace("evaluate=couplings", "evaluate=STANDARD_MODEL.evaluate")
    more = 'Parameter("more_e", "none", "e", 0.0, low=-1.0, high=1.0), Parameter("more_n"'
    path.write_text(text.replace('Parameter("more_n"', more))
    at = ("--model", str(path), *CSI)
    limit = result("limit", *at, "--scan", "more_n=-0.5..0.5")
    assert (limit["allowed"], limit["open"]) == ([[-0.5, 0.5]], [[True, True]])
    assert any("does not depend on more_n" in note for note in limit["notes"])
    others = result("map", *at, "--scan", "more_n=-0.5..0.5", "--scan", "more_e=-1..1")["levels"]
    assert [len(level["regions"]) for level in others] == [1, 1]
    both = result("combine", *at, "--experiment", "binh2021-lar", "--scan", "more_n=-0.5..0.5")
    assert all(found["allowed"] == [[-0.5, 0.5]] for found in both["results"].values())
    status, out, _ = run("fit", *at, "--free", "more_n=0.1")
    assert status == 3
    assert "flat around more_n" in " ".join(out.split())


def test_strengths_have_a_row_for_each_point():
    study = nurecoil.Study("light-vector", "apv-cesium", m_mediator="10 MeV")
    question = study.question({"g_mediator": 1e-5})
    assert len(question.strengths([[1e-5], [2e-5], [3e-5]])) == 3


# --- away from the defaults ---------------------------------------------------------------------------

MORE = 'more = np.asarray(values["more_n"])'


@pytest.mark.parametrize(
    ("new", "sentence"),
    [
        ('if np.max(values["more_n"]) > 0.3: raise ValueError("too far")', "fails: ValueError: too far, at"),
        ('if np.max(values["more_n"]) > 0.3: 1 / 0', "fails: ZeroDivisionError: division by zero, at"),
        ('if np.max(values["more_n"]) > 0.3: return 3', "gives 3, no Couplings, at"),
        (
            'if np.max(values["more_n"]) > 0.3: standard = replace(standard, vector_p=np.eye(2))',
            r"gives vector_p of shape \(2, 2\), not \(..., 3, 3\) at points of shape \(\), at",
        ),
        (
            'nothing = 0 * np.sqrt(0.3 - np.asarray(values["more_n"]))[..., None, None]\n'
            "    standard = replace(standard, vector_n=standard.vector_n + nothing)",
            "gives vector_n that is not finite, at",
        ),
    ],
)  # fmt: skip
def test_a_point_at_which_it_fails_is_named(own, new, sentence):
    path = changed(own, MORE, f"{new}\n    {MORE}")
    at = ("--model", path, *CSI)
    assert run("predict", *at, "--set", "more_n=0.25")[0] == 0
    for command in (("predict", "--set", "more_n=0.4"), ("limit", "--scan", "more_n=-0.1..0.5")):
        status, _, err = run(command[0], *at, *command[1:])
        assert (status, err.count("\n")) == (2, 1)
        assert re.search(rf"own.py: the model more-neutrons {sentence} more_n = ", err)


def test_a_note_on_a_parameter_that_is_scanned_is_refused_there_alone(own):
    path = changed(own, "evaluate=", "notes=lambda v: (f'{v[\"more_n\"]:.1f}',), evaluate=")
    assert "0.1" in run("predict", "--model", path, *CSI, "--set", "more_n=0.1")[1]
    status, _, err = run("limit", "--model", path, *CSI, "--scan", "more_n=-0.1..0.5")
    assert (status, err.count("\n")) == (2, 1)
    assert "more-neutrons has notes that fail: KeyError: 'more_n' (more_n, scanned, has no value)" in err


def test_of_many_points_the_first_that_fails_is_named(own):
    path = changed(own, MORE, f'if np.any(values["more_n"] == 0.2): 1 / 0\n    {MORE}')
    with pytest.raises(nurecoil.NurecoilError, match=r"division by zero, at more_n = 0\.2$"):
        nurecoil.load_model(path).couplings(more_n=np.array([0.1, 0.2, 0.3]))


def test_where_it_says_that_it_does_not_exist_its_own_words_are_kept(own):
    new = f'if np.any(values["more_n"] > 0.3):\n        raise nurecoil.NurecoilError("no vacuum")\n    {MORE}'
    path = changed(own, MORE, f"import nurecoil\n    {new}")
    with pytest.raises(nurecoil.NurecoilError, match=r"^no vacuum$"):
        nurecoil.load_model(path).couplings(more_n=0.4)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ("vector_n=standard.vector_n.astype(str)", "gives vector_n of <U32, not of numbers"),
        ("vector_n=standard.vector_n.astype(object)", "gives vector_n of object, not of numbers"),
        ("tensor_p='abc', tensor_n=np.eye(3)", r"gives tensor_p of shape \(\), not \(..., 3, 3\)"),
        ("tensor_p=np.eye(2), tensor_n=np.eye(2)", r"gives tensor_p of shape \(2, 2\), not"),
        ("tensor_p=np.eye(3)", "gives only one of tensor_p and tensor_n"),
        ("tensor_n=np.eye(3)", "gives only one of tensor_p and tensor_n"),
        ("electron_right=None", "gives only one of electron_left and electron_right"),
        ("weak_n=None", "gives only one of weak_p and weak_n"),
        ("magnetic_moment=0.0", r"gives magnetic_moment of shape \(\), not \(..., 3\)"),
        ("vector_p=standard.vector_p[None]", r"gives vector_p of shape \(1, 3, 3\), .* of shape \(\)"),
        ("light_scalar=3", "gives 3, no Exchange, of light_scalar"),
        ("vector_p=None", "gives no vector_p"),
        ("vector_p=np.eye(3).tolist()", "gives vector_p as a list, not an array"),
        ("magnetic_moment=np.full(3, 1e-9j)", "gives magnetic_moment of complex128, not of real numbers"),
        ("electron_left=np.triu(np.ones((3, 3)))", "gives electron_left that is not Hermitian"),
        ("quark_spins=0.8", "gives quark_spins 0.8, not two numbers"),
        ("neutron_radii={'CsI': 5.0}", "gives neutron_radii {'CsI': 5.0}, not those of csi, ar, ge, xe"),
        ("transition=Fourth(-np.ones(()), np.ones(3))", "gives shape that is below 0, .*of transition"),
        ("light_vector=Exchange(-np.ones(()), *4 * [np.eye(3)])", "gives mass that is below 0, of light_v"),
        ("light_vector=Exchange(np.ones(()), np.tri(3), *3 * [np.eye(3)])", "gives proton that is not Hermi"),
        ("mixing=Fourth(np.ones(()), np.ones(4))", r"gives by_flavour of shape \(4,\), .*, of mixing"),
    ],
)  # fmt: skip
def test_wrong_kinds_are_refused_when_it_is_loaded(own, changes, sentence):
    text = OWN.replace("vector_n=standard.vector_n + more", changes)
    own.write_text(f"from nurecoil.physics.couplings import Exchange, Fourth\n{text}")
    with pytest.raises(nurecoil.NurecoilError, match=f"own.py: the model more-neutrons {sentence}"):
        nurecoil.load_model(own)


@pytest.mark.parametrize("model", loading.MODELS, ids=lambda model: model.name)
def test_models_of_this_package_pass_and_are_not_slowed_down(model):
    assert loading.check(model, "here") is model
    copy = dataclasses.replace(model)
    assert loading.check(copy, "here").evaluate != model.evaluate


def test_a_model_given_in_python_is_checked_as_a_file_is():
    def lopsided(values):
        more = np.array([[0.0, 0.1, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
        standard = STANDARD_MODEL.evaluate(values)
        return replace(standard, vector_n=standard.vector_n + more)

    model = replace(STANDARD_MODEL, name="lopsided", evaluate=lopsided)
    with pytest.raises(NurecoilError, match="Study: the model lopsided gives vector_n that is not Hermitian"):
        nurecoil.Study(model, "binh2021-csi")
    with pytest.raises(NurecoilError, match="the model lopsided gives None, no Couplings"):
        nurecoil.Study(replace(model, evaluate=lambda values: None), "binh2021-csi")
    with pytest.raises(NurecoilError, match=r"fails: ValueError: too far, at .*sin2_theta_w = 0\.3"):
        nurecoil.Study(replace(model, evaluate=_only_near), "binh2021-csi", sin2_theta_w=0.3).predict()


def _only_near(values):
    if np.max(values["sin2_theta_w"]) == 0.3:
        raise ValueError("too far")
    return STANDARD_MODEL.evaluate(values)

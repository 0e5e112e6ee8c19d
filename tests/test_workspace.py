"""The likelihood as a workspace: pyhf reads it, and finds what we find."""

import json

import numpy as np
import pyhf
import pytest

import nurecoil
from command_line import run
from nurecoil import NurecoilError

CSI = "coherent-csi-2021"
pytestmark = pytest.mark.filterwarnings("ignore:jsonschema.RefResolver is deprecated")  # pyhf's


@pytest.fixture(scope="module")
def study():
    return nurecoil.Study("scaled-standard-model", CSI)


@pytest.fixture
def minuit():
    before = pyhf.get_backend()
    pyhf.set_backend("numpy", pyhf.optimize.minuit_optimizer(verbose=False, strategy=0))
    yield
    pyhf.set_backend(*before)


def test_pyhf_expects_and_profiles_what_we_do(study, minuit):
    """Shapes are interpolated otherwise there: Δχ² = 13 at 0.5 and at 1.6 differs by 4 to 6 %."""
    space = pyhf.Workspace(study.workspace().values.workspace)
    model = space.model()
    data = space.data(model)
    expected = model.expected_actualdata(model.config.suggested_init())
    question = study.question({"signal_strength": 1.0})
    parts = question.components([[1.0]], question.likelihood.centre)[CSI]
    np.testing.assert_allclose(expected, sum(parts.values()), rtol=1e-12)
    centre, *others = [0.95, 0.5, 1.6]
    theirs = [
        float(pyhf.infer.mle.fixed_poi_fit(x, data, model, return_fitted_val=True)[1])
        for x in (centre, *others)
    ]
    ours = question.chi2([[centre], *([x] for x in others)])
    assert np.subtract(theirs[1:], theirs[0]) == pytest.approx(ours[1:] - ours[0], rel=0.08)


def test_patches_are_the_signals_of_other_points():
    study = nurecoil.Study("nsi", CSI)
    answer = study.workspace({"eps_u_ee": (-0.5, 0.5)}, points=3).values
    space, patches = pyhf.Workspace(answer.workspace), pyhf.PatchSet(answer.patchset)
    patches.verify(space)
    assert [patch.values for patch in patches] == [(-0.5,), (0.0,), (0.5,)]
    changed = pyhf.Workspace(patches.apply(space, "eps_u_ee_2"))
    there = nurecoil.Study("nsi", CSI, eps_u_ee=0.5)
    total = there.predict().values.parts[0].total
    assert sum(changed["channels"][0]["samples"][0]["data"]) == pytest.approx(total, rel=1e-9)
    same = pyhf.Workspace(patches.apply(space, "eps_u_ee_1"))
    assert same["channels"] == space["channels"]


def test_an_off_sample_is_a_channel_whose_rates_float():
    spec = nurecoil.Study("standard-model", "coherent-ge-2024").workspace().values.workspace
    model = pyhf.Workspace(spec).model()
    names = [channel["name"] for channel in spec["channels"]]
    assert names == ["coherent-ge-2024", "coherent-ge-2024 off"]
    floating = [n for n in model.config.par_order if "steady_state" in n]
    assert floating
    assert all(not model.config.param_set(name).constrained for name in floating)


def test_held_pulls_and_widths_are_those_of_the_study():
    plain = nurecoil.Study("standard-model", CSI)
    names = {
        m["name"]
        for s in plain.workspace().values.workspace["channels"][0]["samples"]
        for m in s["modifiers"]
    }
    held = nurecoil.Study("standard-model", CSI, fix="sns_flux", prior={f"{CSI}_beam_related_neutrons": 0.5})
    samples = held.workspace().values.workspace["channels"][0]["samples"]
    left = {m["name"]: m for s in samples for m in s["modifiers"]}
    assert names - left.keys() == {"sns_flux"}
    (neutrons,) = [
        s for s in samples if any(m["name"] == f"{CSI}_beam_related_neutrons" for m in s["modifiers"])
    ]
    (rate,) = [m for m in neutrons["modifiers"] if m["name"] == f"{CSI}_beam_related_neutrons"]
    assert rate["data"]["hi_data"] == pytest.approx(1.5 * np.array(neutrons["data"]), rel=1e-12)


@pytest.mark.parametrize(
    ("experiment", "said"),
    [("binh2021-csi", "Gaussian counts"), ("xenonnt-2024", "two pulls")],
)
def test_what_pyhf_has_not_is_one_sentence(experiment, said):
    with pytest.raises(NurecoilError, match=said):
        nurecoil.Study("standard-model", experiment).workspace()


def test_the_command_writes_json(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, _ = run("workspace", "--model", "nsi", "--experiment", CSI, "--output", "csi.json")
    assert status == 0
    assert "540" in out or "bins" in out
    pyhf.Workspace(json.loads((tmp_path / "csi.json").read_text(encoding="utf-8")))
    assert run("workspace", "--model", "nsi", "--experiment", CSI, "--output", "csi.xml")[0] == 2

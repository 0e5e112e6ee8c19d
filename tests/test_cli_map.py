"""`nurecoil map` and several confidence levels of `nurecoil limit`, as a user calls them."""

from pathlib import Path

import numpy as np
import pytest

from command_line import but_card, result, run
from nurecoil.inference import threshold
from releases import data_folder, release_file

CSI = ("map", "--model", "nsi", "--experiment", "coherent-csi-2021")
EE = ("--scan", "eps_u_ee=-0.5..1")
MUMU = ("--scan", "eps_u_mumu=-0.5..1")
ZPRIME = ("map", "--model", "331-beta", "--experiment", "binh2021-csi", "--points", "31")
PLANE = ("--scan", "m_zprime=0.1..10TeV", "--scan", "beta=-1.5..1.5")
LIMIT = ("limit", "--model", "331-beta", "--experiment", "binh2021-csi", "--set", "beta=-sqrt(3)")
MASSES = ("--set", "variant=numbers", "--scan", "m_zprime=0.3..10TeV")


@pytest.fixture(autouse=True)
def _in_an_empty_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def data(monkeypatch):
    release_file("coherent-csi-2021", "dataBeamOnC.txt")
    monkeypatch.setenv("NURECOIL_DATA", str(data_folder()))


@pytest.mark.usefixtures("data")
def test_two_islands():
    found = result(*CSI, *EE, *MUMU, "--cl", "90%", "--points", "41")
    (level,) = found["levels"]
    assert (level["cl"], level["level"]) == (0.9, threshold(0.9, dof=2))
    assert (level["settled"], level["not_converged"], found["converged"]) == (True, 0, True)
    below, above = level["regions"]
    assert below["bounds"]["eps_u_ee"] == pytest.approx([-0.1026, 0.4902], abs=2e-4)
    assert below["bounds"]["eps_u_mumu"] == pytest.approx([-0.0615, 0.0830], abs=3e-4)
    assert above["bounds"]["eps_u_mumu"] == pytest.approx([0.3147, 0.4499], abs=2e-4)
    assert below["open"] == {"eps_u_ee": [False, False], "eps_u_mumu": [False, False]}
    outer = np.array(below["outer"])
    assert [outer.min(axis=0).tolist(), outer.max(axis=0).tolist()] == np.transpose(
        [below["bounds"][name] for name in ("eps_u_ee", "eps_u_mumu")]
    ).tolist()
    assert found["chi2"] == pytest.approx(81.58, abs=0.01)
    assert np.shape(found["grid"]["delta_chi2"]) == (41, 41)
    assert list(found["grid"]["values"]) == ["eps_u_ee", "eps_u_mumu"]
    assert found["scanned"][0] == {"name": "eps_u_ee", "unit": "", "spacing": "linear"}
    assert "eps_u_ee" not in found["parameters"]
    assert found["conventions"]["nuisances"] == "profiled"


@pytest.mark.usefixtures("data")
def test_an_annulus():
    """With Q_ee and Q_mumu set to zero by NSI, only |eps_emu| counts."""
    zero = ("--set", "eps_u_ee=0.19", "--set", "eps_u_mumu=0.19")
    found = result(
        *CSI, *zero, "--scan", "eps_u_emu=-0.4..0.4", "--scan", "eps_u_emu_im=-0.4..0.4", "--points", "41"
    )
    for level in found["levels"]:
        (region,) = level["regions"]
        (hole,) = region["holes"]
        radii = [np.hypot(*np.transpose(ring)) for ring in (hole, region["outer"])]
        assert [np.ptp(radius) / radius.mean() for radius in radii] == pytest.approx([0, 0], abs=1e-6)
        assert 0.1 < radii[0].mean() < 0.19 < radii[1].mean() < 0.3


@pytest.mark.usefixtures("data")
def test_a_map_for_people():
    status, out, err = run(*CSI, *EE, "--scan", "eps_d_ee=-1..1", "--points", "41")
    assert (status, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80
    for text in ("best fit", "χ² = 8", "converged  yes", "68 %", "2.279", "90 %", "4.605", "-0.5* to 1*"):
        assert text in out
    assert "* the range ends there; the region does not" in out
    assert "sin2_theta_w" in out  # what it rests on


def test_units_and_open_ends():
    found = result(*ZPRIME, *PLANE)
    assert found["scanned"][0] == {"name": "m_zprime", "unit": "TeV", "spacing": "log"}
    region = found["levels"][0]["regions"][0]
    assert region["bounds"]["m_zprime"][1] == 10
    assert region["open"]["m_zprime"][1] is True
    assert found["grid"]["values"]["m_zprime"][0] == pytest.approx(0.1)


def test_spacing_may_be_chosen():
    found = result(*ZPRIME, *PLANE, "--spacing", "m_zprime=linear")
    assert [one["spacing"] for one in found["scanned"]] == ["linear", "linear"]
    assert np.diff(found["grid"]["values"]["m_zprime"]) == pytest.approx(np.full(30, 9.9 / 30))


def test_a_plot_is_the_same_each_time():
    for name in ("a.png", "b.png"):
        status, out, err = run(*ZPRIME, *PLANE, "--plot", name)
        assert (status, err) == (0, "")
        assert out.endswith(f"Plot: {name}\n")
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()
    assert sorted(path.name for path in Path().iterdir()) == ["a.png", "b.png"]


def test_a_nuisance_parameter_may_be_held():
    held, narrow = (
        but_card(result(*ZPRIME, *PLANE, *option))
        for option in (("--fix", "binh2021-csi_signal"), ("--prior", "binh2021-csi_signal=0"))
    )
    assert held == narrow
    assert held["levels"] != result(*ZPRIME, *PLANE)["levels"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((), "--scan"),
        (PLANE[:2], "a map has two different parameters, not m_zprime"),
        ((*PLANE, "--scan", "mu_nu=0..1"), "a map has two different parameters, not m_zprime, beta, mu_nu"),
        ((*PLANE[:2], *PLANE[:2]), "--scan gives m_zprime twice"),
        ((*PLANE, "--set", "beta=0"), "beta is both set and scanned"),
        ((*PLANE[:2], "--scan", "nonsense=0..1"), "unknown parameter 'nonsense'"),
        ((*PLANE[:2], "--scan", "beta=1..0"), "beta, 1 to 0, is reversed or empty"),
        ((*PLANE, "--cl", "90%", "--cl", "0.9"), "cl is given 2 times as 0.9"),
        ((*PLANE, "--cl", "0"), "confidence level 0 is not"),
        ((*PLANE, "--points", "20"), "--points is given 2 times"),
        ((*PLANE, "--spacing", "mu_nu=log"), "unknown scanned parameter 'mu_nu'"),
        (
            (*PLANE, "--spacing", "beta=cubic"),
            "the spacing of beta, cubic, is not allowed: it must be log or linear",
        ),
        ((*PLANE, "--spacing", "beta=log"), "a logarithmic scan from -1.5 is not allowed"),
        ((*PLANE, "--prior", "nothing=1"), "unknown nuisance parameter 'nothing'"),
        ((*PLANE, "--fix", "nothing"), "unknown nuisance parameter 'nothing'"),
        ((*PLANE, "--engine", "quick"), "unknown engine 'quick'"),
        ((*PLANE, "--plot", "a.jpg"), "'a.jpg': the file must end in .png, .svg, .pdf"),
    ],
)
def test_bad_input_ends_in_one_sentence(arguments, text):
    status, out, err = run(*ZPRIME, *arguments)
    assert (status, out) == (2, "")
    assert text in err
    assert not list(Path().iterdir())


# --- several levels of a limit ------------------------------------------------------------------------


def test_limits_at_several_levels_are_those_at_each():
    both = result(*LIMIT, *MASSES, "--cl", "68%", "--cl", "95%")
    one, other = (result(*LIMIT, *MASSES, "--cl", cl) for cl in ("68%", "95%"))
    for level, alone in zip(both["levels"], (one, other), strict=True):
        assert {key: alone[key] for key in ("cl", "level", "open", "upper_limit")}.items() <= level.items()
        assert level["lower_limit"] == alone["lower_limit"] is None  # there are several intervals
        assert np.ravel(level["allowed"]) == pytest.approx(np.ravel(alone["allowed"]), rel=1e-9)
    assert both["levels"][0].items() <= both.items()
    assert both["curve"] == one["curve"]
    assert len(one["levels"]) == 1


def test_a_limit_with_a_nuisance_parameter_held():
    held, narrow, free = (
        but_card(result(*LIMIT, *MASSES, *option))
        for option in (("--fix", "binh2021-csi_signal"), ("--prior", "binh2021-csi_signal=0"), ())
    )
    assert held == narrow
    assert held["allowed"] != free["allowed"]
    assert held["conventions"]["experiments"]["binh2021-csi"]["pull_widths"]["binh2021-csi_signal"] == 0


def test_limits_at_several_levels_for_people():
    _, out, _ = run(*LIMIT, *MASSES, "--cl", "68%", "--cl", "95%")
    assert "at 68 %, 95 % CL (Δχ² ≤ 0.9889, 3.841)" in out
    assert out.index("allowed at 68 % CL") < out.index("allowed at 95 % CL")
    assert out.count("several intervals") == 2

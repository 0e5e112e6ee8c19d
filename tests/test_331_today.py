"""What it would take to reach the LHC with CEvNS: the closed form against limits of scaled detectors."""

import math
import re
from pathlib import Path

import pytest

import nurecoil
import reference
from nurecoil.experiment import cards, compile_experiment
from nurecoil.experiment.card import load_experiment
from nurecoil.papers.beta331_today.needs import NAMES, Need, Needs
from nurecoil.papers.beta331_today.recipe import couplings

LEVEL, SQRT3 = 2.7055, math.sqrt(3)
NEEDS = Needs(3.7, LEVEL)
# Ge-Mini expected 35.1 in 10.22 GWh kg (arXiv:2406.13806), here there are 180; the ESS: "more than 7,000"
COUNTS = {"future-ge-18": (35.1 * 180 / 10.22, 0.15), "future-ess-xe": (7000, 0.15)}


def scaled(name: str, factor: float, folder: Path) -> Path:
    """Write a card with so many times the mass and the background, which observes the Standard Model."""
    text = (Path(cards.__file__).parent / f"{name}.toml").read_text(encoding="utf-8")
    text = re.sub(r"observed = \d+", 'observed = "standard-model"', text)
    for key in ("variance_counts", "background"):
        text = re.sub(
            rf"^{key} = (\d+)$", lambda m, key=key: f"{key} = {factor * float(m[1])!r}", text, flags=re.M
        )
    text = re.sub(
        r'^mass = "([\d.]+) kg"', lambda m: f'mass = "{factor * float(m[1])!r} kg"', text, flags=re.M
    )
    (path := folder / f"{name}.toml").write_text(
        re.sub(r"background_pull_width.*", "", text), encoding="utf-8"
    )
    return path


@pytest.mark.parametrize("beta", [-SQRT3, -2 / SQRT3, SQRT3])
@pytest.mark.parametrize("of_floor", [0.0, 0.8])
@pytest.mark.parametrize("name", NAMES)
def test_that_exposure_gives_that_limit(name, beta, of_floor, tmp_path):
    need = NEEDS.of(compile_experiment(load_experiment(name)), beta)
    sigma = of_floor * need.floor
    card = scaled(name, float(need.exposure(sigma)), tmp_path)
    study = nurecoil.Study("331-beta", card, prior={f"{name}_signal": sigma}, beta=beta)
    found = study.limit("m_zprime", "1..100 TeV").values.profile
    assert found.lower_limit / 1e6 == pytest.approx(3.7, rel=2e-3)


def test_beyond_the_floor_no_exposure_helps():
    need = Need(change=0.0875, counts=1000, noise=1.2, sigma=0.04, level=LEVEL)
    assert need.floor == pytest.approx(0.0875 / 1.0875 / math.sqrt(LEVEL)) == pytest.approx(0.0489, abs=1e-4)
    exact = 1.2 * LEVEL / (1000 * 0.0875**2)
    assert need.exposure(0.0) == pytest.approx(exact)
    assert need.exposure(0.5 * need.floor) == pytest.approx(exact * 4 / 3)
    assert need.exposure(0.99 * need.floor) == pytest.approx(exact / (1 - 0.99**2))
    assert math.isnan(need.exposure(1.01 * need.floor))


@pytest.mark.parametrize("name", COUNTS)
def test_projections_see_what_they_are_said_to(name):
    counts, within = COUNTS[name]
    (part,) = nurecoil.Study("standard-model", name).predict().values.parts
    assert part.total == pytest.approx(counts, rel=within)


def test_csi_2017_of_the_paper_has_its_own_background():
    need = NEEDS.of(compile_experiment(load_experiment("binh2021-csi")), -SQRT3)
    assert need.noise == pytest.approx(1 + 816 / need.counts)  # eq. 43, with N of the Standard Model
    assert need.change == pytest.approx(0.084, rel=0.02)


def test_the_table_of_couplings_is_table_one_and_the_charged_leptons():
    """e: L = c² - √3βs², R = -2√3βs² of f/(2√3), g_V = L + R, g_A = L - R; the rest as printed in Table I."""
    s2, betas = 0.23857, (SQRT3, 2 / SQRT3, 1 / SQRT3, 0, -1 / SQRT3, -2 / SQRT3, -SQRT3)
    for row, beta in zip(couplings().rows, betas, strict=True):
        table = reference.table_one(beta, s2, 0.03)
        norm, x = 1 / math.sqrt(1 - (1 + beta**2) * s2) / (2 * SQRT3), SQRT3 * beta * s2
        lepton = norm * (1 - s2 - 3 * x), norm * (1 - s2 + x)
        expected = [*table["nu"], *lepton, *table["u"], *table["d"]]
        assert [float(cell.replace("−", "-")) for cell in row[1:]] == pytest.approx(expected, abs=6e-4)

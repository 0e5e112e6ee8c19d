"""XENONnT against its releases: counts by run, templates at all values of the pulls, significance and flux.

Numbers of SOURCES.md, of arXiv:2408.02877, and of the released likelihood as an independent script has it
(the templates multilinear between their 49 values of the pulls, minimised by SciPy).
"""

import json

import numpy as np
import pytest

from nurecoil import Study
from nurecoil.errors import NurecoilError
from nurecoil.experiment import STANDARD_BASIS, compile_experiment
from nurecoil.experiment.card import load_experiment
from nurecoil.likelihood.objective import expected
from nurecoil.likelihood.response import respond
from nurecoil.likelihood.term import terms_of
from nurecoil.models import STANDARD_MODEL
from releases import release_file

NAMES = ("xenonnt-2024", "xenonnt-2026")
RUNS = {"xenonnt-2024": ("sr0", "sr1"), "xenonnt-2026": ("sr0", "sr1", "sr2")}
EXPOSURE = {"sr0": 1.174398, "sr1": 2.342593, "sr2": 3.249665}
XENON_FLUX = 5.25 / 5.46  # over that of the solar model


@pytest.fixture(scope="module")
def compiled():
    for name in NAMES:
        release_file(name, "templates-sr0.npz")
    return {name: compile_experiment(load_experiment(name)) for name in NAMES}


def by_run(compiled, counts):
    return np.asarray(counts).reshape(compiled.experiment.shape).sum(axis=(0, 1, 2, 3))


COUPLINGS = STANDARD_MODEL.evaluate({p.name: p.default for p in STANDARD_MODEL.parameters})


def standard(compiled):
    return compiled.counts(COUPLINGS)


@pytest.mark.parametrize(
    ("name", "signal", "events", "coincidences", "electrons", "neutrons"),
    [
        ("xenonnt-2024", [4.246, 7.670], [9, 28], [7.48, 17.77], [0.13, 0.55], [0.13, 0.33]),
        ("xenonnt-2026", [3.23, 5.96, 7.16], [9, 28, 25], [7.48, 17.77, 14.86], [0.13, 0.55, 0.52],
         [0.17, 0.41, 0.17]),
    ],
)  # fmt: skip
def test_counts_of_runs_are_the_releases(compiled, name, signal, events, coincidences, electrons, neutrons):
    own = compiled[name]
    np.testing.assert_allclose(XENON_FLUX * by_run(own, standard(own)), signal, rtol=0.01)
    assert by_run(own, own.experiment.statistics.observed).tolist() == events
    *accidental, er, nr = own.experiment.statistics.backgrounds
    for number, background in enumerate(accidental):
        alone = np.array(coincidences) * (np.arange(len(events)) == number)
        np.testing.assert_allclose(by_run(own, background.nominal), alone, atol=0.005)
    np.testing.assert_allclose(by_run(own, er.nominal), electrons, atol=0.005)
    np.testing.assert_allclose(by_run(own, nr.nominal), neutrons, atol=0.005)


def test_in_2024_the_standard_model_has_the_shape_of_the_released_templates(compiled):
    own = compiled["xenonnt-2024"]
    counts = standard(own).reshape(*own.experiment.shape)
    for number, run in enumerate(RUNS["xenonnt-2024"]):
        with np.load(release_file("xenonnt-2024", f"templates-{run}.npz")) as file:
            released = EXPOSURE[run] * file["b8"][3, 3]
        np.testing.assert_allclose(XENON_FLUX * counts[..., number] / released, 1.0075, rtol=0.002)


def recoils():
    """XENON's own spectrum of the Standard Model: energies in keV, and recoils per t yr."""
    given = json.loads(release_file("xenonnt-2024", "cevns_spectrum.json").read_text())
    below, energies = (np.ravel(given[key]) for key in ("coordinate_system", "map"))
    return (energies[1:] + energies[:-1]) / 2, given["rate"] * np.diff(below)


def released_grid(name, run):
    """The Standard Model's counts at all values of the pulls, straight lines between energies."""
    with np.load(release_file(name, f"templates-{run}.npz")) as file:
        if name == "xenonnt-2024":
            return EXPOSURE[run] * file["b8"].reshape(7, 7, 81)
        E, mono = file["energy_keV"], file["mono"].reshape(46, -1)
    x, n = recoils()
    of_node = np.array([np.interp(x, E, column, left=0, right=0) @ n for column in mono.T])
    return EXPOSURE[run] * of_node.reshape(7, 7, 81)


@pytest.mark.parametrize("name", NAMES)
def test_pulls_change_the_signal_as_the_grid_does(compiled, name):
    own = compiled[name]
    (term,) = terms_of(own)
    signal = respond(term.arrays.signal, STANDARD_BASIS.strengths(COUPLINGS).reshape(1, -1))
    grid = np.stack([released_grid(name, run) for run in RUNS[name]], axis=-1)
    weight = grid[3, 3] / grid[3, 3].sum(axis=0)
    for i, j in np.ndindex(7, 7):
        at = {f"{name}_light_yield": i - 3.0, f"{name}_charge_yield": j - 3.0}
        x = np.array([at.get(pull.name, 0.0) for pull in term.pulls])
        t = [np.array([value]) for value in (x - term.centre) / term.unit]
        counts = expected(term.arrays, signal, t)["signal"].reshape(81, -1)
        nominal = expected(term.arrays, signal, [0 * value for value in t])["signal"].reshape(81, -1)
        ratio, wanted = counts / nominal, grid[i, j] / grid[3, 3]
        total, wanted_total = (weight * ratio).sum(axis=0), (weight * wanted).sum(axis=0)
        size = max(abs(i - 3), abs(j - 3))
        assert total == pytest.approx(wanted_total, rel={0: 1e-9, 1: 0.014, 2: 0.014, 3: 0.15}[size])
        if size <= 2:
            np.testing.assert_allclose(ratio[weight > 0.02], wanted[weight > 0.02], rtol=0.03)


@pytest.mark.parametrize(
    ("name", "significance", "flux", "released"),
    [
        # published: 2.73 σ and 4.7 +3.6 -2.3; the released likelihood gives 2.672 σ and 4.654 +3.70 -2.26
        ("xenonnt-2024", 2.672, (4.7, 2.3, 3.6), 4.654),
        ("xenonnt-2026", 3.308, (5.17, 2.19, 3.66), 5.174),
    ],
)
def test_significance_and_flux_are_recovered(compiled, name, significance, flux, released):
    study = Study("scaled-standard-model", [compiled[name]])
    best = study.fit({"signal_strength": 1}).values.fit
    (without,) = study.question({"signal_strength": 0.0}).profiled([[0.0]]).chi2
    assert np.sqrt(without - best.minimum) == pytest.approx(significance, abs=0.02)
    fitted = 5.46 * np.array([best.values["signal_strength"], *best.minos["signal_strength"]])
    assert fitted[0] == pytest.approx(released, rel=0.02)
    errors = np.array([flux[1], flux[1], flux[2]])
    assert (np.abs(fitted - flux) < 0.1 * errors).all()


@pytest.mark.parametrize("engine", ["numpy", "fast"])
def test_the_engines_agree(compiled, engine):
    study = Study("scaled-standard-model", [compiled["xenonnt-2024"]], engine=engine)
    assert study.fit({"signal_strength": 1}).values.fit.minimum == pytest.approx(110.024, abs=0.001)


def test_the_flux_of_8b_is_one_pull_of_all_that_see_the_sun_and_electrons_are_background(compiled):
    for own in compiled.values():
        assert "solar_8b_flux" in [pull.name for pull in own.experiment.statistics.signal.rates]
    with pytest.raises(NurecoilError, match="sees no recoils of electrons"):
        load_experiment("xenonnt-2026+electrons")

"""Limits in the models of papers against likelihoods of their own: of CsI 2021 (`csi_by_hand`), and LAr."""

import math
from functools import cache

import numpy as np
import pytest
from scipy.optimize import minimize

import csi_by_hand as by_hand
import direct
import nurecoil
from csi_by_hand import ROOT2_G_F, of_charges
from nurecoil.experiment import compile_experiment
from nurecoil.experiment.card import load_experiment
from nurecoil.models import STANDARD_MODEL
from reference import ALPHA, CM2, G_F, NU_MU_LINE
from releases import release_file

CSI = "coherent-csi-2021"
RADII = {"e": -0.83e-32, "mu": -0.48e-32}  # cm², of the Standard Model


def only(flavour, function):
    """Return a coupling of that flavour alone."""
    return lambda other, q: function(q) if other == flavour else 0.0 * q


def diagonal(flavour, u, d):
    return lambda x: of_charges(only(flavour, lambda q: x * u), only(flavour, lambda q: x * d))


def radius(flavour):
    factor = math.sqrt(2) * math.pi * ALPHA / (3 * 1.1663787e-11) / CM2
    return lambda x: of_charges(only(flavour, lambda q: -factor * (x - RADII[flavour])))


def millicharge(flavour):
    return lambda x: of_charges(only(flavour, lambda q: 4 * math.pi * ALPHA * x / (ROOT2_G_F * q**2)))


def vector(mass, nucleon):
    """Return the model of a mediator, `nucleon` the product of the charges of a neutrino and a nucleon."""
    return lambda g: of_charges(*2 * (lambda flavour, q: nucleon * g**2 / (ROOT2_G_F * (q**2 + mass**2)),))


@cache
def loop():
    return by_hand.loop()


def of_loop(mass):
    """ν_μ has charge 1, ν_e none; protons see the loop."""
    return lambda g: of_charges(only("mu", lambda q: g**2 * loop()(q) / (ROOT2_G_F * (q**2 + mass**2))))


def portal(mass, of):
    return lambda d: by_hand.dipole(d, mass, (of,))


MASSES = {"1 MeV": 1.0, "10 MeV": 10.0, "100 MeV": 100.0, "1 GeV": 1000.0}
MU, D = "0..2e-8 mu_B", "0..2e-8 mu_B"
CASES = {
    "ε_ee^uV": ("nsi", {}, "eps_u_ee", "-0.5..1", diagonal("e", 2, 1)),
    "ε_ee^dV": ("nsi", {}, "eps_d_ee", "-0.5..1", diagonal("e", 1, 2)),
    "ε_μμ^uV": ("nsi", {}, "eps_u_mumu", "-0.5..1", diagonal("mu", 2, 1)),
    "ε_eμ^uV": ("nsi", {}, "eps_u_emu", "-0.5..0.5", lambda x: of_charges(changing=(2 * x, x))),
    "μ_νe": ("magnetic-moments", {}, "mu_nu_e", MU, lambda x: by_hand.moment(x, "e")),
    "μ_νμ": ("magnetic-moments", {}, "mu_nu_mu", MU, lambda x: by_hand.moment(x, ("mu",))),
    "⟨r²⟩_νe": ("charge-radii", {}, "r2_nu_e", "-9e-31..4e-31 cm2", radius("e")),
    "⟨r²⟩_νμ": ("charge-radii", {}, "r2_nu_mu", "-9e-31..4e-31 cm2", radius("mu")),
    "q_νe": ("millicharges", {}, "q_nu_e", "-1e-6..1e-6", millicharge("e")),
    "q_νμ": ("millicharges", {}, "q_nu_mu", "-1e-6..1e-6", millicharge("mu")),
    **{
        f"d_{of} at {m:g} MeV": ("dipole-portal", {"m_4": f"{m} MeV"}, f"d_{of}", D, portal(m, of))
        for of in ("e", "mu")
        for m in (1.0, 10.0)
    },
    "s_W²": ("standard-model", {}, "sin2_theta_w", "0.05..0.5", lambda x: of_charges(s2=x)),
    "R_n": ("neutron-radii", {}, "rn_csi", "3.6..8.4 fm", lambda x: of_charges()),
    **{
        f"{name} at {m}": (model, {"m_mediator": m, **more}, "g_mediator", "1e-6..0.3", make(mass))
        for m, mass in MASSES.items()
        for name, model, more, make in (
            ("universal vector", "light-vector", {}, lambda mass: vector(mass, 3)),
            ("B-L", "u1-prime", {"charges": "B-L"}, lambda mass: vector(mass, -1)),
            ("L_μ-L_τ", "u1-prime", {"charges": "L_mu-L_tau"}, of_loop),
            ("scalar", "light-scalar", {}, lambda mass: lambda g: by_hand.scalar(g, mass)),
        )
    },
}


@pytest.fixture(scope="module")
def csi():
    return by_hand.CsI()


def test_counts_of_the_standard_model_and_backgrounds(csi):
    compiled = compile_experiment(load_experiment(CSI))
    signal = csi.signal(of_charges())[0]
    assert compiled.counts(STANDARD_MODEL.couplings()) == pytest.approx(signal, rel=1e-4)
    statistics = compiled.experiment.statistics
    for ours, b in zip(csi.backgrounds, statistics.backgrounds, strict=True):
        assert b.nominal == pytest.approx(ours, rel=1e-9)
    assert statistics.observed == pytest.approx(csi.observed)


@pytest.mark.parametrize("name", CASES)
def test_a_limit_is_the_one_by_hand(csi, name):
    model, values, parameter, within, make = CASES[name]
    found = nurecoil.Study(model, CSI, **values).limit(parameter, within).values.profile
    low, high = (float(x) for x in within.split()[0].split(".."))
    edges = [x for i in found.intervals for x in (i.low, i.high)]
    ends = [x for x in edges if low < x * (1 - 1e-9) and x < high * (1 - 1e-9)]
    assert ends

    def signal_at(x):
        return csi.signal(make(x), free_radius=x if name == "R_n" else None)

    standard = csi.signal(of_charges()) if parameter == "g_mediator" else None
    ours = csi.limit(signal_at, ends, found.best_fit, standard)
    assert ends == pytest.approx(ours, rel=1e-3, abs=0)


# --- the radius of argon: counts by hand, over the compiled response ------------------------------------


def counts_of_argon(experiment, R):
    """Return the Standard Model's counts where neutrons have the rms radius R (fm), protons 3.427 fm."""

    def cross_section(T, n):
        q = np.sqrt(2 * n.mass * T)
        charge = n.Z * (0.5 - 2 * 0.23857) * by_hand.helm(q, 3.427) - 0.5 * n.N * by_hand.helm(q, R)
        t, low = T[:, np.newaxis], (T + np.sqrt(T**2 + 2 * n.mass * T)) / 2
        flux = direct.over_flux(lambda E: 1 - t / E - n.mass * t / (2 * E**2), low, 40)
        return (G_F**2 * n.mass / math.pi * charge**2)[:, np.newaxis] * flux

    line = [2 * NU_MU_LINE**2 / (n.mass + 2 * NU_MU_LINE) for n in experiment.target.nuclides]
    return direct.counts(experiment, experiment.signal, cross_section, lambda n: line)


def logs(up, down, nominal):
    """Return what multiplies t and |t| < 1's square in the logarithm, of a thousandfold at most."""
    ratios = (np.clip(x, 1e-3 * nominal, 1e3 * nominal) for x in (up, down))
    up, down = (np.log(np.divide(x, nominal, out=np.ones_like(x), where=nominal > 0)) for x in ratios)
    return (up - down) / 2, (up + down) / 2


def of_argon(compiled, signal):
    """Return χ² of some counts, pulls profiled: two rates, F90 and the time of the signal, neutrons."""
    statistics, standard = compiled.experiment.statistics, compiled.counts(STANDARD_MODEL.couplings())
    varied = [[v.evaluate(STANDARD_MODEL.couplings()) for v in pair] for pair in compiled.variations]
    shapes = [logs(*pair, standard) for pair in varied]
    (ssb, brn, delayed), n = statistics.backgrounds, statistics.observed
    neutrons = [logs(v.up, v.down, brn.nominal) for v in brn.shapes]

    def morphed(t, of):
        bent = np.where(np.abs(t) < 1, t * t, 2 * np.abs(t) - 1)
        return np.exp(sum(x * a + y * b for x, y, (a, b) in zip(t, bent, of, strict=True)))

    def chi2(t):
        mu = signal * 1.1 ** t[0] * 1.085 ** t[1] * morphed(t[2:4], shapes[:2])
        mu = mu + (1 + 25 / 3152 * t[4]) * ssb.nominal + (1 + t[6]) * delayed.nominal
        mu = np.maximum(mu + (1 + 160 / 497 * t[5]) * brn.nominal * morphed(t[7:10], neutrons), 1e-12)
        return 2 * np.sum(mu - n + n * np.log(np.where(n > 0, n, 1) / mu)) + t @ t

    return minimize(chi2, np.zeros(10), method="BFGS", options={"gtol": 1e-4}).fun


@pytest.mark.parametrize(("cl", "level"), [("68.27%", 1.0), ("90%", 2.7055)])
def test_the_radius_of_argon_is_the_one_by_hand(cl, level):
    release_file("coherent-lar-2020", "datanobkgsub.txt")
    compiled = compile_experiment(load_experiment("coherent-lar-2020"))
    study = nurecoil.Study("neutron-radii", "coherent-lar-2020")
    found = study.limit("rn_ar", "2.2..7 fm", cl=cl).values.profile
    ends = [x for i in found.intervals for x in (i.low, i.high) if 2.21 < x < 6.99]
    assert ends

    def chi2(R):
        return of_argon(compiled, counts_of_argon(compiled.experiment, R))

    lowest = chi2(found.best_fit)
    for end in ends:
        by_thousandth = [chi2(end * (1 + x)) - lowest - level for x in (-1e-3, 1e-3)]
        assert by_thousandth[0] * by_thousandth[1] < 0

"""Cards of few counts, and the constructions of intervals that they are compared with."""

from functools import cache
from itertools import pairwise

import numpy as np
from scipy.stats import poisson

from asking import predict
from nurecoil.experiment import compile_experiment
from nurecoil.experiment.card import load_experiment
from nurecoil.inference.critical import critical_value
from nurecoil.models import STANDARD_MODEL

CARD = """
name = "few"
title = "few counts"
reference = "none"
target = {{ material = "Ge", mass = "{mass!r} kg", form_factor = "helm" }}
cross_section = {{ vector_recoil_term = true, magnetic_recoil_term = false, magnetic_form_factor = true }}

[source]
flux = "pion-decay-at-rest"
protons_on_target = 2e23
neutrinos_per_proton = 0.09
baseline = "20 m"

[detector]
observable = "energy [keV]"
edges = {edges}
quenching = {{ kind = "constant", factor = 0.2 }}
smearing = {{ kind = "none" }}
efficiency = {{ kind = "constant", value = 1.0 }}

[data]
observed = {{ file = "seen.csv", columns = {{ energy = 0 }}, weight = 1 }}
"""
BACKGROUND = """
[[backgrounds]]
name = "flat"
counts = {background}
pull = "few_flat"
width = {width}
factors = [{{ axes = ["energy"], table = {{ file = "flat.csv", columns = {{ energy = 0 }}, weight = 1 }} }}]
"""
RATE = """
[[signal_pulls]]
effect = "normalisation"
name = "few_rate"
width = {rate}
"""


def write(folder, seen, background=0.0, *, mass=1.0, width=0.0, rate=None):
    """Write a card of one bin for each count seen; pulls only where they have a width."""
    edges = [*[1, 2, 4][: len(seen)], 10]
    middles = [0.5 * (a + b) for a, b in pairwise(edges)]
    text = CARD.format(mass=mass, edges=edges)
    text += BACKGROUND.format(background=background, width=width) if background else ""
    text += RATE.format(rate=rate) if rate else ""
    for name, counts in (("seen.csv", seen), ("flat.csv", [1] * len(seen))):
        rows = [f"{x},{n}\n" for x, n in zip(middles, counts, strict=True)]
        (folder / name).write_text("".join(rows), encoding="utf-8")
    (folder / "few.toml").write_text(text, encoding="utf-8")
    return folder / "few.toml"


@cache
def _counts_per_kg(folder, bins):
    card = write(folder, [0] * bins)
    return predict(STANDARD_MODEL, compile_experiment(load_experiment(card)), {}).values.total


def one_event(folder, seen, background=0.0, **more):
    """Write the same with a mass for which the Standard Model expects one event."""
    return write(folder, seen, background, mass=1 / _counts_per_kg(folder, len(seen)), **more)


def critical_values(draw, values, cl, *, toys, seed=1):
    """Return the critical value of toys at each value, its error, and how many fits failed."""
    drawn = [draw(x, toys, np.random.SeedSequence([seed, number])) for number, x in enumerate(values)]
    found = np.array([critical_value(t, cl) for t, _ in drawn])
    return found[:, 0], found[:, 1], np.array([failed for _, failed in drawn])


def accepted(n, background, cl, signals):
    """Return which signals count n allows: outcomes in the order of their likelihood ratios, up to cl."""
    k = np.arange(150)
    best = poisson.pmf(k, np.maximum(k, background))
    kept = []
    for signal in signals:
        p = poisson.pmf(k, signal + background)
        ratio = p / best
        kept.append(p[ratio > ratio[n] * (1 + 1e-9)].sum() < cl)
    return np.array(kept)

"""A random binned experiment, and χ² in plain loops and by MIGRAD: nothing of the engine."""

import math

import numpy as np
from iminuit import Minuit

from nurecoil.experiment import Component, Shape, Statistics, Variance
from nurecoil.likelihood import binned_term
from nurecoil.parameters import Parameter

BINS = 5


def pull(name, width=1.0, centre=0.0):
    return Parameter(name=name, description="", latex="", default=centre, prior_width=width)


def plain_morph(t, nominal, up, down):
    """The factor of a bin: `up` at +1, `down` at -1, a parabola in the log between, straight beyond."""
    if nominal == 0:
        return 1.0
    high, low = math.log(up / nominal), math.log(down / nominal)
    if abs(t) <= 1:
        return math.exp((high - low) / 2 * t + (high + low) / 2 * t * t)
    slope = (high - low) / 2 + math.copysign(1, t) * (high + low)  # at the end, t = ±1
    return math.exp((high if t > 0 else low) + slope * (t - math.copysign(1, t)))


def plain_poisson(observed, mu):
    """-2 ln of the likelihood ratio, a plain loop."""
    total = 0.0
    for n, m in zip(observed, mu, strict=True):
        if m < 0 or (m == 0 and n > 0):
            return math.inf
        total += 2 * (m - n + (n * math.log(n / m) if n else 0.0))
    return total


def signal_of(rates=(), shapes=()):
    """Return the signal of a likelihood whose templates are given, with its pulls."""
    return Component("signal", None, tuple(rates), tuple(shapes))


def gaussian_term(name, observed, sigma, templates, signal_pull=None, backgrounds=()):
    """Return a Gaussian term with rates alone, backgrounds as (name, counts, pull)."""
    signal = signal_of([signal_pull] if signal_pull else [])
    components = tuple(Component(b, counts, (rate,)) for b, counts, rate in backgrounds)
    statistics = Statistics(observed, signal, components, Variance(sigma**2, 0.0))
    return binned_term(name, statistics, templates[np.newaxis])


class Case:
    """A random likelihood: two rates and two shapes of the signal, two backgrounds that share a shape.

    The signal's counts are linear in `strengths` numbers q; at q = (1, 0, ...) they are `signal_counts`.
    """

    def __init__(self, seed, strengths=1, name="mine"):
        random = np.random.default_rng(seed)
        self.templates = random.uniform(1, 30, (1, strengths, BINS)) * (random.random(BINS) > 0.2)
        ups_and_downs = random.uniform(0.5, 2.0, size=(4, strengths, BINS))
        self.templates = np.concatenate([self.templates, ups_and_downs * self.templates])
        self.background_counts = random.uniform(1, 50, (2, BINS))
        factors = random.uniform(0.5, 2.0, size=(2, 3, BINS))
        self.background_ups, self.background_downs = factors * self.background_counts[[0, 0, 1]]
        self.one = np.eye(1, strengths)
        mean = self.templates[0, 0] + self.background_counts.sum(axis=0)
        self.observed = random.poisson(mean).astype(float)
        self.observed[random.random(BINS) < 0.2] = 0.0
        self.widths = {"flux": 0.1, "rate": 0.3}
        variations = [
            Shape(pull(name), up, down)
            for name, up, down in zip(
                ("own", "shared", "shared"), self.background_ups, self.background_downs, strict=True
            )
        ]
        self.statistics = Statistics(
            observed=self.observed,
            backgrounds=(
                Component("first", self.background_counts[0], (pull("a1", 0.2),), tuple(variations[:2])),
                Component("second", self.background_counts[1], (pull("a2", 0.5),), (variations[2],)),
            ),
            signal=signal_of(
                tuple(pull(name, width) for name, width in self.widths.items()),
                (Shape(pull("light"), None, None), Shape(pull("radius", 0.25, 5.0), None, None)),
            ),
        )
        self.term = binned_term(name, self.statistics, self.templates)
        self.names = [p.name for p in self.term.pulls]
        self.random = random

    def anywhere(self, points=1):
        """Return random pulls, shapes on both sides of |t| = 1, rates that keep counts positive."""
        x = self.random.uniform(-2.5, 2.5, size=(points, len(self.names)))
        x[:, [self.names.index(n) for n in ("flux", "rate")]] *= 0.2
        x[:, [self.names.index(n) for n in ("a1", "a2")]] *= 0.3
        x[:, self.names.index("radius")] = 5 + 0.25 * self.random.uniform(-2.5, 2.5, points)
        return x

    def off_the_kinks(self, x):
        """Move shape pulls away from t = ±1, where the second derivative jumps."""
        for name in ("light", "own", "shared", "radius"):
            j = self.names.index(name)
            scale, centre = (0.25, 5.0) if name == "radius" else (1.0, 0.0)
            t = (x[:, j] - centre) / scale
            near = np.abs(np.abs(t) - 1) < 1e-2
            x[:, j] = np.where(near, centre + scale * 1.5 * np.sign(t), x[:, j])
        return x

    def expected(self, x, q=None):
        """The counts of signal and backgrounds in a plain loop over bins."""
        at = dict(zip(self.names, x, strict=True))
        at["radius"] = (at["radius"] - 5) / 0.25
        signal, *shapes = (np.asarray(self.one[0] if q is None else q) @ block for block in self.templates)
        parts = {"signal": [], "first": [], "second": []}
        for b in range(BINS):
            s = signal[b] * 1.1 ** (at["flux"] / 0.1) * 1.3 ** (at["rate"] / 0.3)
            for k, name in enumerate(("light", "radius")):
                s *= plain_morph(at[name], signal[b], shapes[2 * k][b], shapes[2 * k + 1][b])
            parts["signal"].append(s)
            first, second = self.background_counts[:, b]
            up, down = self.background_ups[:, b], self.background_downs[:, b]
            parts["first"].append(
                first * (1 + at["a1"]) * plain_morph(at["own"], first, up[0], down[0])
                * plain_morph(at["shared"], first, up[1], down[1])
            )  # fmt: skip
            parts["second"].append(
                second * (1 + at["a2"]) * plain_morph(at["shared"], second, up[2], down[2])
            )
        return parts

    def chi2(self, x, q=None):
        """-2 ln L without priors."""
        return plain_poisson(self.observed, np.sum(list(self.expected(x, q).values()), axis=0))

    def prior(self, x, centres=None):
        """Σ ((x - centre)/width)²."""
        total = 0.0
        for p, value, centre in zip(self.term.pulls, x, centres or [None] * len(x), strict=True):
            total += ((value - (p.default if centre is None else centre)) / p.prior_width) ** 2
        return total


class Independent:
    """χ² of one binned experiment at given couplings, from the card's own objects: nothing of the engine."""

    def __init__(self, compiled, couplings):
        self.statistics = compiled.experiment.statistics
        signal = compiled.counts(couplings)
        ends = [[t.evaluate(couplings) for t in pair] for pair in compiled.variations]
        self.parts = [(signal, ends, [v.pull.name for v in self.statistics.signal.shapes],
                       [v.step or v.pull.prior_width for v in self.statistics.signal.shapes])]  # fmt: skip
        for b in self.statistics.backgrounds:
            shapes = [(v.up, v.down) for v in b.shapes]
            self.parts.append((b.nominal, shapes, [v.pull.name for v in b.shapes], [1.0] * len(shapes)))
        self.logs = [self._logarithms(counts, shapes) for counts, shapes, _, _ in self.parts]
        self.names = [p.name for p in self.statistics.pulls]
        self.pulls = {p.name: (p.default, p.prior_width) for p in self.statistics.pulls}

    @staticmethod
    def _logarithms(counts, shapes):
        with np.errstate(divide="ignore", invalid="ignore"):
            return [[np.where(counts > 0, np.clip(np.log(end / counts), -math.log(1e3), math.log(1e3)), 0)
                     for end in pair] for pair in shapes]  # fmt: skip

    def mean(self, x):
        at, total = dict(zip(self.names, x, strict=True)), 0.0
        for number, ((counts, _, names, steps), logs) in enumerate(zip(self.parts, self.logs, strict=True)):
            exponent = 0.0
            for name, step, (high, low) in zip(names, steps, logs, strict=True):
                t = (at[name] - self.pulls[name][0]) / step
                if abs(t) <= 1:
                    exponent = exponent + t * (high - low) / 2 + t * t * (high + low) / 2
                elif t > 1:
                    exponent = exponent + high + (t - 1) * ((high - low) / 2 + (high + low))
                else:
                    exponent = exponent + low + (t + 1) * ((high - low) / 2 - (high + low))
            if number == 0:
                rate = 1.0
                for pull in self.statistics.signal.rates:
                    rate *= (1 + pull.prior_width) ** (at[pull.name] / pull.prior_width)
            else:
                rate = 1 + at[self.statistics.backgrounds[number - 1].rates[0].name]
            total = total + rate * counts * np.exp(np.clip(exponent, -300, 300))
        return total

    def __call__(self, x):
        mu, n = self.mean(x), self.statistics.observed
        if (mu < 0).any() or (n[mu == 0] > 0).any():
            return 1e10
        full = n > 0
        value = 2 * (mu.sum() - n.sum() + (n[full] * np.log(n[full] / mu[full])).sum())
        return value + sum(((v - c) / w) ** 2 for v, (c, w) in zip(x, self.pulls.values(), strict=True))


def migrad(function, start, errors, limits=None):
    """Return what MIGRAD finds from a start."""
    minuit = Minuit(function, np.asarray(start, dtype=float))
    minuit.errordef, minuit.tol, minuit.errors = 1.0, 1e-4, errors
    if limits is not None:
        minuit.limits = limits
    return minuit.migrad()


def beside(likelihood):
    """Return the pulls at their centres but for the third that changes a shape, 1.5 widths above."""
    names = {
        term.pulls[k].name
        for term in likelihood.terms
        for k in (*term.arrays.signal.shapes, *(k for b in term.arrays.shaped for k in b.shapes))
    }
    third = [n for n, p in enumerate(likelihood.pulls) if p.name in names][2]
    return likelihood.centre + 1.5 * likelihood.width * (np.arange(likelihood.width.size) == third)

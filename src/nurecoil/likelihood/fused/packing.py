"""A layout and its inputs as flat arrays.

Everything with bins lies in the rows of one array, `rows` (what changes) or `table` (what does not).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nurecoil.likelihood.problem import Inputs, Layout

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]

TERM, SIZE, TEMPLATE, LINEAR, RATES, RATES_END, SHAPES, SHAPES_END = range(8)  # of `components`
BINS, GAUSSIAN, FIRST_BIN = range(3)  # of `terms`


class Sizes(NamedTuple):
    """How many there are of each thing, and in which row of `rows` (or of `table`) each kind begins."""

    components: int
    terms: int
    rates: int
    entries: int  # pairs of a component and a pull of its shape
    templates: int
    strengths: int
    parameters: int
    pairs: int  # of parameters
    free: int
    bins: int
    mu: int
    first: int
    second: int
    part: int  # counts of each component
    scale: int  # the same over those without pulls
    slope: int  # ∂μ of each entry, then of the parameters of each component
    log_slope: int  # ∂ln μ of each entry
    a: int
    b: int
    logs: int  # ∂ ln(up/s) and ∂ ln(down/s), for each entry and parameter
    logs2: int
    prediction: int  # of each template at the centre of the expansion, then its slopes and curvatures
    here: int  # the same at the parameters, and its slopes
    weighted: int
    bent: int
    scratch: int
    rows: int
    counts: int  # rows of `table`
    fixed_a: int
    fixed_b: int
    template: int


class Packed(NamedTuple):
    """A layout as flat arrays; a column is a rate or a shape pull of one component.

    Attributes
    ----------
    components, terms
        Rows of numbers, see the constants of this module.
    columns, factors
        (pull, variable or -1) and (logarithm, dt/dz) of each column.
    table
        Counts and exponents of backgrounds, and templates.
    weights
        Of the priors.
    """

    sizes: Sizes
    components: Numbers
    terms: Numbers
    columns: Numbers
    factors: Array
    table: Array
    weights: Array


def expansion_rows(inputs: Inputs, d: int) -> tuple[Array, Array]:
    """Return the strengths with slopes and curvatures (P, 1 + d + pairs, 12), and their centre (P, d)."""
    if inputs.expansion is None:
        return np.ascontiguousarray(inputs.strengths)[:, np.newaxis], np.zeros((1, d))
    centre, value, slope, curvature = inputs.expansion
    rows = np.concatenate([value[:, np.newaxis], slope, curvature], axis=1)
    return np.ascontiguousarray(rows), np.ascontiguousarray(centre)


def side_by_side(arrays: Sequence[Array]) -> Array:
    """Return arrays (P or 1, numbers) as one."""
    rows = max(len(array) for array in arrays)
    wide = [np.broadcast_to(array, (rows, array.shape[1])) for array in arrays]
    return np.ascontiguousarray(np.concatenate(wide, axis=1))


def packed(layout: Layout) -> Packed:
    """Return the packed arrays of a layout, made once."""
    if "packed" not in layout.__dict__:
        object.__setattr__(layout, "packed", pack(layout))
    found: Packed = layout.__dict__["packed"]
    return found


def pack(layout: Layout) -> Packed:
    """Return the experiments of a layout as flat arrays."""
    first_pull = np.cumsum([0, *(len(places) for places in layout.places)])
    first_bin = np.cumsum([0, *(term.bins for term in layout.terms)])
    bins = max(term.bins for term in layout.terms)
    components: list[tuple[int, ...]] = []
    rates: list[tuple[float, ...]] = []
    shapes: list[tuple[float, ...]] = []
    counts: list[Array] = []
    a: list[Array] = []
    b: list[Array] = []
    templates: list[Array] = []
    for number, term in enumerate(layout.terms):
        pull, places, gains = int(first_pull[number]), layout.places[number], layout.gains[number]
        signal = term.signal
        logarithms = signal.logarithms or (1.0,) * len(signal.rates)
        linear = signal.logarithms is None
        parts = [
            (signal.rates, logarithms, linear, signal.shapes, len(templates)),
            *(((part.rate,), (1.0,), True, part.shapes, -1) for part in term.backgrounds),
        ]
        for own, lambdas, straight, shaped, template in parts:
            begin = (len(rates), len(rates) + len(own), len(shapes), len(shapes) + len(shaped))
            components.append((number, term.bins, template, straight, *begin))
            rates += [(pull + i, places[i], lam, gains[i]) for i, lam in zip(own, lambdas, strict=True)]
            shapes += [(pull + k, places[k], 1.0, gains[k]) for k in shaped]
        none = np.zeros((len(signal.shapes), bins))
        counts += [np.zeros((1, bins)), *(_wide(part.counts[np.newaxis], bins) for part in term.backgrounds)]
        a += [none, *(_wide(part.a, bins) for part in term.backgrounds)]
        b += [none, *(_wide(part.b, bins) for part in term.backgrounds)]
        templates += list(_wide(signal.templates, bins))
    columns = [*rates, *shapes]
    table = np.concatenate([*counts, *a, *b, *templates])
    sizes = _sizes(
        layout, len(components), len(rates), len(shapes), len(templates), templates[0].shape[0], bins
    )
    terms = [
        (term.bins, term.gaussian, first)
        for term, first in zip(layout.terms, first_bin[:-1].tolist(), strict=True)
    ]
    return Packed(
        sizes,
        np.array(components, dtype=np.int64),
        np.array(terms, dtype=np.int64),
        np.array([column[:2] for column in columns], dtype=np.int64).reshape(len(columns), 2),
        np.array([column[2:] for column in columns], dtype=float).reshape(len(columns), 2),
        np.ascontiguousarray(table),
        np.array(layout.weights, dtype=float),
    )


def _sizes(
    layout: Layout, components: int, rates: int, entries: int, templates: int, strengths: int, bins: int
) -> Sizes:
    d, terms = layout.parameters, len(layout.terms)
    pairs = d * (d + 1) // 2
    lengths = {
        "mu": terms,
        "first": terms,
        "second": terms,
        "part": components,
        "scale": components,
        "slope": entries + d * components,
        "log_slope": entries,
        "a": entries,
        "b": entries,
        "logs": 2 * d * entries,
        "logs2": 2 * pairs * entries,
        "prediction": (1 + d + pairs) * templates,
        "here": (1 + d) * templates,
        "weighted": 1,
        "bent": 1,
        "scratch": 3,
    }
    offsets = dict(zip(lengths, np.cumsum([0, *lengths.values()]).tolist(), strict=False))
    return Sizes(
        components=components,
        terms=terms,
        rates=rates,
        entries=entries,
        templates=templates,
        strengths=strengths,
        parameters=d,
        pairs=pairs,
        free=layout.free,
        bins=bins,
        rows=sum(lengths.values()),
        counts=0,
        fixed_a=components,
        fixed_b=components + entries,
        template=components + 2 * entries,
        **offsets,
    )


def _wide(rows: Array, bins: int) -> Array:
    """Return rows padded with zeros to `bins`."""
    return np.pad(rows, [(0, 0)] * (rows.ndim - 1) + [(0, bins - rows.shape[-1])])

"""A layout and its inputs as flat arrays, all of the same types whatever the experiments.

Everything with bins lies in the rows of one array, of which each thread has a copy, except the templates.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import Array
from nurecoil.likelihood.arrays import Background, SignalArrays
from nurecoil.likelihood.expansion import Moving
from nurecoil.likelihood.problem import Inputs, Layout

Numbers = NDArray[np.int64]

# Of a component: experiment, bins, row of its counts, template of a signal or -1, whether its rate is 1 + Σt,
# the ranges of its rates and shapes, and its first column ∂μ: its counts, for all pulls of its rate
TERM, SIZE, NOMINAL, TEMPLATE, LINEAR, RATES, RATES_END, SHAPES, SHAPES_END, COLUMN = range(10)
BINS, GAUSSIAN, FIRST_BIN, LIVE, LIVE_END, USES, USES_END = range(7)  # of an experiment


_PARALLEL = 1e-12  # of the largest value of each strength
_LINE = 8  # numbers in a line of the cache


class Sizes(NamedTuple):
    """How many there are of some things, and at which of the rows each kind begins."""

    templates: int
    parameters: int
    pairs: int  # of parameters
    free: int
    mu: int
    first: int  # φ' and φ'' of each experiment
    second: int
    scale: int  # what the counts of each component are multiplied with
    column: int  # of each component: its counts, ∂μ in the pulls of its shapes, ∂μ in the parameters
    log_slope: int  # ∂ln μ of each shape
    a: int
    b: int
    prediction: int  # of each template at the centre of the expansion, then its slopes and curvatures
    here: int  # the same at the parameters, and its slopes
    logs: int  # of a signal, ∂ of the logarithm of what its shapes do, in the parameters
    logs2: int
    mixed: int  # ∂ of each log_slope of a signal in the parameters
    scratch: int
    counts: int  # of the backgrounds
    rows: int


class Packed(NamedTuple):
    """A layout as flat arrays."""

    sizes: Sizes
    components: Numbers  # rows of numbers, see the constants of this module
    terms: Numbers
    places: Numbers  # the variable of each pull, or -1
    gains: Array  # dt/dz of each pull
    rates: Numbers  # the pull of each rate
    logarithms: Array  # λ of each rate
    shapes: Numbers  # the pull of each shape
    live: Numbers  # (column, component) of what depends on a variable
    uses: Numbers  # (variable, column, component of a linear rate or -1) of all that do, by columns
    factors: Array  # of each use
    templates: Array  # (templates, strengths, bins)
    bins: Numbers  # of each template
    rows: Array  # as a thread begins: the counts and exponents of backgrounds
    weights: Array  # of the priors


class Points(NamedTuple):
    """What may differ from point to point, (P or 1, ...): see `Inputs`; and the box of the variables.

    `scaled` says that the parameters only scale the signal: then they leave alone what shapes do to it.
    """

    strengths: Array  # (P, 1 + d + pairs, strengths): at the centre, slopes and curvatures
    middle: Array
    observed: Array
    rest: Array
    offsets: Array
    centres: Array
    low: Array
    high: Array
    scaled: bool


class Work(NamedTuple):
    """What a thread writes on."""

    rows: Array
    t: Array  # of each pull
    rates: Array  # of each component
    factors: Array  # of each use
    sums: Array  # Σ φ' ∂_k μ of each column
    products: Array  # Σ [φ'' ∂_k μ ∂_l μ + φ' ∂_k ∂_l μ]
    vectors: Array  # of all variables, see `steps`
    matrices: Array


def points_of(inputs: Inputs, low: Array | None, high: Array | None, parameters: int) -> Points:
    """Return the inputs as flat arrays."""
    assert not isinstance(inputs.expansion, Moving)  # which is NumPy's own
    if inputs.expansion is None:
        strengths, middle = inputs.strengths[:, np.newaxis], np.zeros((1, parameters))
    else:
        middle, value, slope, curvature = inputs.expansion
        strengths = np.concatenate([value[:, np.newaxis], slope, curvature], axis=1)
    box = [
        np.full((1, inputs.centres.shape[1]), end) if edge is None else edge.T
        for edge, end in ((low, -np.inf), (high, np.inf))
    ]
    observed, offsets = side_by_side(inputs.observed), side_by_side(inputs.offsets)
    return Points(
        plain(strengths),
        plain(middle),
        plain(observed),
        plain(inputs.rest),
        plain(offsets),
        plain(inputs.centres),
        plain(box[0]),
        plain(box[1]),
        parameters > 0 and _are_parallel(strengths),
    )


def _are_parallel(strengths: Array) -> bool:
    """Return whether all of a point's strengths, (P, n, strengths), are multiples of the first."""
    first = strengths[:, :1]
    square = (first * first).sum(axis=2, keepdims=True)
    if not square.all():
        return False
    rest = strengths - first * ((strengths * first).sum(axis=2, keepdims=True) / square)
    return bool((np.abs(rest) <= _PARALLEL * np.abs(strengths).max(axis=1, keepdims=True)).all())


def side_by_side(arrays: Sequence[Array]) -> Array:
    """Return arrays (P or 1, numbers) as one."""
    rows = max(len(array) for array in arrays)
    wide = [a if len(a) == rows else np.broadcast_to(a, (rows, a.shape[1])) for a in arrays]
    return wide[0] if len(wide) == 1 else np.concatenate(wide, axis=1)


def plain(array: Array) -> Array:
    """Return an array of the one type for which the loops are compiled: in order, and not read-only."""
    found = np.ascontiguousarray(array, dtype=float)
    return found if found.flags.carray else found.copy()


def work_of(layout: Packed) -> Work:
    """Return what a thread writes on."""
    variables, columns = len(layout.weights), layout.sizes.log_slope - layout.sizes.column
    return Work(
        _aligned(layout.rows),
        np.zeros(len(layout.places)),
        np.zeros(len(layout.components)),
        np.zeros(len(layout.factors)),
        np.zeros(columns),
        np.zeros((columns, columns)),
        np.zeros((6, variables)),
        np.zeros((3, variables, variables)),
    )


def _aligned(array: Array) -> Array:
    """Return a copy that begins where a line of the cache does: what lies across two is fetched twice."""
    room = np.empty(array.size + _LINE)
    first = -room.ctypes.data // room.itemsize % _LINE
    found = room[first : first + array.size].reshape(array.shape)
    found[:] = array
    return found


def pack(layout: Layout) -> Packed:
    """Return the experiments of a layout as flat arrays."""
    n = _sizes(layout)
    components: list[tuple[int, ...]] = []
    terms: list[tuple[int, ...]] = []
    rates: list[tuple[int, float]] = []
    shapes: list[int] = []
    live: list[tuple[int, int]] = []
    uses: list[tuple[int, int, int, float]] = []
    templates = _padded([template for term in layout.terms for template in term.signal.templates])
    rows = np.zeros((n.rows, templates.shape[-1]))
    pull = bin = first_template = background = column = 0  # the first of each experiment or component
    for number, term in enumerate(layout.terms):
        places, gains, begin = layout.places[number], layout.gains[number], (len(live), len(uses))
        parts: tuple[SignalArrays | Background, ...] = (term.signal, *term.backgrounds)
        for part in parts:
            c, entry, shaped = len(components), len(shapes), part.shapes
            if isinstance(part, SignalArrays):
                own, logarithms, outer = part.rates, part.logarithms, layout.parameters
                nominal, template = n.here + first_template, first_template
            else:
                own, logarithms, outer = (part.rate,), None, 0
                nominal, template = n.counts + background, -1
                rows[nominal, : term.bins] = rows[n.column + column, : term.bins] = part.counts
                rows[n.a + entry : n.a + entry + len(shaped), : term.bins] = part.a
                rows[n.b + entry : n.b + entry + len(shaped), : term.bins] = part.b
                background += 1
            linear, lambdas = logarithms is None, logarithms or (1.0,) * len(own)
            ends = (len(rates), len(rates) + len(own), entry, entry + len(shaped))
            components.append((number, term.bins, nominal, template, linear, *ends, column))
            divided = c if linear and (template >= 0 or shaped) else -1  # by its rate, which its column has
            found = [
                (places[i], column, divided, gains[i] * lam) for i, lam in zip(own, lambdas, strict=True)
            ]
            found += [(places[i], column + 1 + k, -1, gains[i]) for k, i in enumerate(shaped)]
            found += [(layout.free + k, column + 1 + len(shaped) + k, -1, 1.0) for k in range(outer)]
            column += 1 + len(shaped) + outer
            uses += [use for use in found if use[0] >= 0]
            live += sorted({(use[1], c) for use in found if use[0] >= 0})
            rates += [(pull + i, lam) for i, lam in zip(own, lambdas, strict=True)]
            shapes += [pull + i for i in shaped]
        terms.append((term.bins, term.gaussian, bin, begin[0], len(live), begin[1], len(uses)))
        pull, bin = pull + len(places), bin + term.bins
        first_template += len(term.signal.templates)
    return Packed(
        n,
        _numbers(components, 10),
        _numbers(terms, 7),
        np.array([place for places in layout.places for place in places], dtype=np.int64),
        np.array([gain for gains in layout.gains for gain in gains], dtype=float),
        np.array([rate for rate, _ in rates], dtype=np.int64),
        np.array([lam for _, lam in rates], dtype=float),
        np.array(shapes, dtype=np.int64),
        _numbers(live, 2),
        _numbers([use[:3] for use in uses], 3),
        np.array([use[3] for use in uses], dtype=float),
        templates,
        np.array([term.bins for term in layout.terms for _ in term.signal.templates], dtype=np.int64),
        rows,
        np.array(layout.weights, dtype=float),
    )


def _sizes(layout: Layout) -> Sizes:
    d, terms = layout.parameters, layout.terms
    pairs, backgrounds = d * (d + 1) // 2, sum(len(term.backgrounds) for term in terms)
    components, templates = len(terms) + backgrounds, sum(len(term.signal.templates) for term in terms)
    shapes = sum(len(term.signal.shapes) + sum(len(b.shapes) for b in term.backgrounds) for term in terms)
    lengths = {
        "mu": len(terms),
        "first": len(terms),
        "second": len(terms),
        "scale": components,
        "column": components + shapes + d * len(terms),
        "log_slope": shapes,
        "a": shapes,
        "b": shapes,
        "prediction": (1 + d + pairs) * templates if d else 0,  # without parameters it is here
        "here": (1 + d) * templates,
        "logs": d * len(terms),
        "logs2": pairs * len(terms),
        "mixed": d * shapes,
        "scratch": 4,
        "counts": backgrounds,
    }
    begins = dict(zip(lengths, np.cumsum([0, *lengths.values()]).tolist(), strict=False))
    return Sizes(templates, d, pairs, layout.free, **begins, rows=sum(lengths.values()))


def _numbers(rows: Sequence[Sequence[int]], width: int) -> Numbers:
    return np.array(rows, dtype=np.int64).reshape(len(rows), width)


def _padded(matrices: Sequence[Array]) -> Array:
    """Return matrices (strengths, bins) as one array, padded with zeros to whole lines of the cache."""
    bins = -(-max(matrix.shape[1] for matrix in matrices) // _LINE) * _LINE
    return np.array([np.pad(matrix, [(0, 0), (0, bins - matrix.shape[1])]) for matrix in matrices])

"""The fused engine: χ², derivatives and damped Newton steps of one point in plain loops, compiled by Numba.

The same equations as `objective`, `response`, `problem` and `newton`, point by point, so that nothing but the
answer leaves the cache; threads share the points. Everything with bins lies in the rows of one array, `rows`
(what changes) or `table` (what does not). Logarithms and exponentials are written out, so that the compiler
can do those of many bins at once. Gaussian counts without shapes need no steps: see `parabola`.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from nurecoil.likelihood.morphing import MOST_CHANGE
from nurecoil.likelihood.problem import Inputs, Layout
from nurecoil.newton import AWAY, LARGEST_DAMPING, MOST_STEPS, RIDGE, SADDLE, TINY, TOLERANCE, Minimum

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]

_FAST = {"reassoc", "contract", "arcp", "nsz"}  # sums may be reordered; NaN and infinity stay what they are
_LARGEST = 200.0  # an exponent beyond it would overflow; no fit goes there
_SMALLEST = 1e-12  # of a rate
_END = math.exp(6.9)  # the change at which a morphing ends
_BLOCK = 64  # points that share one workspace

_TERM, _SIZE, _TEMPLATE, _LINEAR, _RATES, _RATES_END, _SHAPES, _SHAPES_END = range(8)  # of `components`
_BINS, _GAUSSIAN, _FIRST_BIN = range(3)  # of `terms`

_HUGE = 1e300  # of a ratio: beyond it, derivatives are not finite
_LN2, _OVER_LN2 = math.log(2.0), 1 / math.log(2.0)
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10  # their sum has 85 bits
_EXP = tuple(1 / math.factorial(order) for order in range(14))
_LN = (
    0.6666666666666735130,
    0.3999999999940941908,
    0.2857142874366239149,
    0.2222219843214978396,
    0.1818357216161805012,
    0.1531383769920937332,
    0.1479819860511658591,
)
_ROOT_HALF = np.float64(np.sqrt(0.5)).view(np.int64)
_BELOW_ROOT_HALF = np.int64(0x3FF0000000000000) - _ROOT_HALF
_EXPONENT = np.int64(1023)
_MANTISSA = np.int64(0x000FFFFFFFFFFFFF)

# Without `nrt` no references to arrays are counted, which costs more than the sums; nothing may be allocated
_compiled = njit(cache=True, fastmath=_FAST, error_model="numpy", forceinline=True, _nrt=False)
_exact = njit(cache=True, fastmath={"contract"}, error_model="numpy", forceinline=True, _nrt=False)


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


def minimise(layout: Layout, inputs: Inputs, start: Array, low: Array | None, high: Array | None) -> Minimum:
    """Return the minima of P points from `start` (J, P) inside the box (J, P)."""
    packed, d = _packed(layout), layout.parameters
    points = start.shape[1]
    box = [
        np.full((points, d), end) if edge is None else np.ascontiguousarray(edge[len(edge) - d :].T)
        for edge, end in ((low, -np.inf), (high, np.inf))
    ]
    x = np.ascontiguousarray(start.T)
    value, converged = np.empty(points), np.empty(points, dtype=np.bool_)
    _minimise_points(
        *packed,
        *_expansion(inputs, d),
        _side_by_side(inputs.observed),
        np.ascontiguousarray(inputs.rest),
        _side_by_side(inputs.offsets),
        np.ascontiguousarray(inputs.centres),
        *box,
        x,
        value,
        converged,
    )
    return Minimum(value, np.ascontiguousarray(x.T), converged)


def _expansion(inputs: Inputs, d: int) -> tuple[Array, Array]:
    """Return the strengths with slopes and curvatures (P, 1 + d + pairs, 12), and their centre (P, d)."""
    if inputs.expansion is None:
        return np.ascontiguousarray(inputs.strengths)[:, np.newaxis], np.zeros((1, d))
    centre, value, slope, curvature = inputs.expansion
    rows = np.concatenate([value[:, np.newaxis], slope, curvature], axis=1)
    return np.ascontiguousarray(rows), np.ascontiguousarray(centre)


def _side_by_side(arrays: tuple[Array, ...]) -> Array:
    rows = max(len(array) for array in arrays)
    wide = [np.broadcast_to(array, (rows, array.shape[1])) for array in arrays]
    return np.ascontiguousarray(np.concatenate(wide, axis=1))


def _packed(layout: Layout) -> Packed:
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
        free=len(layout.weights),
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


# --- the loops: Numba finds their types; `n` are the Sizes ---------------------------------------------


@njit(parallel=True, cache=True, fastmath=_FAST, error_model="numpy")
def _minimise_points(
    n,
    components,
    terms,
    columns,
    factors,
    table,
    weights,
    strengths,
    centre,
    observed,
    rest,
    offsets,
    centres,
    low,
    high,
    x,
    value,
    converged,
):
    """Minimise each point; x (P, J) is where it starts and ends."""
    points, variables = x.shape
    for block in prange((points + _BLOCK - 1) // _BLOCK):
        rows = np.zeros((n.rows, n.bins))
        rows[n.a : n.a + n.entries] = table[n.fixed_a : n.fixed_a + n.entries]
        rows[n.b : n.b + n.entries] = table[n.fixed_b : n.fixed_b + n.entries]
        t = np.zeros(len(columns))
        vectors = np.zeros((6, variables))
        matrices = np.zeros((3, variables, variables))
        for p in range(block * _BLOCK, min((block + 1) * _BLOCK, points)):
            if len(strengths) > 1 or p == block * _BLOCK:
                _predict(n, components, table, strengths[p if len(strengths) > 1 else 0], rows)
            value[p], converged[p] = _newton(
                n,
                components,
                terms,
                columns,
                factors,
                table,
                weights,
                centre[p if len(centre) > 1 else 0],
                observed[p if len(observed) > 1 else 0],
                rest[p if len(rest) > 1 else 0],
                offsets[p if len(offsets) > 1 else 0],
                centres[p if len(centres) > 1 else 0],
                low[p],
                high[p],
                x[p],
                rows,
                t,
                vectors,
                matrices,
            )


@_compiled
def _predict(n, components, table, strengths, rows):
    """Fill in the predictions of all templates, and their derivatives, at the centre of the expansion."""
    for order in range(1 + n.parameters + n.pairs):
        for m in range(n.templates):
            row, template = n.prediction + order * n.templates + m, n.template + m * n.strengths
            for bin in range(n.bins):
                rows[row, bin] = 0.0
            for k in range(n.strengths):
                q = strengths[order, k]
                if q != 0.0:
                    for bin in range(n.bins):
                        rows[row, bin] += q * table[template + k, bin]
    if n.parameters == 0:
        for m in range(n.templates):
            for bin in range(n.bins):
                rows[n.here + m, bin] = rows[n.prediction + m, bin]
        _morph(n, components, rows)


@_compiled
def _move(n, x, middle, rows):
    """Fill in the predictions and their slopes at the parameters, expanded around their `middle`."""
    d, size = n.parameters, n.templates
    for m in range(size):
        here, centre = n.here + m, n.prediction + m
        for bin in range(n.bins):
            rows[here, bin] = rows[centre, bin]
        for i in range(d):
            along, slope = x[n.free + i] - middle[i], here + (1 + i) * size
            for bin in range(n.bins):
                rows[slope, bin] = rows[centre + (1 + i) * size, bin]
                rows[here, bin] += along * rows[slope, bin]
        pair = 0
        for i in range(d):
            along_i = x[n.free + i] - middle[i]
            for j in range(i + 1):
                along_j = x[n.free + j] - middle[j]
                curve = centre + (1 + d + pair) * size
                product = (0.5 if i == j else 1.0) * along_i * along_j
                for bin in range(n.bins):
                    rows[here, bin] += product * rows[curve, bin]
                    rows[here + (1 + i) * size, bin] += along_j * rows[curve, bin]
                if i != j:
                    for bin in range(n.bins):
                        rows[here + (1 + j) * size, bin] += along_i * rows[curve, bin]
                pair += 1


@_exact
def _ln(x):
    """Return ln x of a positive normal number, in operations that a compiler can do for many x at once.

    x = 2^k (1 + f) with 1/√2 < 1 + f < √2, and ln(1 + f) = 2 artanh s, s = f/(2 + f), by fdlibm's polynomial.
    """
    bits = np.float64(x).view(np.int64) + _BELOW_ROOT_HALF
    k = (bits >> 52) - _EXPONENT
    f = np.int64((bits & _MANTISSA) + _ROOT_HALF).view(np.float64) - 1.0
    s = f / (2.0 + f)
    z = s * s
    odd = z * (_LN[3] + z * (_LN[4] + z * (_LN[5] + z * _LN[6])))
    series = z * (_LN[0] + z * (_LN[1] + z * (_LN[2] + odd)))
    return float(k) * _LN2 + (f - s * (f - series))


@_exact
def _exp(x):
    """Return e^x for |x| < 700, in such operations: 2^k e^r with |r| <= ln(2)/2, and a series."""
    k = np.floor(x * _OVER_LN2 + 0.5)
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    high = _EXP[7] + r * (
        _EXP[8] + r * (_EXP[9] + r * (_EXP[10] + r * (_EXP[11] + r * (_EXP[12] + r * _EXP[13]))))
    )
    low = _EXP[2] + r * (_EXP[3] + r * (_EXP[4] + r * (_EXP[5] + r * (_EXP[6] + r * high))))
    scale = np.int64((np.int64(k) + _EXPONENT) << 52).view(np.float64)
    return scale * (1.0 + r * (1.0 + r * low))


@_compiled
def _log_ratio(shape, counts):
    """Return ln(shape/counts), see `morphing.log_ratio`."""
    both = shape > 0.0 and counts > 0.0
    logarithm = _ln((shape if both else 1.0) / (counts if both else 1.0))
    inside = min(max(logarithm, -MOST_CHANGE), MOST_CHANGE)
    return inside if both else (-MOST_CHANGE if counts > 0.0 else 0.0)


@_compiled
def _morph(n, components, rows):
    """Fill in the exponents of the signals' shapes, with their derivatives in the parameters."""
    for c in range(n.components):
        template = components[c, _TEMPLATE]
        if template < 0:
            continue
        nominal, shaped = n.here + template, components[c, _SHAPES]
        for entry in range(shaped, components[c, _SHAPES_END]):
            above = nominal + 1 + 2 * (entry - shaped)
            for bin in range(components[c, _SIZE]):
                up = _log_ratio(rows[above, bin], rows[nominal, bin])
                down = _log_ratio(rows[above + 1, bin], rows[nominal, bin])
                rows[n.a + entry, bin] = 0.5 * (up - down)
                rows[n.b + entry, bin] = 0.5 * (up + down)
            if n.parameters:
                for end in range(2):
                    _log_slopes(n, 2 * entry + end, nominal, above + end, components[c, _SIZE], rows)


@_compiled
def _log_slopes(n, which, nominal, above, size, rows):
    """Fill in the derivatives of ln(y/s); none where the morphing has come to its end."""
    d, step, over_y, over_s = n.parameters, n.templates, n.scratch, n.scratch + 1
    curve_s, curve_y = (nominal - n.here) + n.prediction, (above - n.here) + n.prediction
    for bin in range(size):
        s, y = rows[nominal, bin], rows[above, bin]
        inside = s > 0.0 and y > 0.0 and y < _END * s and s < _END * y
        rows[over_y, bin] = 1.0 / (y if inside else np.inf)
        rows[over_s, bin] = 1.0 / (s if inside else np.inf)
    pair = 0
    for i in range(d):
        y_i, s_i = above + (1 + i) * step, nominal + (1 + i) * step
        for bin in range(size):
            by_s = rows[s_i, bin] * rows[over_s, bin]
            rows[n.logs + which * d + i, bin] = rows[y_i, bin] * rows[over_y, bin] - by_s
        for j in range(i + 1):
            y_j, s_j = above + (1 + j) * step, nominal + (1 + j) * step
            y_ij, s_ij = curve_y + (1 + d + pair) * step, curve_s + (1 + d + pair) * step
            target = n.logs2 + which * n.pairs + pair
            for bin in range(size):
                over = rows[over_y, bin]
                rows[target, bin] = (rows[y_ij, bin] - rows[y_i, bin] * rows[y_j, bin] * over) * over
            for bin in range(size):
                over = rows[over_s, bin]
                rows[target, bin] -= (rows[s_ij, bin] - rows[s_i, bin] * rows[s_j, bin] * over) * over
            pair += 1


@_compiled
def _rate(components, factors, t, c):
    total = 0.0
    for r in range(components[c, _RATES], components[c, _RATES_END]):
        total += factors[r, 0] * t[r]
    if components[c, _LINEAR]:
        rate = 1.0 + total
        return _SMALLEST if abs(rate) < _SMALLEST else rate
    return np.exp(min(max(total, -_LARGEST), _LARGEST))


@_compiled
def _bend(t):
    return t * t if abs(t) <= 1.0 else 2.0 * abs(t) - 1.0


@_compiled
def _bend_slope(t):
    return 2.0 * min(max(t, -1.0), 1.0)


@_compiled
def _over_rate(components, factors, t, c):
    """Return what turns a component's counts times a logarithm λ into their slope in a pull of the rate."""
    return 1.0 / _rate(components, factors, t, c) if components[c, _LINEAR] else 1.0


@_compiled
def _expand(n, components, factors, table, t, rows):
    """Fill in the counts of each component, their slopes in the pulls of their shapes, and μ."""
    for term in range(n.terms):
        for bin in range(n.bins):
            rows[n.mu + term, bin] = 0.0
    for c in range(n.components):
        size, template = components[c, _SIZE], components[c, _TEMPLATE]
        mu, scale, part = n.mu + components[c, _TERM], n.scale + c, n.part + c
        rate = _rate(components, factors, t, c)
        shapes, end = components[c, _SHAPES], components[c, _SHAPES_END]
        if shapes < end:
            for bin in range(size):
                rows[scale, bin] = 0.0
            for entry in range(shapes, end):
                along = t[n.rates + entry]
                bend = _bend(along)
                for bin in range(size):
                    rows[scale, bin] += along * rows[n.a + entry, bin] + bend * rows[n.b + entry, bin]
            for bin in range(size):
                rows[scale, bin] = rate * _exp(min(max(rows[scale, bin], -_LARGEST), _LARGEST))
        elif template >= 0:
            for bin in range(size):
                rows[scale, bin] = rate
        if template >= 0:
            for bin in range(size):
                rows[part, bin] = rows[scale, bin] * rows[n.here + template, bin]
        elif shapes < end:
            for bin in range(size):
                rows[part, bin] = rows[scale, bin] * table[n.counts + c, bin]
        else:
            for bin in range(size):
                rows[part, bin] = rate * table[n.counts + c, bin]
        for bin in range(size):
            rows[mu, bin] += rows[part, bin]
        for entry in range(shapes, end):
            bend = _bend_slope(t[n.rates + entry])
            for bin in range(size):
                slope = rows[n.a + entry, bin] + bend * rows[n.b + entry, bin]
                rows[n.log_slope + entry, bin] = slope
                rows[n.slope + entry, bin] = slope * rows[part, bin]


@_compiled
def _expand_outwards(n, components, t, rows):
    """Fill in ∂μ of each signal in the parameters."""
    for c in range(n.components):
        template = components[c, _TEMPLATE]
        if template < 0:
            continue
        nominal = n.here + template
        for i in range(n.parameters):
            column = n.slope + n.entries + c * n.parameters + i
            for bin in range(components[c, _SIZE]):
                rows[column, bin] = 0.0
            for entry in range(components[c, _SHAPES], components[c, _SHAPES_END]):
                along = t[n.rates + entry]
                up, down = 0.5 * (along + _bend(along)), 0.5 * (_bend(along) - along)
                above, below = (
                    n.logs + 2 * entry * n.parameters + i,
                    n.logs + (2 * entry + 1) * n.parameters + i,
                )
                for bin in range(components[c, _SIZE]):
                    rows[column, bin] += up * rows[above, bin] + down * rows[below, bin]
            slope = nominal + (1 + i) * n.templates
            for bin in range(components[c, _SIZE]):
                outward = rows[slope, bin] + rows[nominal, bin] * rows[column, bin]
                rows[column, bin] = rows[n.scale + c, bin] * outward


@_compiled
def _deviance(n, terms, observed, rows):
    """Return Σφ and fill in φ' and φ''."""
    value = 0.0
    for term in range(n.terms):
        first_bin = terms[term, _FIRST_BIN]
        mu_row, first, second = n.mu + term, n.first + term, n.second + term
        if terms[term, _GAUSSIAN]:
            for bin in range(terms[term, _BINS]):
                residual = rows[mu_row, bin] - observed[first_bin + bin]
                value += residual * residual
                rows[first, bin] = 2.0 * residual
                rows[second, bin] = 2.0
            continue
        refused = 0.0
        for bin in range(terms[term, _BINS]):
            mu, count = rows[mu_row, bin], observed[first_bin + bin]
            safe = mu if mu > 0.0 else 1.0
            ratio = count / safe
            value += 2.0 * (mu - count + count * _ln(ratio if ratio > 0.0 else 1.0))
            rows[first, bin] = 2.0 * (1.0 - ratio)
            rows[second, bin] = 2.0 * ratio / safe
            empty = mu == 0.0 and count == 0.0
            refused += 0.0 if (mu > 0.0 or empty) and ratio < _HUGE else 1.0
        if refused > 0.0:
            return np.inf
    return value


@_compiled
def _evaluate(
    n,
    components,
    terms,
    columns,
    factors,
    table,
    weights,
    centre,
    observed,
    rest,
    offsets,
    centres,
    x,
    rows,
    t,
    gradient,
    hessian,
):
    """Return χ² at x, and fill in its gradient and Hessian (lower triangle)."""
    for i in range(len(x)):
        gradient[i] = 0.0
        for j in range(i + 1):
            hessian[i, j] = 0.0
    value = rest
    for j in range(n.free):
        if weights[j] != 0.0:
            away = x[j] - centres[j]
            value += away * away
            gradient[j] = 2.0 * away
            hessian[j, j] = 2.0
    for k in range(len(columns)):
        t[k] = offsets[columns[k, 0]]
        if columns[k, 1] >= 0:
            t[k] += factors[k, 1] * x[columns[k, 1]]
    if n.parameters:
        _move(n, x, centre, rows)
        _morph(n, components, rows)
    _expand(n, components, factors, table, t, rows)
    value += _deviance(n, terms, observed, rows)
    if value == np.inf:
        return value
    if n.parameters:
        _expand_outwards(n, components, t, rows)
    _sum_up(n, components, columns, factors, t, rows, gradient, hessian)
    return value


@_compiled
def _sum_up(n, components, columns, factors, t, rows, gradient, hessian):
    """Add all bins to the gradient and the Hessian, component after component.

    The pulls of a component's rate all have its counts as their column, times a number: they share one sum.
    """
    for c in range(n.components):
        if components[c, _RATES] < components[c, _RATES_END]:
            _add_rates(n, components, columns, factors, t, c, rows, gradient, hessian)
        size, term, part = components[c, _SIZE], components[c, _TERM], n.part + c
        first, second = n.first + term, n.second + term
        for kind in range(1, 3):
            begin, end = _span(n, components, c, kind)
            for k in range(begin, end):
                i, gain = _variable(n, columns, factors, k)
                if i < 0:
                    continue
                total, column = 0.0, n.slope + k - n.rates
                for bin in range(size):
                    total += rows[first, bin] * rows[column, bin]
                for bin in range(size):
                    rows[n.weighted, bin] = rows[second, bin] * rows[column, bin]
                gradient[i] += gain * total
                for other in range(c):
                    if components[other, _TERM] == term:
                        _add_other(n, components, columns, factors, t, other, i, gain, rows, hessian)
                for bin in range(size):
                    rows[n.bent, bin] = rows[n.weighted, bin] * rows[part, bin]
                    rows[n.bent, bin] += rows[first, bin] * rows[column, bin]
                _add_own(n, components, columns, factors, t, c, kind, k, i, gain, rows, hessian)


@_compiled
def _add_rates(n, components, columns, factors, t, c, rows, gradient, hessian):
    """Add the pulls of the rate of a component, alone and with all components before it."""
    size, term, part = components[c, _SIZE], components[c, _TERM], n.part + c
    begin, end = components[c, _RATES], components[c, _RATES_END]
    total, own = 0.0, 0.0
    for bin in range(size):
        total += rows[n.first + term, bin] * rows[part, bin]
    for bin in range(size):
        rows[n.weighted, bin] = rows[n.second + term, bin] * rows[part, bin]
    for bin in range(size):
        own += rows[n.weighted, bin] * rows[part, bin]
    if not components[c, _LINEAR]:
        own += total
    over = _over_rate(components, factors, t, c)
    for k in range(begin, end):
        i, gain = columns[k, 1], factors[k, 1] * factors[k, 0] * over
        if i >= 0:
            gradient[i] += gain * total
            hessian[i, i] += gain * gain * own
            for m in range(begin, k):
                j = columns[m, 1]
                if j >= 0:
                    _add(hessian, i, j, gain * factors[m, 1] * factors[m, 0] * over * own)
    for other in range(c):
        if components[other, _TERM] == term:
            _add_rates_and_other(n, components, columns, factors, t, c, other, over, rows, hessian)


@_compiled
def _add_rates_and_other(n, components, columns, factors, t, c, other, over, rows, hessian):
    """Add Σ φ'' ∂_i μ ∂_j μ of the pulls of the rate of one component and all columns of another."""
    size = components[c, _SIZE]
    if components[other, _RATES] < components[other, _RATES_END]:
        total, over_other = 0.0, _over_rate(components, factors, t, other)
        for bin in range(size):
            total += rows[n.weighted, bin] * rows[n.part + other, bin]
        for k in range(components[c, _RATES], components[c, _RATES_END]):
            for m in range(components[other, _RATES], components[other, _RATES_END]):
                if columns[k, 1] >= 0 and columns[m, 1] >= 0:
                    both = factors[k, 1] * factors[k, 0] * over * factors[m, 1] * factors[m, 0] * over_other
                    _add(hessian, columns[k, 1], columns[m, 1], both * total)
    for kind in range(1, 3):
        begin, end = _span(n, components, other, kind)
        for m in range(begin, end):
            j, more = _variable(n, columns, factors, m)
            if j >= 0:
                total = 0.0
                for bin in range(size):
                    total += rows[n.weighted, bin] * rows[n.slope + m - n.rates, bin]
                for k in range(components[c, _RATES], components[c, _RATES_END]):
                    if columns[k, 1] >= 0:
                        gain = factors[k, 1] * factors[k, 0] * over
                        _add(hessian, columns[k, 1], j, gain * more * total)


@_compiled
def _span(n, components, c, kind):
    """Return the columns of a component: its rates, its shapes or its parameters."""
    if kind == 0:
        return components[c, _RATES], components[c, _RATES_END]
    if kind == 1:
        return n.rates + components[c, _SHAPES], n.rates + components[c, _SHAPES_END]
    begin = n.rates + n.entries + c * n.parameters
    return begin, begin + (n.parameters if components[c, _TEMPLATE] >= 0 else 0)


@_compiled
def _variable(n, columns, factors, k):
    """Return the variable behind a column (-1: held) and dt/dz."""
    if k < n.rates + n.entries:
        return columns[k, 1], factors[k, 1]
    return n.free + (k - n.rates - n.entries) % n.parameters, 1.0


@_compiled
def _add(hessian, i, j, value):
    """Add a product of two different columns; of one variable it counts twice."""
    if i > j:
        hessian[i, j] += value
    elif i < j:
        hessian[j, i] += value
    else:
        hessian[i, i] += 2.0 * value


@_compiled
def _add_other(n, components, columns, factors, t, other, i, gain, rows, hessian):
    """Add Σ φ'' ∂_i μ ∂_j μ of a column that is no rate with all columns of another component."""
    size = components[other, _SIZE]
    if components[other, _RATES] < components[other, _RATES_END]:
        total, over = 0.0, _over_rate(components, factors, t, other)
        for bin in range(size):
            total += rows[n.weighted, bin] * rows[n.part + other, bin]
        for m in range(components[other, _RATES], components[other, _RATES_END]):
            if columns[m, 1] >= 0:
                _add(hessian, i, columns[m, 1], gain * factors[m, 1] * factors[m, 0] * over * total)
    for kind in range(1, 3):
        begin, end = _span(n, components, other, kind)
        for m in range(begin, end):
            j, more = _variable(n, columns, factors, m)
            if j >= 0:
                total = 0.0
                for bin in range(size):
                    total += rows[n.weighted, bin] * rows[n.slope + m - n.rates, bin]
                _add(hessian, i, j, gain * more * total)


@_compiled
def _add_own(n, components, columns, factors, t, c, kind, k, i, gain, rows, hessian):
    """Add Σ [φ'' ∂_i μ ∂_j μ + φ' ∂_i ∂_j μ] of a column that is no rate with those of its own component."""
    size, outer = components[c, _SIZE], n.rates + n.entries + c * n.parameters
    if components[c, _RATES] < components[c, _RATES_END]:
        total, over = 0.0, _over_rate(components, factors, t, c)
        for bin in range(size):
            total += rows[n.bent, bin]
        for m in range(components[c, _RATES], components[c, _RATES_END]):
            if columns[m, 1] >= 0:
                _add(hessian, i, columns[m, 1], gain * factors[m, 1] * factors[m, 0] * over * total)
    for also in range(1, kind + 1):
        begin, end = _span(n, components, c, also)
        left = n.weighted if also == 2 else n.bent
        right = n.slope if also == 2 else n.log_slope
        for m in range(begin, min(end, k + 1)):
            j, more = _variable(n, columns, factors, m)
            if j < 0:
                continue
            total = 0.0
            for bin in range(size):
                total += rows[left, bin] * rows[right + m - n.rates, bin]
            if kind == 2 and also == 1:
                total += _mixed(n, components, t, c, k - outer, m - n.rates, rows)
            elif also == 2:
                total += _outer(n, components, t, c, k - outer, m - outer, rows)
            if k == m:
                hessian[i, i] += gain * gain * total
            else:
                _add(hessian, i, j, gain * more * total)
    if kind == 1 and abs(t[k]) <= 1.0:
        total, first = 0.0, n.first + components[c, _TERM]
        for bin in range(size):
            total += rows[first, bin] * rows[n.part + c, bin] * rows[n.b + k - n.rates, bin]
        hessian[i, i] += 2.0 * gain * gain * total


@_compiled
def _mixed(n, components, t, c, i, entry, rows):
    """Return Σ φ' e^{Σg} s ∂_t ∂_i L, see `response.Derivatives`."""
    bend = _bend_slope(t[n.rates + entry])
    up, down = 0.5 * (1.0 + bend), 0.5 * (bend - 1.0)
    above, below = n.logs + 2 * entry * n.parameters + i, n.logs + (2 * entry + 1) * n.parameters + i
    first, nominal, total = n.first + components[c, _TERM], n.here + components[c, _TEMPLATE], 0.0
    for bin in range(components[c, _SIZE]):
        along = up * rows[above, bin] + down * rows[below, bin]
        total += rows[first, bin] * rows[n.scale + c, bin] * rows[nominal, bin] * along
    return total


@_compiled
def _outer(n, components, t, c, i, j, rows):
    """Return Σ φ' ∂_i ∂_j μ of two parameters."""
    d, pair, size = n.parameters, i * (i + 1) // 2 + j, components[c, _SIZE]
    first, template = n.first + components[c, _TERM], components[c, _TEMPLATE]
    nominal, curve = n.here + template, n.prediction + (1 + d + pair) * n.templates + template
    slope_i, slope_j = nominal + (1 + i) * n.templates, nominal + (1 + j) * n.templates
    one, other, both = n.scratch, n.scratch + 1, n.scratch + 2
    for bin in range(size):
        rows[one, bin] = 0.0
        rows[other, bin] = 0.0
        rows[both, bin] = 0.0
    for entry in range(components[c, _SHAPES], components[c, _SHAPES_END]):
        along = t[n.rates + entry]
        up, down = 0.5 * (along + _bend(along)), 0.5 * (_bend(along) - along)
        above, below = n.logs + 2 * entry * d, n.logs + (2 * entry + 1) * d
        for bin in range(size):
            rows[one, bin] += up * rows[above + i, bin] + down * rows[below + i, bin]
        for bin in range(size):
            rows[other, bin] += up * rows[above + j, bin] + down * rows[below + j, bin]
        above, below = n.logs2 + 2 * entry * n.pairs + pair, n.logs2 + (2 * entry + 1) * n.pairs + pair
        for bin in range(size):
            rows[both, bin] += up * rows[above, bin] + down * rows[below, bin]
    total = 0.0
    for bin in range(size):
        bent = rows[curve, bin] + rows[nominal, bin] * (rows[one, bin] * rows[other, bin] + rows[both, bin])
        bent += rows[slope_i, bin] * rows[other, bin] + rows[slope_j, bin] * rows[one, bin]
        total += rows[first, bin] * rows[n.scale + c, bin] * bent
    return total


@_compiled
def _newton(
    n,
    components,
    terms,
    columns,
    factors,
    table,
    weights,
    centre,
    observed,
    rest,
    offsets,
    centres,
    low,
    high,
    x,
    rows,
    t,
    vectors,
    matrices,
):
    """Minimise one point as `newton.minimise_batch` does; x is where it starts and ends."""
    variables = len(x)
    trial, now = vectors[0], 0  # gradients are vectors 1 and 2, Hessians matrices 0 and 1: now and tried
    value, found, damping, trying = np.inf, 0.0, 0.0, False
    for _ in range(MOST_STEPS + 1):
        if trying:
            at, gradient, hessian = trial, vectors[2 - now], matrices[1 - now]
        else:
            at, gradient, hessian = x, vectors[1 + now], matrices[now]
        found = _evaluate(
            n,
            components,
            terms,
            columns,
            factors,
            table,
            weights,
            centre,
            observed,
            rest,
            offsets,
            centres,
            at,
            rows,
            t,
            gradient,
            hessian,
        )
        if not trying:
            value = found
            if variables == 0 or not np.isfinite(value):
                return value, bool(np.isfinite(value))
            trying = True
        elif found <= value:
            for i in range(variables):
                x[i] = trial[i]
            value, now = found, 1 - now
            damping = 0.0 if damping < 1e-6 else damping / 10.0
        else:
            damping = max(10.0 * damping, 1e-3)
        uphill = True
        while uphill:  # a step that leads nowhere is not worth an evaluation
            decrease, saddle = _propose(
                n, vectors[1 + now], matrices[now], matrices[2], damping, low, high, x, vectors
            )
            if abs(decrease) < TOLERANCE and damping < 1.0 and not saddle:
                return value, True
            if damping >= LARGEST_DAMPING:
                return value, False
            uphill = not decrease > 0.0
            if uphill:
                damping = max(10.0 * damping, 1e-3)
        for i in range(variables):
            trial[i] = x[i] + vectors[3, i]
            if i >= n.free:
                trial[i] = min(max(trial[i], low[i - n.free]), high[i - n.free])
    return value, False


@_compiled
def _propose(n, gradient, hessian, lower, damping, low, high, x, vectors):
    """Fill in a step (vector 3); return the decrease it should bring, and whether it leaves a saddle."""
    variables, negative = len(x), -1
    for i in range(variables):
        vectors[4, i] = 1.0 / (np.sqrt(abs(hessian[i, i])) + TINY)
        vectors[5, i] = 1.0
        if i >= n.free:
            down, up = low[i - n.free], high[i - n.free]
            if (x[i] <= down and gradient[i] > 0.0) or (x[i] >= up and gradient[i] < 0.0):
                vectors[5, i] = 0.0  # it stays at its bound
    for j in range(variables):
        for i in range(j, variables):
            entry = hessian[i, j] * (vectors[4, i] * vectors[4, j]) * (vectors[5, i] * vectors[5, j])
            if i == j:
                entry += 1.0 - vectors[5, i]
            for k in range(j):
                entry -= lower[i, k] * lower[j, k] * lower[k, k]
            if i != j:
                lower[i, j] = entry / lower[j, j]
            else:
                if entry < SADDLE and negative < 0:
                    negative = j
                lower[j, j] = abs(entry) + damping + RIDGE
    decrease = 0.0
    for i in range(variables):
        value = gradient[i] * vectors[4, i] * vectors[5, i]
        for k in range(i):
            value -= lower[i, k] * vectors[3, k]
        vectors[3, i] = value
    for i in range(variables):
        decrease += 0.5 * vectors[3, i] * vectors[3, i] / lower[i, i]
        vectors[3, i] /= lower[i, i]
    for i in range(variables - 1, -1, -1):
        for k in range(i + 1, variables):
            vectors[3, i] -= lower[k, i] * vectors[3, k]
    for i in range(variables):
        vectors[3, i] *= -vectors[4, i]
    if negative < 0 or decrease >= TOLERANCE:
        return decrease, False
    size, uphill = 0.0, 0.0
    for i in range(variables - 1, -1, -1):
        value = 1.0 if i == negative else 0.0
        for k in range(i + 1, variables):
            value -= lower[k, i] * vectors[3, k]
        vectors[3, i] = value
        size += value * value
        uphill += gradient[i] * vectors[4, i] * vectors[5, i] * value
    length = AWAY / np.sqrt(size + TINY)
    for i in range(variables):
        vectors[3, i] *= (-length if uphill > 0.0 else length) * vectors[4, i]
    return TOLERANCE, True

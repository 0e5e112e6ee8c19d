"""The gradient and the Hessian of χ² of one point: sums over the bins.

A column is ∂μ in one pull of a shape or in one parameter; the pulls of a rate share the counts themselves.
"""

from nurecoil.likelihood.fused.compiling import compiled
from nurecoil.likelihood.fused.packing import (
    BINS,
    COLUMN,
    LINEAR,
    LIVE,
    LIVE_END,
    NOMINAL,
    SHAPES,
    SHAPES_END,
    SIZE,
    TEMPLATE,
    TERM,
    USES,
    USES_END,
)


@compiled
def sum_up(layout, work):
    """Fill in Σ φ' ∂_k μ and Σ [φ'' ∂_k μ ∂_l μ + φ' ∂_k ∂_l μ], the latter of shapes and rates."""
    n, live, rows, products = layout.sizes, layout.live, work.rows, work.products
    for term in range(len(layout.terms)):
        first, second = rows[n.first + term], rows[n.second + term]
        size, begin = layout.terms[term, BINS], layout.terms[term, LIVE]
        for at in range(begin, layout.terms[term, LIVE_END]):
            k, c = live[at, 0], live[at, 1]
            counts, shapes = layout.components[c, COLUMN], layout.components[c, SHAPES]
            column, slope, stop, entry = rows[n.column + k], 0.0, at + 1, shapes + k - counts - 1
            is_shape = shapes <= entry < layout.components[c, SHAPES_END]
            while is_shape and live[stop - 1, 0] > counts and stop > begin + 1:  # what follows fills in those
                stop -= 1
            for before in range(begin, stop, 4):  # four at once: what is the same for all is fetched once
                g, h = live[before, 0], live[min(before + 1, stop - 1), 0]
                i, j = live[min(before + 2, stop - 1), 0], live[min(before + 3, stop - 1), 0]
                one, two = rows[n.column + g], rows[n.column + h]
                three, four = rows[n.column + i], rows[n.column + j]
                slope = of_g = of_h = of_i = of_j = 0.0
                for bin in range(size):
                    weighted = second[bin] * column[bin]
                    slope += first[bin] * column[bin]
                    of_g += weighted * one[bin]
                    of_h += weighted * two[bin]
                    of_i += weighted * three[bin]
                    of_j += weighted * four[bin]
                products[k, g], products[k, h], products[k, i], products[k, j] = of_g, of_h, of_i, of_j
            work.sums[k] = slope
            if is_shape:
                _add_bends(layout, work, c, k, entry, first, second, column)
            if k != counts or not layout.components[c, LINEAR]:
                products[k, counts] += slope


@compiled
def _add_bends(layout, work, c, k, entry, first, second, column):
    """Fill in the products of a pull of a shape with those of the same component."""
    n, rows, pull = layout.sizes, work.rows, layout.shapes[entry]
    size, shapes, own = layout.components[c, SIZE], layout.components[c, SHAPES], layout.components[c, COLUMN]
    counts, weighted, total = rows[n.column + own], rows[n.scratch], 0.0
    for bin in range(size):
        weighted[bin] = (second[bin] * counts[bin] + first[bin]) * column[bin]
        total += first[bin] * counts[bin] * rows[n.b + entry, bin]
    for other in range(shapes, entry + 1):
        work.products[k, own + 1 + other - shapes] = dot(weighted, rows[n.log_slope + other], size)
    work.products[k, k] += 2.0 * total if abs(work.t[pull]) <= 1.0 else 0.0


@compiled
def dot(one, other, size):
    """Return the sum of the products of two rows."""
    total = 0.0
    for bin in range(size):
        total += one[bin] * other[bin]
    return total


@compiled
def add_outer_bends(layout, work):
    """Add Σ φ' ∂_k ∂_l μ where one or both of them are parameters, see `counts.expand_outwards`."""
    n, components, rows, products = layout.sizes, layout.components, work.rows, work.products
    for c in range(len(components)):
        if components[c, TEMPLATE] < 0:
            continue
        term, size, counts, d = components[c, TERM], components[c, SIZE], components[c, COLUMN], n.parameters
        shapes, end, nominal = components[c, SHAPES], components[c, SHAPES_END], components[c, NOMINAL]
        first, weighted, s = rows[n.first + term], rows[n.scratch], rows[nominal]
        outer, pair = counts + 1 + end - shapes, 0
        for bin in range(size):
            weighted[bin] = first[bin] * rows[n.scale + c, bin]
        for i in range(d):
            column, s_i = rows[n.column + outer + i], rows[nominal + (1 + i) * n.templates]
            for entry in range(shapes, end):
                slope, mixed, total = rows[n.log_slope + entry], rows[n.mixed + entry * d + i], 0.0
                for bin in range(size):
                    total += first[bin] * column[bin] * slope[bin] + weighted[bin] * s[bin] * mixed[bin]
                products[outer + i, counts + 1 + entry - shapes] += total
            log_i = rows[n.logs + term * d + i]
            for j in range(i + 1):
                s_j, log_j = rows[nominal + (1 + j) * n.templates], rows[n.logs + term * d + j]
                s_ij = rows[n.prediction + (1 + d + pair) * n.templates + components[c, TEMPLATE]]
                log_ij, total = rows[n.logs2 + term * n.pairs + pair], 0.0
                for bin in range(size):
                    curved = s_ij[bin] + s[bin] * (log_i[bin] * log_j[bin] + log_ij[bin])
                    total += weighted[bin] * (curved + s_i[bin] * log_j[bin] + s_j[bin] * log_i[bin])
                products[outer + i, outer + j] += total
                pair += 1


@compiled
def spread(layout, work, gradient, hessian):
    """Add the columns' sums and products to the gradient and the Hessian of the variables behind them."""
    uses = layout.uses
    for term in range(len(layout.terms)):
        begin = layout.terms[term, USES]
        for u in range(begin, layout.terms[term, USES_END]):
            i, k, c = uses[u, 0], uses[u, 1], uses[u, 2]
            factor = layout.factors[u] / (work.rates[c] if c >= 0 else 1.0)
            work.factors[u] = factor
            gradient[i] += factor * work.sums[k]
            for v in range(begin, u + 1):
                j = uses[v, 0]
                twice = 2.0 if i == j and u != v else 1.0  # of one variable, a product counts both ways
                product = twice * factor * work.factors[v] * work.products[k, uses[v, 1]]
                hessian[max(i, j), min(i, j)] += product

"""Counts in bins with their slopes in pulls and parameters: `response` and `morphing` of one point."""

import math

import numpy as np

from nurecoil.likelihood.fused.arithmetic import exp, ln
from nurecoil.likelihood.fused.compiling import compiled
from nurecoil.likelihood.fused.packing import (
    LINEAR,
    RATES,
    RATES_END,
    SHAPES,
    SHAPES_END,
    SIZE,
    TEMPLATE,
    TERM,
)
from nurecoil.likelihood.morphing import LARGEST, MOST_CHANGE
from nurecoil.likelihood.objective import SMALLEST

_END = math.exp(MOST_CHANGE)


@compiled
def predict(n, components, table, strengths, rows):
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
        morph(n, components, rows)


@compiled
def move(n, x, middle, rows):
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


@compiled
def _log_ratio(shape, counts):
    """Return ln(shape/counts), see `morphing.log_ratio`."""
    both = shape > 0.0 and counts > 0.0
    logarithm = ln((shape if both else 1.0) / (counts if both else 1.0))
    inside = min(max(logarithm, -MOST_CHANGE), MOST_CHANGE)
    return inside if both else (-MOST_CHANGE if counts > 0.0 else 0.0)


@compiled
def morph(n, components, rows):
    """Fill in the exponents of the signals' shapes, with their derivatives in the parameters."""
    for c in range(n.components):
        template = components[c, TEMPLATE]
        if template < 0:
            continue
        nominal, shaped = n.here + template, components[c, SHAPES]
        for entry in range(shaped, components[c, SHAPES_END]):
            above = nominal + 1 + 2 * (entry - shaped)
            for bin in range(components[c, SIZE]):
                up = _log_ratio(rows[above, bin], rows[nominal, bin])
                down = _log_ratio(rows[above + 1, bin], rows[nominal, bin])
                rows[n.a + entry, bin] = 0.5 * (up - down)
                rows[n.b + entry, bin] = 0.5 * (up + down)
            if n.parameters:
                for end in range(2):
                    _log_slopes(n, 2 * entry + end, nominal, above + end, components[c, SIZE], rows)


@compiled
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


@compiled
def expand(n, components, factors, table, t, rows):
    """Fill in the counts of each component, their slopes in the pulls of their shapes, and μ."""
    for term in range(n.terms):
        for bin in range(n.bins):
            rows[n.mu + term, bin] = 0.0
    for c in range(n.components):
        size, template = components[c, SIZE], components[c, TEMPLATE]
        mu, scale, part = n.mu + components[c, TERM], n.scale + c, n.part + c
        rate = rate_of(components, factors, t, c)
        shapes, end = components[c, SHAPES], components[c, SHAPES_END]
        if shapes < end:
            for bin in range(size):
                rows[scale, bin] = 0.0
            for entry in range(shapes, end):
                along = t[n.rates + entry]
                bend = bent(along)
                for bin in range(size):
                    rows[scale, bin] += along * rows[n.a + entry, bin] + bend * rows[n.b + entry, bin]
            for bin in range(size):
                rows[scale, bin] = rate * exp(min(max(rows[scale, bin], -LARGEST), LARGEST))
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
            bend = bent_slope(t[n.rates + entry])
            for bin in range(size):
                slope = rows[n.a + entry, bin] + bend * rows[n.b + entry, bin]
                rows[n.log_slope + entry, bin] = slope
                rows[n.slope + entry, bin] = slope * rows[part, bin]


@compiled
def expand_outwards(n, components, t, rows):
    """Fill in ∂μ of each signal in the parameters."""
    for c in range(n.components):
        template = components[c, TEMPLATE]
        if template < 0:
            continue
        nominal = n.here + template
        for i in range(n.parameters):
            column = n.slope + n.entries + c * n.parameters + i
            for bin in range(components[c, SIZE]):
                rows[column, bin] = 0.0
            for entry in range(components[c, SHAPES], components[c, SHAPES_END]):
                along = t[n.rates + entry]
                up, down = 0.5 * (along + bent(along)), 0.5 * (bent(along) - along)
                above, below = (
                    n.logs + 2 * entry * n.parameters + i,
                    n.logs + (2 * entry + 1) * n.parameters + i,
                )
                for bin in range(components[c, SIZE]):
                    rows[column, bin] += up * rows[above, bin] + down * rows[below, bin]
            slope = nominal + (1 + i) * n.templates
            for bin in range(components[c, SIZE]):
                outward = rows[slope, bin] + rows[nominal, bin] * rows[column, bin]
                rows[column, bin] = rows[n.scale + c, bin] * outward


@compiled
def rate_of(components, factors, t, c):
    """Return what the pulls of its rate make of a component."""
    total = 0.0
    for r in range(components[c, RATES], components[c, RATES_END]):
        total += factors[r, 0] * t[r]
    if components[c, LINEAR]:
        rate = 1.0 + total
        return SMALLEST if abs(rate) < SMALLEST else rate
    return np.exp(min(max(total, -LARGEST), LARGEST))


@compiled
def over_rate(components, factors, t, c):
    """Return what turns a component's counts times a logarithm λ into their slope in a pull of the rate."""
    return 1.0 / rate_of(components, factors, t, c) if components[c, LINEAR] else 1.0


@compiled
def bent(t):
    """Return what multiplies b, see `morphing.bent`."""
    return t * t if abs(t) <= 1.0 else 2.0 * abs(t) - 1.0


@compiled
def bent_slope(t):
    """Return its derivative."""
    return 2.0 * min(max(t, -1.0), 1.0)

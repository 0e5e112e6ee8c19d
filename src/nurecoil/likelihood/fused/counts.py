"""Counts in bins with their slopes in pulls and parameters: `response` and `morphing` of one point."""

import math

from nurecoil.likelihood.fused.arithmetic import exp, ln
from nurecoil.likelihood.fused.compiling import compiled
from nurecoil.likelihood.fused.packing import (
    COLUMN,
    LINEAR,
    NOMINAL,
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
def predict(layout, strengths, rows):
    """Fill in the predictions of all templates, and their derivatives, at the centre of the expansion."""
    for order in range(len(strengths)):
        for m in range(len(layout.templates)):
            row = rows[layout.sizes.prediction + order * len(layout.templates) + m]
            for bin in range(layout.bins[m]):
                row[bin] = 0.0
            for k in range(strengths.shape[1]):
                q = strengths[order, k]
                if q != 0.0:
                    for bin in range(layout.bins[m]):
                        row[bin] += q * layout.templates[m, k, bin]


@compiled
def move(layout, x, middle, rows):
    """Fill in the predictions and their slopes at the parameters, expanded around their `middle`."""
    n, d, step = layout.sizes, layout.sizes.parameters, layout.sizes.templates
    for m in range(step):
        here, centre, size, pair = n.here + m, n.prediction + m, layout.bins[m], 0
        for bin in range(size):
            rows[here, bin] = rows[centre, bin]
        for i in range(d):
            along, slope = x[n.free + i] - middle[i], rows[centre + (1 + i) * step]
            for bin in range(size):
                rows[here, bin] += along * slope[bin]
                rows[here + (1 + i) * step, bin] = slope[bin]
        for i in range(d):
            along_i = x[n.free + i] - middle[i]
            for j in range(i + 1):
                along_j, curve = x[n.free + j] - middle[j], rows[centre + (1 + d + pair) * step]
                product = (0.5 if i == j else 1.0) * along_i * along_j
                for bin in range(size):
                    rows[here, bin] += product * curve[bin]
                    rows[here + (1 + i) * step, bin] += along_j * curve[bin]
                if i != j:
                    for bin in range(size):
                        rows[here + (1 + j) * step, bin] += along_i * curve[bin]
                pair += 1


@compiled
def morph(layout, rows, centred):
    """Fill in the exponents of the signals' shapes, of the predictions here or, `centred`, at the centre."""
    n, components = layout.sizes, layout.components
    at = n.prediction - n.here if centred else 0
    for c in range(len(components)):
        if components[c, TEMPLATE] < 0:
            continue
        nominal = rows[at + components[c, NOMINAL]]
        for entry in range(components[c, SHAPES], components[c, SHAPES_END]):
            above = at + components[c, NOMINAL] + 1 + 2 * (entry - components[c, SHAPES])
            for bin in range(components[c, SIZE]):
                up = _log_ratio(rows[above, bin], nominal[bin])
                down = _log_ratio(rows[above + 1, bin], nominal[bin])
                rows[n.a + entry, bin] = 0.5 * (up - down)
                rows[n.b + entry, bin] = 0.5 * (up + down)


@compiled
def _log_ratio(shape, counts):
    """Return ln(shape/counts), see `morphing.log_ratio`."""
    both = shape > 0.0 and counts > 0.0
    logarithm = ln((shape if both else 1.0) / (counts if both else 1.0))
    inside = min(max(logarithm, -MOST_CHANGE), MOST_CHANGE)
    return inside if both else (-MOST_CHANGE if counts > 0.0 else 0.0)


@compiled
def expand(layout, work):
    """Fill in the counts of each component, their slopes in the pulls of their shapes, and μ."""
    n, components, rows, t = layout.sizes, layout.components, work.rows, work.t
    for row in range(n.mu, n.first):
        for bin in range(rows.shape[1]):
            rows[row, bin] = 0.0
    for c in range(len(components)):
        size, shapes, end = components[c, SIZE], components[c, SHAPES], components[c, SHAPES_END]
        mu, nominal, scale = rows[n.mu + components[c, TERM]], rows[components[c, NOMINAL]], rows[n.scale + c]
        column = n.column + components[c, COLUMN]
        counts, rate = rows[column], _rate(layout, t, c)
        work.rates[c] = rate
        if components[c, TEMPLATE] < 0 and shapes == end:  # its column stays as it is packed
            for bin in range(size):
                mu[bin] += rate * nominal[bin]
            continue
        for bin in range(size):
            scale[bin] = 0.0 if shapes < end else rate
        for entry in range(shapes, end):
            along = t[layout.shapes[entry]]
            bend, bend_slope = bent(along), bent_slope(along)
            a, b, slope = rows[n.a + entry], rows[n.b + entry], rows[n.log_slope + entry]
            for bin in range(size):
                scale[bin] += along * a[bin] + bend * b[bin]
                slope[bin] = a[bin] + bend_slope * b[bin]
        if shapes < end:
            for bin in range(size):
                scale[bin] = rate * exp(min(max(scale[bin], -LARGEST), LARGEST))
        for bin in range(size):
            counts[bin] = scale[bin] * nominal[bin]
            mu[bin] += counts[bin]
        for entry in range(shapes, end):
            for bin in range(size):
                rows[column + 1 + entry - shapes, bin] = rows[n.log_slope + entry, bin] * counts[bin]


@compiled
def _rate(layout, t, c):
    """Return what the pulls of its rate make of a component."""
    total = 0.0
    for r in range(layout.components[c, RATES], layout.components[c, RATES_END]):
        total += layout.logarithms[r] * t[layout.rates[r]]
    if layout.components[c, LINEAR]:
        rate = 1.0 + total
        return SMALLEST if abs(rate) < SMALLEST else rate
    return math.exp(min(max(total, -LARGEST), LARGEST))


@compiled
def bent(t):
    """Return what multiplies b, see `morphing.bent`."""
    return t * t if abs(t) <= 1.0 else 2.0 * abs(t) - 1.0


@compiled
def bent_slope(t):
    """Return its derivative."""
    return 2.0 * min(max(t, -1.0), 1.0)


@compiled
def expand_outwards(layout, work, scaled):
    """Fill in ∂μ of the signals in the parameters, and what their second derivatives are made of.

    μ = s·scale, ∂_i μ = scale (∂_i s + s L_i) with L_i = ∂_i ln(scale); and L_ij = ∂_j L_i, and ∂_t L_i:
    these stay 0 where the parameters only scale s.
    """
    n, components, rows, d = layout.sizes, layout.components, work.rows, layout.sizes.parameters
    for c in range(len(components)):
        if components[c, TEMPLATE] < 0:
            continue
        size, shapes, nominal = components[c, SIZE], components[c, SHAPES], components[c, NOMINAL]
        logs, logs2 = n.logs + components[c, TERM] * d, n.logs2 + components[c, TERM] * n.pairs
        for row in range(0 if scaled else d + n.pairs):
            log = rows[logs + row if row < d else logs2 + row - d]
            for bin in range(size):
                log[bin] = 0.0
        for entry in range(shapes, shapes if scaled else components[c, SHAPES_END]):
            above = nominal + 1 + 2 * (entry - shapes)
            _add_logarithms(layout, work, entry, nominal, above, logs, logs2, size)
        column = n.column + components[c, COLUMN] + 1 + components[c, SHAPES_END] - shapes
        scale, s = rows[n.scale + c], rows[nominal]
        for i in range(d):
            outward, s_i, log = rows[column + i], rows[nominal + (1 + i) * n.templates], rows[logs + i]
            for bin in range(size):
                outward[bin] = scale[bin] * (s_i[bin] + s[bin] * log[bin])


@compiled
def _add_logarithms(layout, work, entry, nominal, above, logs, logs2, size):
    """Add the derivatives of what one pull does; none where the morphing has come to its end."""
    n, rows, along = layout.sizes, work.rows, work.t[layout.shapes[entry]]
    up, down = 0.5 * (bent(along) + along), 0.5 * (bent(along) - along)  # of ln(up/s) and ln(down/s)
    up_slope, down_slope = 0.5 * (bent_slope(along) + 1.0), 0.5 * (bent_slope(along) - 1.0)
    over_u, over_su, over_d = rows[n.scratch], rows[n.scratch + 1], rows[n.scratch + 2]
    over_sd, step, pair = rows[n.scratch + 3], n.templates, 0
    for bin in range(size):
        s, u, d = rows[nominal, bin], rows[above, bin], rows[above + 1, bin]
        inside = s > 0.0 and u > 0.0 and u < _END * s and s < _END * u
        over_u[bin], over_su[bin] = 1.0 / (u if inside else math.inf), 1.0 / (s if inside else math.inf)
        inside = s > 0.0 and d > 0.0 and d < _END * s and s < _END * d
        over_d[bin], over_sd[bin] = 1.0 / (d if inside else math.inf), 1.0 / (s if inside else math.inf)
    for i in range(n.parameters):
        along_i = (1 + i) * step
        s_i, u_i, d_i = rows[nominal + along_i], rows[above + along_i], rows[above + 1 + along_i]
        log, mixed = rows[logs + i], rows[n.mixed + entry * n.parameters + i]
        for bin in range(size):
            slope_u = u_i[bin] * over_u[bin] - s_i[bin] * over_su[bin]
            slope_d = d_i[bin] * over_d[bin] - s_i[bin] * over_sd[bin]
            log[bin] += up * slope_u + down * slope_d
            mixed[bin] = up_slope * slope_u + down_slope * slope_d
        for j in range(i + 1):
            along_j = (1 + j) * step
            s_j, u_j, d_j = rows[nominal + along_j], rows[above + along_j], rows[above + 1 + along_j]
            curve = n.prediction - n.here + (1 + n.parameters + pair) * step
            s_ij, u_ij, d_ij = rows[nominal + curve], rows[above + curve], rows[above + 1 + curve]
            log2 = rows[logs2 + pair]
            for bin in range(size):
                of_u = (u_ij[bin] - u_i[bin] * u_j[bin] * over_u[bin]) * over_u[bin]
                of_d = (d_ij[bin] - d_i[bin] * d_j[bin] * over_d[bin]) * over_d[bin]
                of_su = (s_ij[bin] - s_i[bin] * s_j[bin] * over_su[bin]) * over_su[bin]
                of_sd = (s_ij[bin] - s_i[bin] * s_j[bin] * over_sd[bin]) * over_sd[bin]
                log2[bin] += up * (of_u - of_su) + down * (of_d - of_sd)
            pair += 1

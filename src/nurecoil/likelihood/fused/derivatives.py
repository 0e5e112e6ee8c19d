"""The gradient and the Hessian of χ² of one point: sums over the bins."""

from nurecoil.likelihood.fused.compiling import compiled
from nurecoil.likelihood.fused.counts import bent, bent_slope, over_rate
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


@compiled
def sum_up(n, components, columns, factors, t, rows, gradient, hessian):
    """Add all bins to the gradient and the Hessian, component after component.

    The pulls of a component's rate all have its counts as their column, times a number: they share one sum.
    """
    for c in range(n.components):
        if components[c, RATES] < components[c, RATES_END]:
            _add_rates(n, components, columns, factors, t, c, rows, gradient, hessian)
        size, term, part = components[c, SIZE], components[c, TERM], n.part + c
        first, second = n.first + term, n.second + term
        for kind in range(2):
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
                    if components[other, TERM] == term:
                        _add_other(n, components, columns, factors, t, other, i, gain, rows, hessian)
                for bin in range(size):
                    rows[n.bent, bin] = rows[n.weighted, bin] * rows[part, bin]
                    rows[n.bent, bin] += rows[first, bin] * rows[column, bin]
                _add_own(n, components, columns, factors, t, c, kind, k, i, gain, rows, hessian)


@compiled
def _add_rates(n, components, columns, factors, t, c, rows, gradient, hessian):
    """Add the pulls of the rate of a component, alone and with all components before it."""
    size, term, part = components[c, SIZE], components[c, TERM], n.part + c
    begin, end = components[c, RATES], components[c, RATES_END]
    total, own = 0.0, 0.0
    for bin in range(size):
        total += rows[n.first + term, bin] * rows[part, bin]
    for bin in range(size):
        rows[n.weighted, bin] = rows[n.second + term, bin] * rows[part, bin]
    for bin in range(size):
        own += rows[n.weighted, bin] * rows[part, bin]
    if not components[c, LINEAR]:
        own += total
    over = over_rate(components, factors, t, c)
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
        if components[other, TERM] == term:
            _add_rates_and_other(n, components, columns, factors, t, c, other, over, rows, hessian)


@compiled
def _add_rates_and_other(n, components, columns, factors, t, c, other, over, rows, hessian):
    """Add Σ φ'' ∂_i μ ∂_j μ of the pulls of the rate of one component and all columns of another."""
    size = components[c, SIZE]
    if components[other, RATES] < components[other, RATES_END]:
        total, over_other = 0.0, over_rate(components, factors, t, other)
        for bin in range(size):
            total += rows[n.weighted, bin] * rows[n.part + other, bin]
        for k in range(components[c, RATES], components[c, RATES_END]):
            for m in range(components[other, RATES], components[other, RATES_END]):
                if columns[k, 1] >= 0 and columns[m, 1] >= 0:
                    both = factors[k, 1] * factors[k, 0] * over * factors[m, 1] * factors[m, 0] * over_other
                    _add(hessian, columns[k, 1], columns[m, 1], both * total)
    for kind in range(2):
        begin, end = _span(n, components, other, kind)
        for m in range(begin, end):
            j, more = _variable(n, columns, factors, m)
            if j >= 0:
                total = 0.0
                for bin in range(size):
                    total += rows[n.weighted, bin] * rows[n.slope + m - n.rates, bin]
                for k in range(components[c, RATES], components[c, RATES_END]):
                    if columns[k, 1] >= 0:
                        gain = factors[k, 1] * factors[k, 0] * over
                        _add(hessian, columns[k, 1], j, gain * more * total)


@compiled
def _span(n, components, c, kind):
    """Return the columns of a component: of its shapes (kind 0) or of its parameters (1)."""
    if kind == 0:
        return n.rates + components[c, SHAPES], n.rates + components[c, SHAPES_END]
    begin = n.rates + n.entries + c * n.parameters
    return begin, begin + (n.parameters if components[c, TEMPLATE] >= 0 else 0)


@compiled
def _variable(n, columns, factors, k):
    """Return the variable behind a column (-1: held) and dt/dz."""
    if k < n.rates + n.entries:
        return columns[k, 1], factors[k, 1]
    return n.free + (k - n.rates - n.entries) % n.parameters, 1.0


@compiled
def _add(hessian, i, j, value):
    """Add a product of two different columns; of one variable it counts twice."""
    if i > j:
        hessian[i, j] += value
    elif i < j:
        hessian[j, i] += value
    else:
        hessian[i, i] += 2.0 * value


@compiled
def _add_other(n, components, columns, factors, t, other, i, gain, rows, hessian):
    """Add Σ φ'' ∂_i μ ∂_j μ of a column that is no rate with all columns of another component."""
    size = components[other, SIZE]
    if components[other, RATES] < components[other, RATES_END]:
        total, over = 0.0, over_rate(components, factors, t, other)
        for bin in range(size):
            total += rows[n.weighted, bin] * rows[n.part + other, bin]
        for m in range(components[other, RATES], components[other, RATES_END]):
            if columns[m, 1] >= 0:
                _add(hessian, i, columns[m, 1], gain * factors[m, 1] * factors[m, 0] * over * total)
    for kind in range(2):
        begin, end = _span(n, components, other, kind)
        for m in range(begin, end):
            j, more = _variable(n, columns, factors, m)
            if j >= 0:
                total = 0.0
                for bin in range(size):
                    total += rows[n.weighted, bin] * rows[n.slope + m - n.rates, bin]
                _add(hessian, i, j, gain * more * total)


@compiled
def _add_own(n, components, columns, factors, t, c, kind, k, i, gain, rows, hessian):
    """Add Σ [φ'' ∂_i μ ∂_j μ + φ' ∂_i ∂_j μ] of a column that is no rate with those of its own component."""
    size, outer = components[c, SIZE], n.rates + n.entries + c * n.parameters
    if components[c, RATES] < components[c, RATES_END]:
        total, over = 0.0, over_rate(components, factors, t, c)
        for bin in range(size):
            total += rows[n.bent, bin]
        for m in range(components[c, RATES], components[c, RATES_END]):
            if columns[m, 1] >= 0:
                _add(hessian, i, columns[m, 1], gain * factors[m, 1] * factors[m, 0] * over * total)
    for also in range(kind + 1):
        begin, end = _span(n, components, c, also)
        left = n.weighted if also == 1 else n.bent
        right = n.slope if also == 1 else n.log_slope
        for m in range(begin, min(end, k + 1)):
            j, more = _variable(n, columns, factors, m)
            if j < 0:
                continue
            total = 0.0
            for bin in range(size):
                total += rows[left, bin] * rows[right + m - n.rates, bin]
            if kind == 1 and also == 0:
                total += _mixed(n, components, t, c, k - outer, m - n.rates, rows)
            elif also == 1:
                total += _outer(n, components, t, c, k - outer, m - outer, rows)
            if k == m:
                hessian[i, i] += gain * gain * total
            else:
                _add(hessian, i, j, gain * more * total)
    if kind == 0 and abs(t[k]) <= 1.0:
        total, first = 0.0, n.first + components[c, TERM]
        for bin in range(size):
            total += rows[first, bin] * rows[n.part + c, bin] * rows[n.b + k - n.rates, bin]
        hessian[i, i] += 2.0 * gain * gain * total


@compiled
def _mixed(n, components, t, c, i, entry, rows):
    """Return Σ φ' e^{Σg} s ∂_t ∂_i L, see `response.Derivatives`."""
    bend = bent_slope(t[n.rates + entry])
    up, down = 0.5 * (1.0 + bend), 0.5 * (bend - 1.0)
    above, below = n.logs + 2 * entry * n.parameters + i, n.logs + (2 * entry + 1) * n.parameters + i
    first, nominal, total = n.first + components[c, TERM], n.here + components[c, TEMPLATE], 0.0
    for bin in range(components[c, SIZE]):
        along = up * rows[above, bin] + down * rows[below, bin]
        total += rows[first, bin] * rows[n.scale + c, bin] * rows[nominal, bin] * along
    return total


@compiled
def _outer(n, components, t, c, i, j, rows):
    """Return Σ φ' ∂_i ∂_j μ of two parameters."""
    d, pair, size = n.parameters, i * (i + 1) // 2 + j, components[c, SIZE]
    first, template = n.first + components[c, TERM], components[c, TEMPLATE]
    nominal, curve = n.here + template, n.prediction + (1 + d + pair) * n.templates + template
    slope_i, slope_j = nominal + (1 + i) * n.templates, nominal + (1 + j) * n.templates
    one, other, both = n.scratch, n.scratch + 1, n.scratch + 2
    for bin in range(size):
        rows[one, bin] = 0.0
        rows[other, bin] = 0.0
        rows[both, bin] = 0.0
    for entry in range(components[c, SHAPES], components[c, SHAPES_END]):
        along = t[n.rates + entry]
        up, down = 0.5 * (along + bent(along)), 0.5 * (bent(along) - along)
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
        curved = rows[curve, bin] + rows[nominal, bin] * (rows[one, bin] * rows[other, bin] + rows[both, bin])
        curved += rows[slope_i, bin] * rows[other, bin] + rows[slope_j, bin] * rows[one, bin]
        total += rows[first, bin] * rows[n.scale + c, bin] * curved
    return total

"""From strengths of the couplings to the signal in bins, with derivatives in fitted parameters.

Every template is linear in the strengths q, which are quadratic in the couplings (`couplings`):

    y_m = Θ_m·q,  ∂y_m = Θ_m·∂q,  ∂²y_m = Θ_m·∂²q

for the signal and for up and down of each shape pull and pair, between which it is morphed (`morphing`).
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import Array
from nurecoil.likelihood.arrays import SignalArrays
from nurecoil.likelihood.expansion import Expansion, evaluated
from nurecoil.likelihood.morphing import (
    MOST_CHANGE,
    Morphing,
    bent,
    bent_slope,
    beyond,
    morphing,
    together,
    together_slope,
)
from nurecoil.likelihood.newton import triangle


class Derivatives(NamedTuple):
    """Derivatives of the signal s and of the logarithms ℓ = ln(up/s), ln(down/s) in d parameters.

    Packed triangles (T,) for second ones; ℓ in the order up, down, up, ...
    """

    counts: Array  # (P, d, bins)
    counts2: Array  # (P, T, bins)
    logs: Array  # (P, d, 2 K + 2 C, bins)
    logs2: Array  # (P, T, 2 K + 2 C, bins)

    @property
    def parameters(self) -> int:
        """The number of parameters."""
        return int(self.counts.shape[1])

    def of_counts(
        self, s: Array, pulls: Sequence[Array], pairs: Sequence[tuple[int, int]] = ()
    ) -> tuple[Array, tuple[dict[tuple[int, int], Array], dict[tuple[int, int], Array]]]:
        """Return derivatives of s e^{Σg}, over e^{Σg}, at pulls t, one (P,) each.

        With L = Σ_k [ℓ_up (t + bent)/2 + ℓ_down (bent - t)/2] + Σ_kl c_kl t_k t_l, the exponent:
        ∂s + s ∂L; ∂∂'s + ∂s ∂'L + ∂'s ∂L + s (∂L ∂'L + ∂∂'L) by (parameter, parameter); s ∂_t ∂L by
        (parameter, shape pull), to which ∂_t g (∂s + s ∂L) is to be added.
        """
        d = self.parameters
        if not pulls:
            second = {pair: self.counts2[:, number] for number, pair in enumerate(triangle(d))}
            return self.counts + 0 * s[:, None], (second, {})
        weights, slopes = [], []
        for t in pulls:
            bend, slope = bent(t), bent_slope(t)
            weights += [(t + bend) / 2, (bend - t) / 2]
            slopes.append(((1 + slope) / 2, (slope - 1) / 2))
        weight = np.stack(weights, axis=1)[:, None, :, None]
        outer, outer2 = ((weight * x[:, :, : len(weights)]).sum(axis=2) for x in (self.logs, self.logs2))
        c, c2 = (
            beyond((x[:, :, ::2] + x[:, :, 1::2]) / 2, pairs) for x in (self.logs, self.logs2)
        )  # ∂c, ∂∂c
        for number, (k, m) in enumerate(pairs):
            x = together(pulls[k], pulls[m])[:, None, None]
            outer, outer2 = outer + x * c[:, :, number], outer2 + x * c2[:, :, number]
        second = {}
        for number, (i, j) in enumerate(triangle(d)):
            second[i, j] = self.counts2[:, number] + self.counts[:, i] * outer[:, j]
            second[i, j] = second[i, j] + self.counts[:, j] * outer[:, i]
            second[i, j] = second[i, j] + s * (outer[:, i] * outer[:, j] + outer2[:, number])
        mixed = {
            (i, k): s * (up[:, None] * self.logs[:, i, 2 * k] + down[:, None] * self.logs[:, i, 2 * k + 1])
            for i in range(d)
            for k, (up, down) in enumerate(slopes)
        }
        for number, pair in enumerate(pairs):
            for k, m in (pair, pair[::-1]):
                slope = together_slope(pulls[k], pulls[m])
                for i in range(d):
                    mixed[i, k] = mixed[i, k] + s * slope[:, None] * c[:, i, number]
        return self.counts + s[:, None] * outer, (second, mixed)


def respond(signal: SignalArrays, strengths: Array) -> Morphing:
    """Return the signal and how its shape pulls change it, at strengths (P, strengths)."""
    return _morphed(signal, _blocks(signal, strengths))


def respond_and_return(
    signal: SignalArrays, strengths: Array, pulls: Sequence[Array]
) -> tuple[Morphing, Callable[[Array], Array]]:
    """Return the same, and what takes ∂χ²/∂ln s (P, bins) of the counts at shape pulls t back to strengths.

    ∂χ²/∂q = Σ_m Θ_m ∂χ²/∂y_m, where ln s changes by ∂s/s (1 - Σw) and by w ∂y/y of each variation, with
    w = (bent ± t)/2, less half of t_k t_l where c_kl takes the bends of k and of l away.
    """
    blocks = _blocks(signal, strengths)
    s, y = blocks[:, :1], blocks[:, 1:]
    inside = (y > 0) & (s > 0)
    inside = inside & (np.abs(np.log(np.where(inside, y, 1.0) / np.where(inside, s, 1.0))) < MOST_CHANGE)
    weights = [(bent(t) + side * t) / 2 for t in pulls for side in (1, -1)]
    for k, m in signal.pairs:
        half = together(pulls[k], pulls[m]) / 2
        for number in (2 * k, 2 * k + 1, 2 * m, 2 * m + 1):
            weights[number] = weights[number] - half
        weights += [half, half]

    def back(of_logarithm: Array) -> Array:
        weight = np.stack(weights, axis=1)[..., np.newaxis] * inside if weights else np.zeros_like(y)
        of_counts = of_logarithm[:, np.newaxis] * np.concatenate(
            [1 - weight.sum(axis=1, keepdims=True), weight], axis=1
        )
        found = np.divide(of_counts, blocks, out=np.zeros_like(blocks), where=blocks != 0)
        of_strengths = np.zeros((len(found), strengths.shape[1]))
        of_strengths[:, signal.used] = found.reshape(len(found), -1) @ signal.columns.T
        return of_strengths

    return _morphed(signal, blocks), back


class Polynomial(NamedTuple):
    """The signal and its variations in bins as quadratic functions of parameters θ, as strengths are.

    Attributes
    ----------
    centre : ndarray, shape (P or 1, d)
    value : ndarray, shape (P or 1, 1 + 2 K, bins)
    slope : ndarray, shape (P or 1, d, 1 + 2 K, bins)
    curvature : ndarray, shape (P or 1, d (d + 1)/2, 1 + 2 K, bins)
    """

    centre: Array
    value: Array
    slope: Array
    curvature: Array

    def at(self, which: NDArray[np.intp] | slice) -> "Polynomial":
        """Return the points `which`; a single point stands for all."""
        return self if len(self.value) == 1 else Polynomial(*(part[which] for part in self))


def polynomial(signal: SignalArrays, expansion: Expansion) -> Polynomial:
    """Return the counts of strengths that are an expansion."""
    parts = (_blocks(signal, part) for part in expansion[1:])
    return Polynomial(expansion.centre, *parts)


def respond_with_derivatives(
    signal: SignalArrays, known: Expansion | Polynomial, theta: Array
) -> tuple[Morphing, Derivatives]:
    """Return the signal and how shape pulls change it at parameters θ (P, d), and the derivatives in them."""
    if isinstance(known, Polynomial):
        (blocks, first), second = evaluated(known, theta), known.curvature
    else:
        found = (*evaluated(known, theta), known.curvature)
        blocks, first, second = (_blocks(signal, part) for part in found)
    s, y = blocks[:, :1], blocks[:, 1:]
    inside = (y > 0) & (s > 0)
    safe, safe_s = np.where(inside, y, 1.0), np.where(s > 0, s, 1.0)
    inside = inside & (np.abs(np.log(safe / safe_s)) < MOST_CHANGE)  # as far as the morphing goes
    log = np.where(inside[:, None], first[:, :, 1:] / safe[:, None] - first[:, :, :1] / safe_s[:, None], 0.0)
    relative = first / np.concatenate([safe_s, safe], axis=1)[:, None]
    log2 = []
    for number, (i, j) in enumerate(triangle(theta.shape[1])):
        bend = second[:, number, 1:] / safe - relative[:, i, 1:] * relative[:, j, 1:]
        straight = second[:, number, :1] / safe_s - relative[:, i, :1] * relative[:, j, :1]
        log2.append(np.where(inside, bend - straight, 0.0))
    derivatives = Derivatives(first[:, :, 0], second[:, :, 0], log, np.stack(log2, axis=1))
    return _morphed(signal, blocks), derivatives


def _morphed(signal: SignalArrays, blocks: Array) -> Morphing:
    return morphing(blocks[:, 0], blocks[:, 1::2], blocks[:, 2::2], signal.pairs)


def _blocks(signal: SignalArrays, strengths: Array) -> Array:
    """Return strengths (..., strengths) as counts (..., 1 + 2 K + 2 C, bins)."""
    blocks, _, bins = signal.templates.shape
    if signal.used.size < strengths.shape[-1]:
        strengths = strengths[..., signal.used]
    return (strengths @ signal.columns).reshape(*strengths.shape[:-1], blocks, bins)

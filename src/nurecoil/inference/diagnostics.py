r"""Whether chains have converged: rank-normalised split-R̂ and effective sample sizes.

Vehtari, Gelman, Simpson, Carpenter and Bürkner, Bayesian Analysis 16 (2021) 667, arXiv:1903.08008, cited as
V; its equation numbers stand beside the code. A chain is a column: arrays have the shape (N, M), N draws
of M chains.
"""

import numpy as np

from nurecoil.arithmetic import Array


def split(chains: Array) -> Array:
    """Return each chain's halves as chains of their own, (N // 2, 2M); a drift then shows as a difference.

    >>> split(np.arange(5.0)[:, np.newaxis]).tolist()
    [[0.0, 3.0], [1.0, 4.0]]
    """
    half = len(chains) // 2
    return np.concatenate([chains[:half], chains[len(chains) - half :]], axis=1)


def rank_normalised(chains: Array) -> Array:
    """Return each draw as the normal quantile of its rank among all draws, equal draws alike (V, eq. 14)."""
    from scipy.special import ndtri  # type: ignore[import-untyped]

    _, which, count = np.unique(chains, return_inverse=True, return_counts=True)
    rank = np.cumsum(count) - 0.5 * (count - 1)
    normal: Array = ndtri((rank - 0.375) / (chains.size + 0.25))[which.reshape(chains.shape)]
    return normal


def r_hat(chains: Array) -> float:
    r"""Return the rank-normalised split-R̂, the larger of that for location and that for scale.

    .. math:: \hat R^2 = \frac{\frac{N-1}{N} W + \frac1N B}{W}

    V, eqs. 1-4 and section 4.1. Below 1.01 the chains agree, says V. NaN if nothing moves.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> r_hat(rng.normal(size=(1000, 4))) < 1.01
    True
    >>> r_hat(rng.normal(size=(1000, 4)) + [0, 0, 0, 2]) > 1.1
    True
    """
    halves = split(chains)
    folded = np.abs(halves - np.median(halves))
    return float(np.max([_plain_r_hat(rank_normalised(x)) for x in (halves, folded)]))


def _plain_r_hat(chains: Array) -> float:
    draws = len(chains)
    within = chains.var(axis=0, ddof=1).mean()
    between = chains.mean(axis=0).var(ddof=1)  # B / N
    if within == 0:
        return np.nan
    return float(np.sqrt((draws - 1) / draws + between / within))


def effective_size(chains: Array) -> float:
    r"""Return how many independent draws would give the mean as well.

    .. math:: S = \frac{NM}{\hat\tau}, \qquad \hat\tau = 1 + 2 \sum_{t=1}^{T} \hat\rho_t, \qquad
              \hat\rho_t = 1 - \frac{W - \frac1M \sum_m s_m^2 \hat\rho_{t,m}}{\hat V}

    V, eqs. 10-13, the sum truncated where a pair of correlations turns negative, and monotone (Geyer 1992).
    Because V̂ counts the differences between chains, one that stays in its own corner does not pass for
    converged. NaN if nothing moves.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> 3500 < effective_size(rng.normal(size=(1000, 4))) < 4500
    True
    """
    draws, number = chains.shape
    covariance = _autocovariance(chains).mean(axis=1)
    within = covariance[0] * draws / (draws - 1)
    between = chains.mean(axis=0).var(ddof=1) if number > 1 else 0.0
    total = covariance[0] + between  # V̂, as (N - 1) W / N is the covariance at lag 0
    if total == 0:
        return np.nan
    correlation = 1.0 - (within - covariance * draws / (draws - 1)) / total
    correlation[0] = 1.0
    pairs = correlation[: draws // 2 * 2].reshape(-1, 2).sum(axis=1)
    negative = np.flatnonzero(pairs < 0)
    kept = np.minimum.accumulate(pairs[: negative[0] if negative.size else None])
    time = max(2.0 * float(kept.sum()) - 1.0, 1.0 / np.log10(chains.size))
    return float(chains.size / time)


def _autocovariance(chains: Array) -> Array:
    """Return the covariance of each chain with itself, shifted by 0, 1, ... draws, (N, M)."""
    from scipy.fft import irfft, next_fast_len, rfft  # type: ignore[import-untyped]

    draws = len(chains)
    length = next_fast_len(2 * draws, real=True)
    spectrum = rfft(chains - chains.mean(axis=0), length, axis=0)
    covariance: Array = irfft(np.abs(spectrum) ** 2, length, axis=0)[:draws] / draws
    return covariance


def bulk_size(chains: Array) -> float:
    """Return the effective size for the centre of the distribution (V, section 4.2)."""
    return effective_size(rank_normalised(split(chains)))


def tail_size(chains: Array) -> float:
    """Return the effective size for its tails: the lower of those of the 5 % and 95 % quantiles (V, 4.3)."""
    halves = split(chains)
    ends = np.quantile(halves, [0.05, 0.95])
    return float(np.min([effective_size((halves <= end).astype(float)) for end in ends]))

"""Δχ² as a probability, by Wilks' theorem or by toys, and as a number of standard deviations."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nurecoil.checks import require_whole
from nurecoil.errors import NurecoilError

_SMALLEST = 1e-290  # below it the logarithm of a probability comes from its asymptotic series
_TERMS = 30


def log_p_value(delta_chi2: float, dof: int, *, one_sided: bool = False) -> float:
    r"""Return ln p, p the probability of a Δχ² at least as large; it does not underflow.

    .. math:: p = P(\chi^2_\mathrm{dof} \ge \Delta\chi^2) = Q(\mathrm{dof}/2, \Delta\chi^2/2)

    Parameters
    ----------
    delta_chi2 : float
        A negative one, from rounding, counts as zero; an infinite one has p = 0.
    dof : int
        Degrees of freedom, at least 1.
    one_sided : bool
        Half of it: the null hypothesis lies at the bound of the one parameter, so that half of all
        experiments would fit best at the bound (Cowan et al., Eur. Phys. J. C 71, 1554 (2011), eq. 50).

    Examples
    --------
    >>> round(math.exp(log_p_value(3.841459, 1)), 6), round(math.exp(log_p_value(25.0, 1, one_sided=True)), 9)
    (0.05, 2.87e-07)
    """
    require_whole("degrees of freedom", dof, 1)
    if math.isnan(delta_chi2):
        raise NurecoilError("a Δχ² of nan is not allowed: it must be a number")
    if one_sided and dof != 1:
        raise NurecoilError(f"{dof} degrees of freedom have no side: a one-sided test is of one parameter")
    if delta_chi2 == math.inf:
        return -math.inf
    from scipy.special import gammaincc  # type: ignore[import-untyped]

    a, x = 0.5 * dof, 0.5 * max(delta_chi2, 0.0)
    p = float(gammaincc(a, x))
    logarithm = math.log(p) if p > _SMALLEST else _log_tail(a, x)
    return logarithm - math.log(2.0) if one_sided else logarithm


def standard_deviations(delta_chi2: float, dof: int) -> float:
    r"""Return Z, by how many standard deviations a Gaussian variable is off with the same probability.

    .. math:: 2\,[1 - \Phi(Z)] = P(\chi^2_\mathrm{dof} \ge \Delta\chi^2), \qquad
              Z = \sqrt{\Delta\chi^2} \text{ for one degree of freedom}

    A one-sided test of one parameter, 1 - Φ(Z) = p, has the same Z = √Δχ² (Cowan et al. 2011, eq. 53).

    Examples
    --------
    >>> standard_deviations(25.0, 1), round(standard_deviations(11.829, 2), 3), standard_deviations(-1e-9, 3)
    (5.0, 3.0, 0.0)
    """
    if dof == 1:
        return math.sqrt(max(delta_chi2, 0.0))
    from scipy.special import ndtri_exp

    return max(0.0, -float(ndtri_exp(log_p_value(delta_chi2, dof) - math.log(2.0))))


def _log_tail(a: float, x: float) -> float:
    """Return ln Q(a, x) for x far above a: x^(a-1) e^-x/Γ(a) [1 + (a-1)/x + (a-1)(a-2)/x² + ...]."""
    term, total = 1.0, 1.0
    for k in range(1, _TERMS):
        term *= (a - k) / x
        total += term
    return (a - 1.0) * math.log(x) - x - math.lgamma(a) + math.log(total)


def binomial_error(passed: ArrayLike, n: int) -> NDArray[np.float64]:
    """Return the error of the fraction passed/n, never zero: the standard deviation of its posterior.

    >>> round(float(binomial_error(0, 98)), 4)
    0.0099
    """
    k = np.asarray(passed, dtype=float)
    return np.asarray(np.sqrt((k + 1) * (n - k + 1) / ((n + 2) ** 2 * (n + 3))))

"""Logarithm and exponential written out, so that the compiler can do those of many bins at once."""

import math

import numpy as np

from nurecoil.likelihood.fused.compiling import exact

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


@exact
def ln(x):
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


@exact
def exp(x):
    """Return e^x for |x| < 700, in such operations: 2^k e^r with |r| <= ln(2)/2, and a series."""
    k = np.floor(x * _OVER_LN2 + 0.5)
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    high = _EXP[7] + r * (
        _EXP[8] + r * (_EXP[9] + r * (_EXP[10] + r * (_EXP[11] + r * (_EXP[12] + r * _EXP[13]))))
    )
    low = _EXP[2] + r * (_EXP[3] + r * (_EXP[4] + r * (_EXP[5] + r * (_EXP[6] + r * high))))
    scale = np.int64((np.int64(k) + _EXPONENT) << 52).view(np.float64)
    return scale * (1.0 + r * (1.0 + r * low))

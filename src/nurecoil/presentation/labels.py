"""How parameters and confidence levels are written and coloured in figures."""

import math
from fractions import Fraction

from nurecoil.parameters import Parameter
from nurecoil.quantities import printed

LEVEL_COLOURS = ("blue", "vermillion", "green", "purple")  # of confidence levels, the highest first


def axis_label(parameter: Parameter) -> str:
    """Return the parameter's symbol, with its unit if it has one.

    >>> axis_label(Parameter("m", "a mass", "m", None, unit="TeV"))
    '$m$ [TeV]'
    """
    return f"${parameter.latex}$" + (f" [{typeset(printed(parameter.unit))}]" if parameter.unit else "")


def cl_label(*cl: float) -> str:
    """Return confidence levels as a reader writes them.

    >>> cl_label(0.68, 0.9)
    '68 %, 90 % CL'
    """
    return ", ".join(f"{100 * level:g} %" for level in cl) + " CL"


def typeset(text: str) -> str:
    """Return a number or a unit as it is printed in a figure."""
    text = text.replace("-", "−").replace("μ_B", r"$\mu_\mathrm{B}$")
    return text.replace("cm²", r"$\mathrm{cm}^2$").replace("eV²", r"$\mathrm{eV}^2$")


def value_label(parameter: Parameter, value: float) -> str:
    """Return a value with its unit, a root as one: −√3 and not −1.732.

    >>> beta = Parameter("beta", "", "b", None)
    >>> value_label(beta, -math.sqrt(3)), value_label(beta, 1 / math.sqrt(3)), value_label(beta, -0.5)
    ('−√3', '1/√3', '−0.5')
    """
    square = Fraction(value * value).limit_denominator(12) if abs(value) < 1e3 else Fraction(0)
    rational = Fraction(value).limit_denominator(100) if math.isfinite(value) else Fraction(0)
    if not square or parameter.unit or abs(float(rational) - value) < 1e-12:
        return typeset(parameter.format(value, 4))
    if abs(math.sqrt(square) - abs(value)) > 1e-14:
        return typeset(parameter.format(value, 4))
    top, bottom = (
        f"√{n}" if math.isqrt(n) ** 2 != n else str(math.isqrt(n)) for n in square.as_integer_ratio()
    )
    return ("−" if value < 0 else "") + (top if bottom == "1" else f"{top}/{bottom}")

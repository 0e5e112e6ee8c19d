"""How parameters and confidence levels are written and coloured in figures."""

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

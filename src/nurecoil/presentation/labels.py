"""How parameters, experiments and confidence levels are written and coloured in figures."""

import math
import re
from collections.abc import Sequence
from fractions import Fraction

from nurecoil.parameters import Parameter
from nurecoil.quantities import printed

LEVEL_COLOURS = ("blue", "vermillion", "green", "purple")  # of confidence levels, the highest first
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_NAMES = """SNS ESS CsI NaI LAr Ar Ge Xe F90 SR0 SR1 SR2 4T II APV COHERENT CONUS Dresden XENONnT LZ PandaX
    Qweak"""
_SPELLED = {word.lower(): word for word in _NAMES.split()}
_SPELLED |= {"binh2021": "Binh 2021", "8b": "⁸B", "nsi": "NSI"}
_TOGETHER = {"conus-plus": "CONUS+", "standard-model": "Standard Model", "331-beta": "331β"}
_TOGETHER |= {"u1-prime": "U(1)′"}


def spelled(name: str) -> str:
    """Return an identifier in words.

    >>> spelled("coherent-csi-2021"), spelled("conus-plus-2025"), spelled("solar_8b_flux")
    ('COHERENT CsI 2021', 'CONUS+ 2025', 'solar ⁸B flux')
    >>> spelled("scaled-standard-model"), spelled("331-beta")
    ('scaled Standard Model', '331β')
    """
    words = re.findall(rf"{'|'.join(_TOGETHER)}|[^-_ ]+", name)
    return " ".join((_SPELLED | _TOGETHER).get(word, word) for word in words)


def symbol(parameter: Parameter) -> str:
    """Return the symbol of a parameter; of a pull that has none its name in words.

    >>> symbol(Parameter("coherent-csi-2021_steady_state", "", "", 0.0))
    'steady state, COHERENT CsI 2021'
    """
    experiment, what = _parted(parameter.name)
    return f"${parameter.latex}$" if parameter.latex else ", ".join(filter(None, (what, experiment)))


def symbols(parameters: Sequence[Parameter]) -> list[str]:
    """Return different ones for a figure; an experiment has a line of its own, and none if it is alone.

    >>> symbols([Parameter(name, "", "", 0.0) for name in ("sns_flux", "coherent-lar-2020_f90")])
    ['SNS flux', 'F90']
    """
    parted = [("", f"${p.latex}$") if p.latex else _parted(p.name) for p in parameters]
    short, whole = [what for _, what in parted], ["\n".join(filter(None, pair[::-1])) for pair in parted]
    one = len({experiment for experiment, _ in parted if experiment}) == 1 and len(set(short)) == len(short)
    found = short if one else whole
    return found if len(set(found)) == len(found) else [p.name for p in parameters]


def _parted(name: str) -> tuple[str, str]:
    """Return the experiment in the name of a pull, "" for one of several, and what it is of, in words."""
    experiment, _, what = name.partition("_")
    return (spelled(experiment), spelled(what)) if "-" in experiment and what else ("", spelled(name))


def axis_label(parameter: Parameter) -> str:
    """Return the parameter's symbol, with its unit if it has one.

    >>> axis_label(Parameter("m", "a mass", "m", None, unit="TeV"))
    '$m$ [TeV]'
    """
    return symbol(parameter) + unit_label(parameter)


def unit_label(parameter: Parameter) -> str:
    """Return the unit of a parameter as it follows its symbol."""
    return f" [{typeset(printed(parameter.unit))}]" if parameter.unit else ""


def cl_label(*cl: float) -> str:
    """Return confidence levels as a reader writes them.

    >>> cl_label(0.68, 0.9)
    '68 %, 90 % CL'
    """
    return ", ".join(f"{100 * level:g} %" for level in cl) + " CL"


def typeset(text: str) -> str:
    """Return a number or a unit as it is printed in a figure."""
    text = powers(text).replace("-", "−").replace("μ_B", r"$\mu_\mathrm{B}$")
    return text.replace("cm²", r"$\mathrm{cm}^2$").replace("eV²", r"$\mathrm{eV}^2$")


def isotope(name: str) -> str:
    """Return a nuclide as it is written.

    >>> isotope("Ge76")
    '⁷⁶Ge'
    """
    return re.sub(r"^([A-Z][a-z]?)(\d+)$", lambda found: found[2].translate(_RAISED) + found[1], name)


def powers(text: str) -> str:
    """Return a text in which powers of ten are typeset.

    >>> powers("3.2e23 protons on target")
    '3.2 × 10²³ protons on target'
    >>> powers("5e-05 to 1e-04")
    '5 × 10⁻⁵ to 10⁻⁴'
    """
    return re.sub(r"\b(\d[\d.]*)e\+?(-?)0*(\d+)\b", _power, text)


def _power(found: re.Match[str]) -> str:
    factor, sign, digits = found.groups()
    return ("" if factor == "1" else f"{factor} × ") + f"10{(sign + digits).translate(_RAISED)}"


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

"""How parameters, confidence levels, and what a result rests on are written and coloured in figures."""

from collections.abc import Iterator, Mapping

import numpy as np

from nurecoil.inference.intervals import Profile
from nurecoil.models import load_model, model_names
from nurecoil.parameters import Parameter
from nurecoil.presentation.document import Reference, Series, Style
from nurecoil.study.result import Answer, Result

LEVEL_COLOURS = ("blue", "vermillion", "green", "purple")  # of confidence levels, the highest first


def axis_label(parameter: Parameter) -> str:
    """Return the parameter's symbol, with its unit if it has one.

    >>> axis_label(Parameter("m", "a mass", "m", None, unit="TeV"))
    '$m$ [TeV]'
    """
    return f"${parameter.latex}$" + (f" [{_typeset(parameter.unit)}]" if parameter.unit else "")


def cl_label(*cl: float) -> str:
    """Return confidence levels as a reader writes them.

    >>> cl_label(0.68, 0.9)
    '68 %, 90 % CL'
    """
    return ", ".join(f"{100 * level:g} %" for level in cl) + " CL"


def curve(profile: Profile, unit: float, label: str, colour: str, style: Style = "solid") -> Series:
    """Return Δχ² of a profile, with gaps where it is infinite."""
    finite = np.where(np.isfinite(profile.delta_chi2), profile.delta_chi2, np.nan)
    return Series(profile.values / unit, finite, label, colour=colour, style=style)


def level(profile: Profile, what: str) -> Reference:
    """Return the line below which Δχ² is allowed."""
    return Reference(profile.level, "y", rf"{what}: $\Delta\chi^2$ = {profile.level:.3g}")


def facts(result: Result[Answer]) -> tuple[str, ...]:
    """Return the model, the experiments, and what was held: parameters off their defaults, and pulls.

    >>> import nurecoil
    >>> csi = nurecoil.compile_experiment(nurecoil.load_experiment("binh2021-csi"))
    >>> model, scan = nurecoil.load_model("331-beta"), ("m_zprime", 1e5, 1e8)
    >>> facts(nurecoil.limit(model, [csi], {"beta": 0.5}, scan, widths={"binh2021-csi_signal": 0.0}))
    ('331-beta', 'binh2021-csi', '$\\\\beta$ = 0.5', 'binh2021-csi_signal fixed')
    """
    experiments = result.conventions["experiments"]
    assert isinstance(experiments, Mapping)
    pulls = {name: width for each in experiments.values() for name, width in each["pull_widths"].items()}
    return (
        str(result.conventions["model"]),
        " + ".join(experiments),
        *_settings(result),
        *(f"{name} fixed" for name, width in pulls.items() if width == 0),
    )


def _settings(result: Result[Answer]) -> Iterator[str]:
    """Yield the parameters that are off their defaults; those of a model of the user's own are not known."""
    model = str(result.conventions["model"])
    for p in load_model(model).parameters if model in model_names() else ():
        value = result.fixed.get(p.name, p.default)
        if value is not None and value != p.default:
            shown = value if isinstance(value, str) else _typeset(p.format(value, 4))
            yield f"{p.name if p.choices else f'${p.latex}$'} = {shown}"


def _typeset(text: str) -> str:
    """Return a number or a unit as it is printed in a figure."""
    return text.replace("-", "−").replace("mu_B", r"$\mu_B$")

"""What a limit looks like beside the expected one."""

import numpy as np

from nurecoil.analysis import Limit, Result, Sensitivity
from nurecoil.document import Figure, Panel, Reference, Series


def sensitivity_figure(result: Result[Sensitivity]) -> Figure:
    """Return a figure of the expected Δχ², the observed one, and the level.

    Examples
    --------
    >>> import nurecoil
    >>> csi = nurecoil.compile_experiment(nurecoil.load_experiment("binh2021-csi"))
    >>> model = nurecoil.load_model("331-beta")
    >>> result = nurecoil.sensitivity(model, [csi], {"beta": 0.0}, ("m_zprime", 1e5, 1e8), points=101)
    >>> [series.label for series in sensitivity_figure(result).panels[0].series]
    ['expected', 'observed']
    """
    values, parameter = result.values, result.values.expected.parameter
    profile, name = values.expected.profile, f"${parameter.latex}$"
    cl = f"{100 * values.expected.cl:g} % CL"
    panel = Panel(
        x_label=f"{name} [{parameter.unit}]" if parameter.unit else name,
        y_label=r"$\Delta\chi^2$",
        series=(
            _curve(values.expected, "expected", "vermillion"),
            _curve(values.observed, "observed", "blue"),
        ),
        references=(Reference(profile.level, "y", rf"{cl}: $\Delta\chi^2$ = {profile.level:.3g}"),),
        x_log=parameter.log_scan and bool(profile.values[0] > 0),
        y_range=(0.0, 4 * profile.level),
    )
    return Figure("sensitivity", f"{parameter.name} at {cl}, expected and observed", "", (panel,))


def _curve(limit: Limit, label: str, colour: str) -> Series:
    delta = limit.profile.delta_chi2
    return Series(
        limit.profile.values / limit.parameter.inside,
        np.where(np.isfinite(delta), delta, np.nan),
        label,
        colour=colour,
        style="dashed" if label == "expected" else "solid",
    )

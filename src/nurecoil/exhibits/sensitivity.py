"""What a limit looks like beside the expected one."""

import numpy as np

from nurecoil.exhibits.labels import axis_label, cl_label, curve, facts, level
from nurecoil.presentation.document import Area, Figure, Panel
from nurecoil.study.bands import Bands
from nurecoil.study.result import Result
from nurecoil.verbs.sensitivity import Sensitivity


def sensitivity_figure(result: Result[Sensitivity]) -> Figure:
    """Return a figure of the expected Δχ², the observed one, the level, and the bands of toys, if there are.

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
    profile, cl = values.expected.profile, cl_label(values.expected.cl)
    panel = Panel(
        x_label=axis_label(parameter),
        y_label=r"$\Delta\chi^2$",
        series=(
            curve(profile, parameter.inside, "expected", "vermillion", "dashed"),
            curve(values.observed.profile, parameter.inside, "observed", "blue"),
        ),
        references=(level(profile, cl),),
        x_log=parameter.log_scan and bool(profile.values[0] > 0),
        y_range=(0.0, 4 * profile.level),
        areas=_areas(values.bands, parameter.inside, 8 * profile.level) if values.bands else (),
    )
    title = f"{parameter.name} at {cl}, expected and observed"
    return Figure("sensitivity", title, "", (panel,), subtitle=facts(result))


def _areas(bands: Bands, unit: float, top: float) -> tuple[Area, ...]:
    """Return what 95 % and 68 % of toys find, the smaller above the larger."""
    x, y = bands.values / unit, np.minimum(bands.delta_chi2, top)

    def area(low: int, high: int, label: str, colour: str) -> Area:
        there, back = np.stack([x, y[low]], axis=1), np.stack([x, y[high]], axis=1)[::-1]
        return Area((np.concatenate([there, back, there[:1]]),), (), label, colour)

    return area(0, 4, "95 % of toys", "orange"), area(1, 3, "68 % of toys", "green")

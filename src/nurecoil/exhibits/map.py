"""What a map of two parameters looks like."""

from nurecoil.exhibits.labels import LEVEL_COLOURS, axis_label, cl_label, facts
from nurecoil.presentation.document import Area, Figure, Panel, Series
from nurecoil.study.result import Result
from nurecoil.verbs.map import Map


def map_figure(result: Result[Map]) -> Figure:
    """Return a figure of a map: the allowed regions, filled, the best fit, and the Standard Model.

    Examples
    --------
    >>> import nurecoil
    >>> csi = nurecoil.compile_experiment(nurecoil.load_experiment("binh2021-csi"))
    >>> model = nurecoil.load_model("331-beta")
    >>> scans = ("beta", -1.7, 1.7), ("m_zprime", 1e5, 1e7)  # in MeV
    >>> figure = map_figure(nurecoil.profile_map(model, [csi], {}, scans, points=21))
    >>> [area.label for area in figure.panels[0].areas]
    ['90 % CL', '68 % CL']
    """
    found = result.values
    units = [parameter.inside for parameter in found.parameters]
    levels = sorted(found.contours.items(), reverse=True)  # the smaller region above the larger
    best = found.best_fit / units
    points = [Series(best[:1], best[1:], "best fit", colour="black", style="points")]
    if found.standard_model is not None:
        standard = found.standard_model / units
        points.append(Series(standard[:1], standard[1:], "Standard Model", colour="black", style="crosses"))
    x, y = ((float(v[0] / unit), float(v[-1] / unit)) for v, unit in zip(found.values, units, strict=True))
    panel = Panel(
        x_label=axis_label(found.parameters[0]),
        y_label=axis_label(found.parameters[1]),
        series=tuple(points),
        areas=tuple(
            Area(
                rings=tuple(ring / units for r in contours.regions for ring in (r.outer, *r.holes)),
                lines=tuple(line / units for line in contours.polygons),
                label=cl_label(cl),
                colour=colour,
            )
            for (cl, contours), colour in zip(levels, LEVEL_COLOURS * len(levels), strict=False)
            if contours.regions
        ),
        x_log=found.log[0],
        y_log=found.log[1],
        x_range=x,
        y_range=y,
    )
    names = " and ".join(parameter.name for parameter in found.parameters)
    return Figure("map", f"{names} at {cl_label(*found.contours)}", "", (panel,), subtitle=facts(result))

"""`nurecoil map`: the allowed values of two parameters together."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from nurecoil.cli import arguments as given
from nurecoil.cli.answering import answer, convergence, plot_of
from nurecoil.cli.arguments import check_points, named_values, parse_levels, parse_profiled
from nurecoil.cli.reading import AskedScan, read_scan
from nurecoil.cli.terminal import at_border, print_pairs, print_table
from nurecoil.errors import NurecoilError

if TYPE_CHECKING:
    from nurecoil.inference.contours import Contours, Region
    from nurecoil.parameters import Parameter
    from nurecoil.study.result import Result
    from nurecoil.verbs.map import Map

FEWEST_POINTS, MOST_POINTS = 21, 1001
MOST_ROWS = 20  # regions of one confidence level that are printed
LEVELS = ["68%", "90%"]
SUMMARY = "Find the allowed values of two parameters together."
HELP = """Find all values of two parameters that experiments allow together, as regions with exact contours.

Nuisance parameters are profiled: fitted anew at each point. Δχ² is counted from the best fit inside the
range; levels are those of two degrees of freedom. A grid of points shows where to look; contours are solved
for.

\b
Examples:
  nurecoil map --model nsi --experiment coherent-csi-2021 --cl 90% \\
    --scan eps_u_ee=-1..1 --scan eps_d_ee=-1..1 --plot map.png
  nurecoil map --model 331-beta --experiment binh2021-csi --experiment binh2021-lar \\
    --scan 'beta=-sqrt(3)..sqrt(3)' --scan m_zprime=0.1..10TeV --cl 68% --cl 95%
  nurecoil map --model standard-model --experiment coherent-csi-2021 \\
    --scan sin2_theta_w=0.1..0.4 --scan neutron_radius_csi=4..6fm --json"""


def map_(
    model: given.ModelName,
    experiment: given.Experiments,
    scan: Annotated[
        list[str],
        typer.Option(metavar="NAME=LOW..HIGH", help="A parameter and its range; give it twice."),
    ],
    settings: given.Setting = None,
    cl: given.ConfidenceLevels = LEVELS,
    spacing: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=log|linear",
            help="How the points of a parameter are spaced.",
            show_default="as the parameter is usually scanned",
        ),
    ] = None,
    fix: given.Fixed = None,
    prior: given.PriorWidths = None,
    constrain: given.Constrained = None,
    profile: given.ProfiledOver = None,
    points: Annotated[
        int, typer.Option(metavar="N", help=f"Points on each axis, {FEWEST_POINTS} to {MOST_POINTS}.")
    ] = 101,
    form_factor: given.FormFactorName = None,
    engine: given.EngineName = "auto",
    as_json: given.AsJson = False,
    plot: given.Plot = None,
) -> None:
    """Print all regions of two parameters that are allowed."""
    from nurecoil.exhibits import map_figure
    from nurecoil.verbs import map as verb

    check_points(points, FEWEST_POINTS, MOST_POINTS)
    if len(scan) != 2:
        raise NurecoilError(f"--scan is given {len(scan)} time{'s' * (len(scan) > 1)}: a map takes two")
    levels = parse_levels(cl)
    asked = read_scan(model, experiment, scan, settings, fix, prior, constrain, form_factor)
    log = _parse_spacing(asked.ranges, spacing or ())
    over = parse_profiled(asked.model, profile or (), asked.scans)
    answer(
        asked,
        lambda: verb.profile_map(
            *asked.question,
            asked.scans,
            cl=levels,
            widths=asked.widths,
            over=over,
            engine=engine,
            points=points,
            log=log,
        ),
        _json,
        _print,
        as_json,
        [plot_of(plot, map_figure)],
    )


def _parse_spacing(
    scans: "Sequence[tuple[Parameter, float, float]]", texts: Sequence[str]
) -> tuple[bool, bool]:
    """Return for each parameter whether its points are spaced in the logarithm."""
    from nurecoil.parameters import find

    log = {parameter.name: parameter.log_scan and low > 0 for parameter, low, _ in scans}
    for name, word in named_values("--spacing", "NAME=log|linear", texts):
        find([parameter for parameter, *_ in scans], name, "scanned parameter")
        if word not in ("log", "linear"):
            raise NurecoilError(f"--spacing {name}={word} is not allowed: it must be log or linear")
        log[name] = word == "log"
    first, second = (log[parameter.name] for parameter, *_ in scans)
    return first, second


def _json(asked: AskedScan, result: "Result[Map]") -> dict[str, object]:
    found = result.values
    units = [parameter.inside for parameter in found.parameters]
    names = [parameter.name for parameter in found.parameters]
    best = dict(zip(names, found.best_fit.tolist(), strict=True))
    return {
        "scanned": [
            {"name": p.name, "unit": p.unit, "spacing": "log" if log else "linear"}
            for p, log in zip(found.parameters, found.log, strict=True)
        ],
        "best_fit": at_border(found.parameters, best),
        "chi2": found.minimum,
        "levels": [
            {
                "cl": cl,
                "level": contours.level,
                "settled": contours.settled,
                "not_converged": contours.unconverged,
                "regions": [
                    {
                        "bounds": dict(zip(names, (r.bounds.T / units).T, strict=True)),
                        "open": dict(zip(names, _cut(found, r), strict=True)),
                        "outer": r.outer / units,
                        "holes": [hole / units for hole in r.holes],
                    }
                    for r in contours.regions
                ],
            }
            for cl, contours in found.contours.items()
        ],
        "grid": {
            "values": {n: v / u for n, v, u in zip(names, found.values, units, strict=True)},
            "delta_chi2": found.delta_chi2,
        },
    }


def _cut(found: "Map", region: "Region") -> list[list[bool]]:
    """Return for each parameter whether the range cuts the region at its low and at its high end."""
    return [
        [bool(low == values[0]), bool(high == values[-1])]
        for (low, high), values in zip(region.bounds, found.values, strict=True)
    ]


def _print(asked: AskedScan, result: "Result[Map]") -> None:
    found = result.values
    names = [parameter.name for parameter in found.parameters]
    best = [f"{p.name} = {p.format(x, 4)}" for p, x in zip(found.parameters, found.best_fit, strict=True)]
    rows = [
        ("best fit", f"{', '.join(best)}, χ² = {found.minimum:.2f}"),
        convergence(result),
    ]
    print_pairs(asked.title(" and ".join(names)), rows)
    print()
    regions = [row for cl, contours in found.contours.items() for row in _region_rows(found, cl, contours)]
    print_table("Allowed regions and their extents", ["CL", "Δχ² up to", *names, ""], regions, whole=(2, 3))
    if any(
        end for c in found.contours.values() for r in c.regions for ends in _cut(found, r) for end in ends
    ):
        print("* the range ends there; the region does not")


def _region_rows(found: "Map", cl: float, contours: "Contours") -> Iterator[list[str]]:
    shown = contours.regions[:MOST_ROWS]
    for number, region in enumerate(shown):
        level = [f"{100 * cl:g} %", f"{contours.level:.4g}"] if number == 0 else ["", ""]
        extents = [
            f"{p.format(low, 4)}{'*' * at_low} to {p.format(high, 4)}{'*' * at_high}"
            for p, (low, high), (at_low, at_high) in zip(
                found.parameters, region.bounds, _cut(found, region), strict=True
            )
        ]
        holes = len(region.holes)
        yield [*level, *extents, f"{holes} hole{'s' * (holes > 1)}" if holes else ""]
    if len(shown) < len(contours.regions):
        yield ["", "", f"and {len(contours.regions) - len(shown)} smaller ones", "", ""]

"""`nurecoil map`: the allowed values of two parameters together."""

import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nurecoil.cli.arguments import (
    AsJson,
    EngineName,
    Experiments,
    FormFactorName,
    ModelName,
    PriorWidths,
    ProfiledOver,
    Setting,
    compile_experiments,
    named_values,
    parse_levels,
    parse_priors,
    parse_profiled,
    parse_scan,
    parse_settings,
    quiet,
    require_finite_counts,
    require_signal,
)
from nurecoil.cli.terminal import at_border, print_basis, print_json, print_pairs, print_table
from nurecoil.errors import NurecoilError
from nurecoil.staging import staged_file

if TYPE_CHECKING:
    from nurecoil.analysis import Map, Result
    from nurecoil.inference.contours import Contours, Region
    from nurecoil.models import Model
    from nurecoil.parameters import Parameter

FEWEST_POINTS, MOST_POINTS = 21, 1001
MOST_ROWS = 20  # regions of one confidence level that are printed
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
    model: ModelName,
    experiment: Experiments,
    scan: Annotated[
        list[str],
        typer.Option(metavar="NAME=LOW..HIGH", help="A parameter and its range; give it twice."),
    ],
    settings: Setting = None,
    cl: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CL",
            help="Confidence level, between 0 and 1; repeat for more.",
            show_default="68% and 90%",
        ),
    ] = None,
    spacing: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=log|linear",
            help="How the points of a parameter are spaced.",
            show_default="as the parameter is usually scanned",
        ),
    ] = None,
    prior: PriorWidths = None,
    profile: ProfiledOver = None,
    points: Annotated[
        int, typer.Option(metavar="N", help=f"Points on each axis, {FEWEST_POINTS} to {MOST_POINTS}.")
    ] = 101,
    form_factor: FormFactorName = None,
    engine: EngineName = "numpy",
    as_json: AsJson = False,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Draw the regions to a .png, .svg or .pdf file.", show_default="no plot"
        ),
    ] = None,
) -> None:
    """Print all regions of two parameters that are allowed."""
    from nurecoil import analysis, figures
    from nurecoil.exhibits import map_figure
    from nurecoil.models import load_model

    if plot:
        figures.format_of(plot)  # refuses before anything is computed
    if not FEWEST_POINTS <= points <= MOST_POINTS:
        raise NurecoilError(
            f"points = {points} is not allowed: it must be between {FEWEST_POINTS} and {MOST_POINTS}"
        )
    levels = parse_levels(cl or ("68%", "90%"))
    chosen = load_model(model)
    values = parse_settings(chosen, settings or ())
    compiled = compile_experiments(experiment, form_factor)
    pulls = [pull for each in compiled for pull in each.experiment.statistics.pulls]
    scans = _parse_scans((*chosen.parameters, *pulls), scan)
    for parameter, *_ in scans:
        if parameter.name in values:
            raise NurecoilError(f"{parameter.name} is both set and scanned: do one or the other")
    log = _parse_spacing(scans, spacing or ())
    widths = parse_priors(prior or ())
    over = parse_profiled(chosen, profile or ())
    with staged_file(plot) if plot else nullcontext() as target:
        require_signal(compiled)
        for corner in product(*((low, high) for _, low, high in scans)):
            point = {p.name: x for (p, *_), x in zip(scans, corner, strict=True) if p in chosen.parameters}
            require_finite_counts(chosen, compiled, {**values, **point})
        with quiet():
            result = analysis.profile_map(
                chosen,
                compiled,
                values,
                [(parameter.name, low, high) for parameter, low, high in scans],
                cl=levels,
                widths=widths,
                over=over,
                engine=engine,
                points=points,
                log=log,
            )
        if target:
            figures.save_as(map_figure(result), target)
    if as_json:
        print_json(_map_json(chosen, experiment, result))
    else:
        _print_map(chosen, experiment, result)
    if plot:
        print(f"Plot: {plot}", file=sys.stderr if as_json else sys.stdout)


def _parse_scans(
    parameters: "Sequence[Parameter]", texts: Sequence[str]
) -> "list[tuple[Parameter, float, float]]":
    if len(texts) != 2:
        raise NurecoilError(f"--scan is given {len(texts)} time{'s' * (len(texts) > 1)}: a map takes two")
    named_values("--scan", "NAME=LOW..HIGH", texts)
    return [parse_scan(parameters, text) for text in texts]


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


def _map_json(model: "Model", experiments: Sequence[str], result: "Result[Map]") -> dict[str, object]:
    found = result.values
    units = [parameter.inside for parameter in found.parameters]
    names = [parameter.name for parameter in found.parameters]
    return {
        "model": model.name,
        "experiments": list(experiments),
        "scanned": [
            {"name": p.name, "unit": p.unit, "spacing": "log" if log else "linear"}
            for p, log in zip(found.parameters, found.log, strict=True)
        ],
        "best_fit": dict(zip(names, (found.best_fit / units).tolist(), strict=True)),
        "minimum": found.minimum,
        "levels": [
            {
                "cl": cl,
                "level": contours.level,
                "settled": contours.settled,
                "unconverged": contours.unconverged,
                "regions": [
                    {
                        "bounds": dict(zip(names, (r.bounds.T / units).T.tolist(), strict=True)),
                        "open": dict(zip(names, _cut(found, r), strict=True)),
                        "outer": (r.outer / units).tolist(),
                        "holes": [(hole / units).tolist() for hole in r.holes],
                    }
                    for r in contours.regions
                ],
            }
            for cl, contours in found.contours.items()
        ],
        "converged": result.converged,
        "parameters": at_border(model.parameters, result.fixed),
        "notes": list(result.notes),
        "conventions": dict(result.conventions),
        "provenance": dict(result.provenance),
        "grid": {
            "values": {n: (v / u).tolist() for n, v, u in zip(names, found.values, units, strict=True)},
            "delta_chi2": [
                [x if math.isfinite(x) else None for x in row] for row in found.delta_chi2.tolist()
            ],
        },
    }


def _cut(found: "Map", region: "Region") -> list[list[bool]]:
    """Return for each parameter whether the range cuts the region at its low and at its high end."""
    return [
        [bool(low == values[0]), bool(high == values[-1])]
        for (low, high), values in zip(region.bounds, found.values, strict=True)
    ]


def _print_map(model: "Model", experiments: Sequence[str], result: "Result[Map]") -> None:
    found = result.values
    names = [parameter.name for parameter in found.parameters]
    best = [f"{p.name} = {p.format(x, 4)}" for p, x in zip(found.parameters, found.best_fit, strict=True)]
    rows = [
        ("best fit", f"{', '.join(best)}, χ² = {found.minimum:.2f}"),
        ("converged", "yes" if result.converged else "NO: see the notes"),
    ]
    print_pairs(f"{' and '.join(names)}: {model.name}, {' + '.join(experiments)}", rows)
    print()
    regions = [row for cl, contours in found.contours.items() for row in _region_rows(found, cl, contours)]
    print_table("Allowed regions and their extents", ["CL", "Δχ² up to", *names, ""], regions, whole=(2, 3))
    if any(
        end for c in found.contours.values() for r in c.regions for ends in _cut(found, r) for end in ends
    ):
        print("* the range ends there; the region does not")
    print_basis(model.parameters, result.fixed, result.notes, result.conventions)


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

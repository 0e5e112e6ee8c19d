"""`nurecoil sensitivity`: the limit that is expected, beside the one that is observed."""

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from nurecoil.cli.arguments import (
    AsJson,
    ConfidenceLevel,
    EngineName,
    Experiments,
    Fixed,
    FormFactorName,
    ModelName,
    Plot,
    PriorWidths,
    Scanned,
    Seed,
    Setting,
    ToysToThrow,
    Truth,
    check_toys,
    quiet,
)
from nurecoil.cli.limit import interval_text, level_json
from nurecoil.cli.reading import AskedScan, parse_points, read_scan
from nurecoil.cli.terminal import at_border, print_basis, print_json, print_pairs
from nurecoil.staging import staged_file

if TYPE_CHECKING:
    from nurecoil.analysis import Bands, Limit, Result, Sensitivity
    from nurecoil.parameters import Parameter

SUMMARY = "Find the limit that is expected, and the observed one."
HELP = """Find the limit on one parameter that experiments are expected to set: all allowed intervals if every
count were exactly as the Standard Model, or another point (--truth), predicts. The observed ones stand beside
it. With --toys, the median of simulated experiments, and what 68 % and 95 % of them find.

\b
Examples:
  nurecoil sensitivity --model 331-beta --experiment binh2021-csi \\
    --set 'beta=-sqrt(3)' --scan m_zprime=0.1TeV..100TeV
  nurecoil sensitivity --model scaled-standard-model --experiment binh2021-lar \\
    --scan signal_strength=0..3 --truth signal_strength=1.2 --plot expected.png"""


def sensitivity(
    model: ModelName,
    experiment: Experiments,
    scan: Scanned,
    settings: Setting = None,
    truth: Truth = None,
    cl: ConfidenceLevel = "90%",
    fix: Fixed = None,
    prior: PriorWidths = None,
    points: Annotated[int, typer.Option(metavar="N", help="Points of the curves, at least 101.")] = 2001,
    toys: ToysToThrow = 0,
    seed: Seed = 1,
    form_factor: FormFactorName = None,
    engine: EngineName = "numpy",
    as_json: AsJson = False,
    plot: Plot = None,
) -> None:
    """Print the expected and the observed intervals of one parameter."""
    from nurecoil import analysis, figures
    from nurecoil.exhibits import sensitivity_figure

    if plot:
        figures.format_of(plot)  # refuses before anything is computed
    check_toys(toys, seed)
    asked = read_scan(model, experiment, scan, settings, cl, fix, prior, form_factor, points)
    place = parse_points("--truth", "NAME=VALUE", asked.parameters, truth or ())
    with staged_file(plot) if plot else nullcontext() as target:
        with quiet():
            result = analysis.sensitivity(
                asked.model,
                asked.experiments,
                asked.values,
                asked.scan,
                truth=place or None,
                cl=asked.cl,
                widths=asked.widths,
                engine=engine,
                points=points,
                toys=toys,
                seed=seed,
            )
        if target:
            figures.save_as(sensitivity_figure(result), target)
    if as_json:
        print_json(_json(asked, result))
    else:
        _print(asked, result)
    if plot:
        print(f"Plot: {plot}", file=sys.stderr if as_json else sys.stdout)


def _json(asked: AskedScan, result: "Result[Sensitivity]") -> dict[str, object]:
    parameter = result.values.expected.parameter
    truth = result.values.truth

    def side(limit: "Limit") -> dict[str, object]:
        best = {"best_fit": limit.profile.best_fit / parameter.inside, "minimum": limit.profile.minimum}
        return {**best, **level_json(limit.cl, limit.profile, parameter.inside)}

    return {
        "model": asked.model.name,
        "experiments": asked.names,
        "parameter": parameter.name,
        "unit": parameter.unit,
        "truth": "standard-model" if truth is None else at_border(asked.parameters, truth),
        "expected": side(result.values.expected),
        "observed": side(result.values.observed),
        "bands": _bands_json(result.values.bands, parameter.inside),
        "converged": result.converged,
        "parameters": at_border(asked.model.parameters, result.fixed),
        "notes": list(result.notes),
        "conventions": dict(result.conventions),
        "provenance": dict(result.provenance),
    }


def _bands_json(bands: "Bands | None", unit: float) -> dict[str, object] | None:
    """Return -2σ, -1σ, median, +1σ, +2σ of what is allowed, and of the curve."""
    if bands is None:
        return None
    return {
        "lowest_allowed": (bands.low / unit).tolist(),
        "highest_allowed": (bands.high / unit).tolist(),
        "curve": {"values": (bands.values / unit).tolist(), "delta_chi2": bands.delta_chi2.tolist()},
        "toys": bands.toys,
        "converged": bands.converged,
        "seed": bands.seed,
    }


def _print(asked: AskedScan, result: "Result[Sensitivity]") -> None:
    values = result.values
    parameter, level = values.expected.parameter, values.expected.profile.level
    rows = []
    for name, limit in (("expected", values.expected), ("observed", values.observed)):
        texts = [interval_text(parameter, interval) for interval in limit.profile.intervals]
        rows += [(name if number == 0 else "", text) for number, text in enumerate(texts)]
    rows += _bands_rows(values.bands, parameter)
    shown = at_border(asked.parameters, values.truth or {})
    place = ", ".join(f"{name} = {it['value']:g} {it['unit']}".rstrip() for name, it in shown.items())
    rows.append(("data expected at", place or "the Standard Model"))
    rows.append(("converged", "yes" if result.converged else "NO: the ends of the intervals are not exact"))
    title = f"{parameter.name} at {100 * values.expected.cl:g} % CL (Δχ² ≤ {level:.4g}): {asked.model.name}, "
    print_pairs(title + " + ".join(asked.names), rows)
    print_basis(asked.model.parameters, result.fixed, result.notes, result.conventions)


def _bands_rows(bands: "Bands | None", parameter: "Parameter") -> list[tuple[str, str]]:
    """Return the median, 1σ and 2σ bands of the ends that do not lie at the edges of the scan."""
    if bands is None:
        return []
    rows = []
    edges = float(bands.values[0]), float(bands.values[-1])
    for name, ends in (("lowest allowed", bands.low), ("highest allowed", bands.high)):
        if not all(end in edges for end in ends.tolist()):
            texts = [parameter.format(end, 3) for end in ends.tolist()]
            one, two = f"1σ {texts[1]} to {texts[3]}", f"2σ {texts[0]} to {texts[4]}"
            rows.append((name, f"{texts[2]}, {one}, {two} ({bands.toys} toys)"))
    return rows

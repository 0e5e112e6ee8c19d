"""`nurecoil sensitivity`: the limit that is expected, beside the one that is observed."""

from typing import TYPE_CHECKING

from nurecoil.cli import arguments as given
from nurecoil.cli.answering import answer, convergence, plot_of
from nurecoil.cli.arguments import check_toys, parse_level
from nurecoil.cli.intervals import check_curve, interval_rows, profile_json
from nurecoil.cli.reading import AskedScan, parse_points, read_scan
from nurecoil.cli.terminal import at_border, print_pairs

if TYPE_CHECKING:
    from nurecoil.parameters import Parameter
    from nurecoil.study.bands import Bands
    from nurecoil.study.result import Result
    from nurecoil.verbs.sensitivity import Sensitivity

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
    model: given.ModelName,
    experiment: given.Experiments,
    scan: given.Scanned,
    settings: given.Setting = None,
    truth: given.Truth = None,
    cl: given.ConfidenceLevel = "90%",
    fix: given.Fixed = None,
    prior: given.PriorWidths = None,
    constrain: given.Constrained = None,
    points: given.CurvePoints = 2001,
    toys: given.ToysToThrow = 0,
    seed: given.Seed = 1,
    form_factor: given.FormFactorName = None,
    engine: given.EngineName = "auto",
    as_json: given.AsJson = False,
    plot: given.Plot = None,
) -> None:
    """Print the expected and the observed intervals of one parameter."""
    from nurecoil.exhibits import sensitivity_figure
    from nurecoil.verbs import sensitivity as verb

    check_toys(toys, seed)
    check_curve(points)
    asked = read_scan(model, experiment, [scan], settings, fix, prior, constrain, form_factor)
    level = parse_level(cl)
    place = parse_points("--truth", "NAME=VALUE", asked.parameters, truth or ())
    answer(
        asked,
        lambda: verb.sensitivity(
            *asked.question,
            asked.scans[0],
            truth=place or None,
            cl=level,
            widths=asked.widths,
            engine=engine,
            points=points,
            toys=toys,
            seed=seed,
        ),
        _json,
        _print,
        as_json,
        [plot_of(plot, sensitivity_figure)],
    )


def _json(asked: AskedScan, result: "Result[Sensitivity]") -> dict[str, object]:
    values, parameter = result.values, result.values.expected.parameter
    return {
        "parameter": parameter.name,
        "unit": parameter.unit,
        "truth": values.truth and at_border(asked.parameters, values.truth),
        "expected": profile_json(parameter, values.expected.cl, values.expected.profile),
        "observed": profile_json(parameter, values.observed.cl, values.observed.profile),
        "bands": values.bands and _bands_json(values.bands, parameter.inside),
    }


def _bands_json(bands: "Bands", unit: float) -> dict[str, object]:
    return {
        "lowest_allowed": bands.low / unit,
        "highest_allowed": bands.high / unit,
        "curve": {"values": bands.values / unit, "delta_chi2": bands.delta_chi2},
        "toys": bands.toys,
        "not_converged": bands.toys - bands.converged,
        "seed": bands.seed,
    }


def _print(asked: AskedScan, result: "Result[Sensitivity]") -> None:
    values = result.values
    parameter, level = values.expected.parameter, values.expected.profile.level
    rows = []
    for name, limit in (("expected", values.expected), ("observed", values.observed)):
        rows += interval_rows(name, parameter, limit.profile.intervals)
    rows += _bands_rows(values.bands, parameter)
    shown = at_border(asked.parameters, values.truth or {})
    place = ", ".join(f"{name} = {it['value']:g} {it['unit']}".rstrip() for name, it in shown.items())
    rows.append(("data expected at", place or "the Standard Model"))
    rows.append(convergence(result, "the ends of the intervals are not exact"))
    what = f"{parameter.name} at {100 * values.expected.cl:g} % CL (Δχ² ≤ {level:.4g})"
    print_pairs(asked.title(what), rows)


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

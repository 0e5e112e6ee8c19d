"""`nurecoil fit`: the best fit of parameters."""

import io
import math
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Annotated

import typer

from nurecoil.cli.arguments import (
    AsJson,
    FormFactorName,
    ModelName,
    Setting,
    compile_experiments,
    named_values,
    parse_priors,
    parse_settings,
    quiet,
    require_finite_counts,
    require_signal,
)
from nurecoil.cli.terminal import at_border, print_basis, print_json, print_pairs, print_table
from nurecoil.errors import NurecoilError

if TYPE_CHECKING:
    from nurecoil.analysis import BestFit, Result
    from nurecoil.models import Model
    from nurecoil.parameters import Parameter

MOST_STARTS = 1000
SUMMARY = "Fit parameters to experiments."
HELP = """Fit parameters to experiments: best fit with errors, χ², pulls, and counts of every component.

A free parameter is one of the model, or a nuisance parameter of an experiment, which is then free of its
prior. All other nuisance parameters are fitted along with their priors.

\b
Examples:
  nurecoil fit --model scaled-standard-model --experiment coherent-csi-2021 \\
    --set electroweak=radiative --free signal_strength=1 --fix sns_flux
  nurecoil fit --model standard-model --experiment coherent-csi-2021 \\
    --experiment coherent-lar-2020 --free sin2_theta_w=0.24 --json
  nurecoil fit --model standard-model --experiment coherent-csi-2021 \\
    --free neutron_radius_csi=5fm
  nurecoil fit --model 331-beta --experiment binh2021-csi --set beta=0 \\
    --free m_zprime=1TeV --starts 10"""


def fit(
    model: ModelName,
    experiment: Annotated[
        list[str],
        typer.Option(metavar="NAME", help="A name or a card, FILE.toml; repeat to combine experiments."),
    ],
    free: Annotated[
        list[str],
        typer.Option(metavar="NAME=START", help="A parameter to fit, and where to start; repeat for more."),
    ],
    settings: Setting = None,
    starts: Annotated[
        int, typer.Option(metavar="N", help="Starts in all; the others are spread around the first.")
    ] = 5,
    fix: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PULL",
            help="Hold a nuisance parameter at its central value; repeat for more.",
            show_default=False,
        ),
    ] = None,
    prior: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PULL=WIDTH",
            help="Prior width of a nuisance parameter.",
            show_default="the experiment's own",
        ),
    ] = None,
    form_factor: FormFactorName = None,
    as_json: AsJson = False,
) -> None:
    """Print the best fit of parameters."""
    from nurecoil import analysis
    from nurecoil.models import load_model

    if not 1 <= starts <= MOST_STARTS:
        raise NurecoilError(f"starts = {starts} is not allowed: it must be between 1 and {MOST_STARTS}")
    chosen = load_model(model)
    values = parse_settings(chosen, settings or ())
    widths = _widths(fix or (), prior or ())
    experiments = compile_experiments(experiment, form_factor)
    require_signal(experiments)
    pulls = analysis.joint_likelihood(experiments, values, widths).pulls
    first = _parse_free((*chosen.parameters, *pulls), free)
    for name in first.keys() & widths.keys():
        raise NurecoilError(f"{name} is free, and so has no prior: leave out its --fix or --prior")
    parameters = [p for p in (*chosen.parameters, *pulls) if p.name in first]
    require_finite_counts(
        chosen,
        experiments,
        {**values, **{p.name: first[p.name] for p in chosen.parameters if p.name in first}},
    )
    with quiet(), redirect_stdout(io.StringIO()):  # Minuit prints there; its result says what happened
        more = _spread(parameters, first, starts - 1)
        result = analysis.fit(chosen, experiments, values, first, starts=more, widths=widths)
    names = [compiled.experiment.name for compiled in experiments]
    if as_json:
        print_json(_fit_json(chosen, names, result, pulls, widths))
    else:
        _print_fit(chosen, names, result, pulls, widths)


def _widths(fixed: Sequence[str], priors: Sequence[str]) -> dict[str, float]:
    """Return the prior widths that --fix and --prior give."""
    widths = parse_priors(priors)
    for name in fixed:
        if "=" in name:
            raise NurecoilError(
                f"--fix {name}: a nuisance parameter is held at its central value, so give its name"
            )
        if name in widths:
            raise NurecoilError(f"{name} has --fix and --prior: give one of them")
        widths[name] = 0.0
    return widths


def _parse_free(parameters: "Sequence[Parameter]", texts: Sequence[str]) -> dict[str, float]:
    """Return the start (inside units) of each free parameter."""
    from nurecoil.parameters import find

    found: dict[str, float] = {}
    for name, start in named_values("--free", "NAME=START", texts):
        parameter = find(parameters, name)
        if parameter.choices:
            raise NurecoilError(f"{name} cannot be fitted: it is a choice, {parameter.allowed()}")
        found[name] = float(parameter.parse(start))
    return found


def _spread(
    parameters: "Sequence[Parameter]", first: Mapping[str, float], count: int
) -> list[dict[str, float]]:
    """Return further starts, the same ones each time."""
    import numpy as np

    random = np.random.default_rng(1)
    by_name = {p.name: p for p in parameters}
    return [
        {
            name: _another_start(by_name[name], start, float(random.uniform(-1, 1)))
            for name, start in first.items()
        }
        for _ in range(count)
    ]


def _another_start(parameter: "Parameter", start: float, u: float) -> float:
    """Return a start away from the first by u, from -1 to 1.

    A factor of up to 10 where a parameter spans decades, two prior widths where it has one, else as much as
    the start itself, inside the bounds.
    """
    if parameter.log_scan and start > 0:
        moved = start * 10**u
    else:
        moved = start + u * (2 * (parameter.prior_width or 0.0) or abs(start) or 1.0)
    return min(max(moved, parameter.low), parameter.high)


def _fit_json(
    model: "Model",
    experiments: Sequence[str],
    result: "Result[BestFit]",
    pulls: "Sequence[Parameter]",
    widths: Mapping[str, float],
) -> dict[str, object]:
    return {
        "model": model.name,
        "experiments": list(experiments),
        "best_fit": {
            p.name: {
                "value": result.values.fit.values[p.name] / p.inside,
                "error": _finite(result.values.fit.errors[p.name] / p.inside),
                "unit": p.unit,
            }
            for p in result.values.parameters
        },
        "chi2": result.values.fit.minimum,
        "bins": sum(counts.size for counts in result.values.observed.values()),
        "converged": result.converged,
        "message": result.values.fit.message,
        "starts": result.values.fit.starts,
        "pulls": {
            p.name: {
                "value": result.values.pulls[p.name],
                "unit": p.unit,
                "prior_width": _finite(_width(p, widths)),
                "pull": _in_widths(p, result.values.pulls[p.name], widths, result),
            }
            for p in pulls
        },
        "counts": {
            name: {
                "components": {key: float(counts.sum()) for key, counts in components.items()},
                "expected": float(sum(counts.sum() for counts in components.values())),
                "observed": float(result.values.observed[name].sum()),
            }
            for name, components in result.values.components.items()
        },
        "parameters": at_border(model.parameters, result.fixed),
        "notes": list(result.notes),
        "conventions": dict(result.conventions),
    }


def _print_fit(
    model: "Model",
    experiments: Sequence[str],
    result: "Result[BestFit]",
    pulls: "Sequence[Parameter]",
    widths: Mapping[str, float],
) -> None:
    found, bins = result.values.fit, sum(counts.size for counts in result.values.observed.values())
    rows = [
        (p.name, f"{p.format(found.values[p.name], 5)} ± {_error_text(p, found.errors[p.name])}")
        for p in result.values.parameters
    ]
    rows.append(("χ²", f"{found.minimum:.2f} for {bins} bin{'s' if bins > 1 else ''}"))
    rows.append(("converged", "yes" if result.converged else f"NO: {'; '.join(result.notes)}"))
    if found.message != "converged" and result.converged:
        rows.append(("", found.message.removeprefix("converged; ")))
    print_pairs(f"Best fit, {found.starts} starts: {model.name}, {' + '.join(experiments)}", rows)
    print()
    _print_counts(result)
    _print_pulls(result, pulls, widths)
    print_basis(model.parameters, result.fixed, result.notes, result.conventions)


def _print_counts(result: "Result[BestFit]") -> None:
    for name, components in result.values.components.items():
        rows = [[key, f"{counts.sum():.2f}"] for key, counts in components.items()]
        rows.append(["all", f"{sum(counts.sum() for counts in components.values()):.2f}"])
        rows.append(["observed", f"{result.values.observed[name].sum():.2f}"])
        print_table(f"Counts: {name}", ["component", "counts"], rows, right=(1,))


def _print_pulls(
    result: "Result[BestFit]", pulls: "Sequence[Parameter]", widths: Mapping[str, float]
) -> None:
    rows = []
    for p in pulls:
        value = result.values.pulls[p.name]
        in_widths = _in_widths(p, value, widths, result)
        width = "free" if p.name in result.values.fit.values else f"{_width(p, widths):.4g}"
        rows.append([p.name, p.format(value, 4), width, "–" if in_widths is None else f"{in_widths:+.2f}"])
    print_table("Nuisance parameters", ["name", "value", "prior width", "pull"], rows, right=(1, 2, 3))


def _width(pull: "Parameter", widths: Mapping[str, float]) -> float:
    return widths.get(pull.name, pull.prior_width or 0.0)


def _in_widths(
    pull: "Parameter", value: float, widths: Mapping[str, float], result: "Result[BestFit]"
) -> float | None:
    """Return by how many widths of its prior a pull is off; None where it has no prior."""
    width = _width(pull, widths)
    if pull.name in result.values.fit.values or not 0 < width < math.inf:
        return None
    return (value - float(pull.default or 0.0)) / width


def _error_text(parameter: "Parameter", error: float) -> str:
    return parameter.format(error, 2) if math.isfinite(error) else "unknown"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None

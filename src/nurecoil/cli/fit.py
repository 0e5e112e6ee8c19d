"""`nurecoil fit`: the best fit of parameters."""

import math
from typing import TYPE_CHECKING, Annotated

import typer

from nurecoil.cli import arguments as given
from nurecoil.cli.answering import answer, convergence
from nurecoil.cli.reading import AskedFit, read_fit
from nurecoil.cli.terminal import at_border, print_pairs, print_table

if TYPE_CHECKING:
    from nurecoil.parameters import Parameter
    from nurecoil.study.result import Result
    from nurecoil.verbs.fit import BestFit

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
  nurecoil fit --model 331-beta --experiment binh2021-csi --set variant=numbers \\
    --set 'beta=-sqrt(3)' --free m_zprime=1TeV --starts 10"""


def fit(
    model: given.ModelName,
    experiment: given.Experiments,
    free: given.Free,
    settings: given.Setting = None,
    starts: given.Starts = 5,
    minos: Annotated[
        bool, typer.Option("--minos/--no-minos", help="Find asymmetric errors, below and above.")
    ] = True,
    fix: given.Fixed = None,
    prior: given.PriorWidths = None,
    constrain: given.Constrained = None,
    form_factor: given.FormFactorName = None,
    engine: given.EngineName = "auto",
    as_json: given.AsJson = False,
) -> None:
    """Print the best fit of parameters."""
    from nurecoil.verbs import fit as verb

    asked = read_fit(model, experiment, free, settings, starts, fix, prior, constrain, form_factor)
    answer(
        asked,
        lambda: verb.fit(
            *asked.question,
            asked.start,
            starts=asked.starts,
            widths=asked.widths,
            engine=engine,
            minos=minos,
        ),
        _json,
        _print,
        as_json,
    )


def _json(asked: AskedFit, result: "Result[BestFit]") -> dict[str, object]:
    values, found = result.values, result.values.fit
    return {
        "best_fit": {
            p.name: {
                "value": found.values[p.name] / p.inside,
                "unit": p.unit,
                "error": found.errors[p.name] / p.inside,
                **_minos_json(p, found.minos.get(p.name)),
            }
            for p in values.parameters
        },
        "chi2": found.minimum,
        "bins": sum(counts.size for counts in values.observed.values()),
        "message": found.message,
        "other_minima": [
            {"at": at_border(values.parameters, point), "chi2": chi2} for point, chi2 in found.others
        ],
        "not_fixed": [{"parameter": name, "share": share} for name, share in found.flat.items()],
        "starts": found.starts,
        "pulls": {
            p.name: {
                "value": values.pulls[p.name],
                "unit": p.unit,
                "prior_width": _width(p, asked),
                "pull": _in_widths(p, asked, result),
            }
            for p in asked.pulls
        },
        "counts": {
            name: {
                "components": {key: counts.sum() for key, counts in components.items()},
                "expected": sum(counts.sum() for counts in components.values()),
                "observed": values.observed[name].sum(),
            }
            for name, components in values.components.items()
        },
    }


def _minos_json(parameter: "Parameter", errors: tuple[float, float] | None) -> dict[str, object]:
    """Return the asymmetric errors at the border unit, if they were asked for."""
    if errors is None:
        return {}
    return {"below": errors[0] / parameter.inside, "above": errors[1] / parameter.inside}


def _print(asked: AskedFit, result: "Result[BestFit]") -> None:
    found, bins = result.values.fit, sum(counts.size for counts in result.values.observed.values())
    rows = [(p.name, _value_text(p, result)) for p in result.values.parameters]
    rows.append(("χ²", f"{found.minimum:.2f} for {bins} bin{'s' if bins > 1 else ''}"))
    for point, chi2 in found.others:
        where = ", ".join(f"{p.name} = {p.format(point[p.name], 4)}" for p in result.values.parameters)
        rows.append(("also a minimum", f"{where}: χ² = {chi2:.2f}"))
    reasons = (note for note in result.notes if note.startswith(("there is no", "the fit did")))
    rows.append(convergence(result, next(reasons, found.message)))
    if found.message != "converged" and result.converged:
        rows.append(("", found.message.removeprefix("converged; ")))
    print_pairs(asked.title(f"Best fit, {found.starts} starts"), rows)
    print()
    _print_counts(result)
    _print_pulls(asked, result)


def _value_text(parameter: "Parameter", result: "Result[BestFit]") -> str:
    """Return the best fit with its asymmetric errors, or with the symmetric one."""
    found = result.values.fit
    value, error = parameter.format(found.values[parameter.name], 5), found.errors[parameter.name]
    below, above = found.minos.get(parameter.name, (math.nan, math.nan))
    if math.isfinite(below) and math.isfinite(above):
        return f"{value} -{parameter.format(below, 2)} +{parameter.format(above, 2)}"
    symmetric = f"{value} ± {parameter.format(error, 2) if math.isfinite(error) else 'unknown'}"
    if math.isfinite(below):
        return f"{symmetric} (-{parameter.format(below, 2)}, no error above)"
    return (
        f"{symmetric} (+{parameter.format(above, 2)}, no error below)" if math.isfinite(above) else symmetric
    )


def _print_counts(result: "Result[BestFit]") -> None:
    for name, components in result.values.components.items():
        rows = [[key, f"{counts.sum():.2f}"] for key, counts in components.items()]
        rows.append(["all", f"{sum(counts.sum() for counts in components.values()):.2f}"])
        rows.append(["observed", f"{result.values.observed[name].sum():.2f}"])
        print_table(f"Counts: {name}", ["component", "counts"], rows, right=(1,))


def _print_pulls(asked: AskedFit, result: "Result[BestFit]") -> None:
    rows = []
    for p in asked.pulls:
        in_widths = _in_widths(p, asked, result)
        width = "free" if p.name in result.values.fit.values else f"{_width(p, asked):.4g}"
        value = p.format(result.values.pulls[p.name], 4)
        rows.append([p.name, value, width, "–" if in_widths is None else f"{in_widths:+.2f}"])
    print_table("Nuisance parameters", ["name", "value", "prior width", "pull"], rows, right=(1, 2, 3))


def _width(pull: "Parameter", asked: AskedFit) -> float:
    width = asked.widths.get(pull.name, pull.prior_width or 0.0)
    return width[1] if isinstance(width, tuple) else width


def _in_widths(pull: "Parameter", asked: AskedFit, result: "Result[BestFit]") -> float | None:
    """Return by how many widths of its prior a pull is off; None where it has no prior."""
    width = _width(pull, asked)
    if pull.name in result.values.fit.values or not 0 < width < math.inf:
        return None
    return (result.values.pulls[pull.name] - float(pull.default or 0.0)) / width

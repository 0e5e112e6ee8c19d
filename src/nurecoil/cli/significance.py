"""`nurecoil significance`: by how many standard deviations a null hypothesis is rejected."""

from typing import TYPE_CHECKING, Annotated

import typer

from nurecoil.cli.arguments import (
    AsJson,
    EngineName,
    Experiments,
    Fixed,
    FormFactorName,
    Free,
    ModelName,
    PriorWidths,
    Seed,
    Setting,
    Starts,
    ToysToThrow,
    check_toys,
    quiet,
)
from nurecoil.cli.reading import AskedFit, parse_points, read_fit
from nurecoil.cli.terminal import at_border, print_basis, print_json, print_pairs

if TYPE_CHECKING:
    from nurecoil.analysis import Rejection, Result, Significance

SUMMARY = "Find how significantly data reject a null hypothesis."
HELP = """Find by how many standard deviations data reject a null hypothesis, from Δχ² to the best fit: what
was observed, and what was expected (--truth). With --toys, p is also the fraction of simulated experiments
that lie as far from the null hypothesis. Free parameters that --null does not name are fitted in both.

\b
Examples:
  nurecoil significance --model scaled-standard-model --experiment coherent-csi-2021 \\
    --set electroweak=radiative --free signal_strength=1 --null signal_strength=0 --fix sns_flux
  nurecoil significance --model nsi --experiment coherent-csi-2021 --free eps_u_ee=0.1 \\
    --free eps_u_mumu=0.1 --null eps_u_ee=0 --null eps_u_mumu=0"""


def significance(
    model: ModelName,
    experiment: Experiments,
    free: Free,
    null: Annotated[
        list[str], typer.Option(metavar="NAME=VALUE", help="The null hypothesis; repeat for more parameters.")
    ],
    settings: Setting = None,
    truth: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="Where data are expected, for the expected significance.",
            show_default="the parameters' defaults",
        ),
    ] = None,
    starts: Starts = 5,
    toys: ToysToThrow = 0,
    seed: Seed = 1,
    fix: Fixed = None,
    prior: PriorWidths = None,
    form_factor: FormFactorName = None,
    engine: EngineName = "numpy",
    as_json: AsJson = False,
) -> None:
    """Print the significance, observed and expected."""
    from nurecoil import analysis

    check_toys(toys, seed)
    asked = read_fit(model, experiment, free, settings, starts, fix, prior, form_factor)
    with quiet():
        result = analysis.significance(
            asked.model,
            asked.experiments,
            asked.values,
            asked.start,
            parse_points("--null", "NAME=VALUE", asked.parameters, null),
            truth=parse_points("--truth", "NAME=VALUE", asked.parameters, truth or ()) or None,
            starts=asked.starts,
            widths=asked.widths,
            engine=engine,
            toys=toys,
            seed=seed,
        )
    if as_json:
        print_json(_json(asked, result))
    else:
        _print(asked, result)


def _json(asked: AskedFit, result: "Result[Significance]") -> dict[str, object]:
    values = result.values
    return {
        "model": asked.model.name,
        "experiments": asked.names,
        "null": at_border(values.parameters, values.null),
        "dof": values.dof,
        "one_sided": values.one_sided,
        "observed": vars(values.observed),
        "expected": vars(values.expected) if values.expected else None,
        "truth": at_border(values.parameters, values.truth) if values.truth else None,
        "toys": values.toys
        and {
            "number": len(values.toys.delta_chi2),
            "seed": values.toys.seed,
            "p_value": values.toys.p_value,
            "error": values.toys.error,
            "converged": values.toys.converged,
        },
        "best_fit": at_border(values.parameters, values.best_fit),
        "chi2": values.minimum,
        "converged": result.converged,
        "parameters": at_border(asked.model.parameters, result.fixed),
        "notes": list(result.notes),
        "conventions": dict(result.conventions),
        "provenance": dict(result.provenance),
    }


def _print(asked: AskedFit, result: "Result[Significance]") -> None:
    values = result.values

    def point(at: object) -> str:
        assert isinstance(at, dict)
        return ", ".join(f"{p.name} = {p.format(at[p.name], 4)}" for p in values.parameters if p.name in at)

    rows = [("null hypothesis", point(dict(values.null))), ("observed", _rejection_text(values.observed))]
    if toys := values.toys:
        number = len(toys.delta_chi2)
        found = f"p = {toys.p_value:.4g} ± {toys.error:.2g} ({number} toys)"
        if toys.p_value == 0:  # no toy in N: the 95 % limit is 3/N
            found = f"p < {3 / number:.2g} at 95 % CL (none of {number} toys)"
        rows.append(("by toys", found))
    if values.expected and values.truth:
        rows.append(("expected", f"{_rejection_text(values.expected)}, at {point(dict(values.truth))}"))
    else:
        rows.append(("expected", "nothing, at the null hypothesis itself: give another --truth"))
    rows.append(("best fit", f"{point(dict(values.best_fit))}, χ² = {values.minimum:.2f}"))
    side = (
        "one-sided, at a bound"
        if values.one_sided
        else f"{values.dof} degree{'s' * (values.dof > 1)} of freedom"
    )
    rows.append(("test", side))
    rows.append(("converged", "yes" if result.converged else "NO"))
    print_pairs(f"Significance: {asked.model.name}, {' + '.join(asked.names)}", rows)
    print_basis(asked.model.parameters, result.fixed, result.notes, result.conventions)


def _rejection_text(rejection: "Rejection") -> str:
    """Return the significance, Δχ² and p, which may be too small for a number."""
    exponent = int(rejection.log10_p_value // 1)
    mantissa = 10 ** (rejection.log10_p_value - exponent)
    p = f"{10**rejection.log10_p_value:.3g}" if exponent > -4 else f"{mantissa:.1f}e{exponent}"
    return f"{rejection.sigma:.2f} σ (Δχ² = {rejection.delta_chi2:.2f}, p = {p})"

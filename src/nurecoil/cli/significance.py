"""`nurecoil significance`: by how many standard deviations a null hypothesis is rejected."""

import math
from typing import TYPE_CHECKING, Annotated

import typer

from nurecoil.cli import arguments as given
from nurecoil.cli.answering import answer, convergence
from nurecoil.cli.arguments import check_toys
from nurecoil.cli.reading import AskedFit, parse_points, read_fit
from nurecoil.cli.terminal import at_border, print_pairs

if TYPE_CHECKING:
    from nurecoil.study.result import Result
    from nurecoil.verbs.significance import Rejection, Significance

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
    model: given.ModelName,
    experiment: given.Experiments,
    free: given.Free,
    null: Annotated[
        list[str], typer.Option(metavar="NAME=VALUE", help="The null hypothesis; repeat for more parameters.")
    ],
    settings: given.Setting = None,
    truth: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="Where data are expected, for the expected significance.",
            show_default="the parameters' defaults",
        ),
    ] = None,
    starts: given.Starts = 5,
    toys: given.ToysToThrow = 0,
    seed: given.Seed = 1,
    fix: given.Fixed = None,
    prior: given.PriorWidths = None,
    constrain: given.Constrained = None,
    form_factor: given.FormFactorName = None,
    engine: given.EngineName = "auto",
    as_json: given.AsJson = False,
) -> None:
    """Print the significance, observed and expected."""
    from nurecoil.verbs import significance as verb

    check_toys(toys, seed)
    asked = read_fit(model, experiment, free, settings, starts, fix, prior, constrain, form_factor)
    tested = parse_points("--null", "NAME=VALUE", asked.parameters, null)
    place = parse_points("--truth", "NAME=VALUE", asked.parameters, truth or ())
    answer(
        asked,
        lambda: verb.significance(
            *asked.question,
            asked.start,
            tested,
            truth=place or None,
            starts=asked.starts,
            widths=asked.widths,
            engine=engine,
            toys=toys,
            seed=seed,
        ),
        _json,
        _print,
        as_json,
    )


def _json(asked: AskedFit, result: "Result[Significance]") -> dict[str, object]:
    values, toys = result.values, result.values.toys
    return {
        "null": at_border(values.parameters, values.null),
        "dof": values.dof,
        "one_sided": values.one_sided,
        "observed": _rejection_json(values.observed),
        "expected": values.expected and _rejection_json(values.expected),
        "truth": values.truth and at_border(values.parameters, values.truth),
        "toys": toys
        and {
            "number": len(toys.delta_chi2),
            "seed": toys.seed,
            "p_value": toys.p_value,
            "error": toys.error,
            "not_converged": len(toys.delta_chi2) - toys.converged,
        },
        "best_fit": at_border(values.parameters, values.best_fit),
        "chi2": values.minimum,
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
    rows.append(convergence(result))
    print_pairs(asked.title("Significance"), rows)


def _rejection_json(rejection: "Rejection") -> dict[str, float]:
    return {**vars(rejection), "p_value": 10**rejection.log10_p_value}


def _rejection_text(rejection: "Rejection") -> str:
    """Return the significance, Δχ² and p, which may be too small for a number."""
    p = f"{10**rejection.log10_p_value:.3g}"
    if -math.inf < rejection.log10_p_value < -3:
        exponent = math.floor(rejection.log10_p_value)
        p = f"{10 ** (rejection.log10_p_value - exponent):.1f}e{exponent}"
    return f"{rejection.sigma:.2f} σ (Δχ² = {rejection.delta_chi2:.2f}, p = {p})"

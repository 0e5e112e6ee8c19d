"""`nurecoil goodness`: how well the best fit describes the data."""

from typing import TYPE_CHECKING

from nurecoil.cli import arguments as given
from nurecoil.cli.answering import answer, convergence
from nurecoil.cli.arguments import check_toys
from nurecoil.cli.reading import AskedFit, read_fit
from nurecoil.cli.terminal import at_border, print_pairs, print_table

if TYPE_CHECKING:
    from nurecoil.study.result import Result
    from nurecoil.verbs.goodness import Goodness

SUMMARY = "Find how well a model fits."
HELP = """Find how well the best fit of a model describes the data: χ² against the number of bins, what each
experiment adds to it, and with --toys the fraction of simulated experiments, each fitted as the data were,
that fit worse.

\b
Examples:
  nurecoil goodness --model standard-model --experiment coherent-csi-2021 --toys 1000
  nurecoil goodness --model standard-model --experiment coherent-csi-2021 \\
    --free sin2_theta_w=0.24 --toys 200 --json"""


def goodness(
    model: given.ModelName,
    experiment: given.Experiments,
    free: given.MaybeFree = None,
    settings: given.Setting = None,
    toys: given.ToysToThrow = 0,
    seed: given.Seed = 1,
    starts: given.Starts = 5,
    fix: given.Fixed = None,
    prior: given.PriorWidths = None,
    constrain: given.Constrained = None,
    form_factor: given.FormFactorName = None,
    engine: given.EngineName = "auto",
    as_json: given.AsJson = False,
) -> None:
    """Print the goodness of fit."""
    from nurecoil.verbs import goodness as verb

    check_toys(toys, seed)
    asked = read_fit(model, experiment, free or (), settings, starts, fix, prior, constrain, form_factor)
    answer(
        asked,
        lambda: verb.goodness(
            *asked.question,
            asked.start,
            starts=asked.starts if asked.start else (),
            widths=asked.widths,
            engine=engine,
            toys=toys,
            seed=seed,
        ),
        _json,
        _print,
        as_json,
    )


def _json(asked: AskedFit, result: "Result[Goodness]") -> dict[str, object]:
    values, toys = result.values, result.values.toys
    return {
        "chi2": values.chi2,
        "bins": values.bins,
        "fitted": values.fitted,
        "dof": values.dof,
        "p_value": values.p_value,
        "contributions": {name: vars(part) for name, part in values.contributions.items()},
        "priors": values.priors,
        "toys": toys
        and {
            "number": len(toys.chi2),
            "seed": toys.seed,
            "p_value": toys.p_value,
            "error": toys.error,
            "not_converged": len(toys.chi2) - toys.converged,
            "mean_chi2": toys.chi2.mean(),
        },
        "best_fit": at_border(asked.parameters, values.best_fit),
    }


def _print(asked: AskedFit, result: "Result[Goodness]") -> None:
    values, toys = result.values, result.values.toys
    rows = [
        ("χ²", f"{values.chi2:.2f} for {values.dof} degree{'s' * (values.dof > 1)} of freedom"),
        ("", f"{values.bins} bin{'s' * (values.bins > 1)} less {values.fitted} fitted parameters"),
        ("p", f"{values.p_value:.3g} (asymptotic)"),
    ]
    if toys:
        rows.append(("", f"{toys.p_value:.4g} ± {toys.error:.2g} ({len(toys.chi2)} toys, seed {toys.seed})"))
    rows += [
        (p.name, p.format(values.best_fit[p.name], 4)) for p in asked.parameters if p.name in values.best_fit
    ]
    rows.append(convergence(result))
    print_pairs(asked.title("Goodness of fit"), rows)
    print()
    parts = [[name, f"{part.chi2:.2f}", str(part.bins)] for name, part in values.contributions.items()]
    parts.append(["priors of nuisance parameters", f"{values.priors:.2f}", ""])
    print_table("Contributions to χ²", ["from", "χ²", "bins"], parts, right=(1, 2))

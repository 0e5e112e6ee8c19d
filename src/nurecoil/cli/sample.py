"""`nurecoil sample`: the posterior of parameters."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nurecoil.cli import arguments as given
from nurecoil.cli.answering import File, answer, convergence
from nurecoil.cli.reading import Asked, read_scan
from nurecoil.cli.terminal import print_pairs, print_table

if TYPE_CHECKING:
    from nurecoil.parameters import Parameter
    from nurecoil.study.result import Result
    from nurecoil.verbs.sample import Posterior

SUMMARY = "Sample the posterior of parameters."
HELP = """Sample the posterior of parameters: exp(-χ²/2) times a prior.

The prior of a free parameter is flat inside the range that --free gives or, with --flat-in-log, flat in its
logarithm. Nuisance parameters are sampled along with their Gaussian priors, and so marginalised; with
--profile-pulls they are fitted at each point, which gives a profile likelihood and no posterior.

The default sampler, emcee, runs until it has converged and says so if it has not. `nuts` and `nested`, which
gives the evidence as well, need: pip install 'nurecoil[sampling]'

\b
Examples:
  nurecoil sample --model scaled-standard-model --experiment binh2021-csi \\
    --free signal_strength=0..5
  nurecoil sample --model nsi --experiment coherent-csi-2021 \\
    --free eps_u_ee=-0.2..0.2 --plot nsi.png --output nsi.csv
  nurecoil sample --model 331-beta --experiment binh2021-csi --set beta=0 \\
    --free m_zprime=0.1TeV..10TeV --flat-in-log m_zprime --sampler nested --json"""


def sample(
    model: given.ModelName,
    experiment: given.Experiments,
    free: Annotated[
        list[str],
        typer.Option(metavar="NAME=LOW..HIGH", help="A parameter, and the range of its prior; repeat."),
    ],
    settings: given.Setting = None,
    flat_in_log: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A free parameter whose prior is flat in its logarithm.",
            show_default="flat in the parameter",
        ),
    ] = None,
    profile_pulls: Annotated[
        bool,
        typer.Option("--profile-pulls", help="Fit nuisance parameters at each point.", show_default=False),
    ] = False,
    fix: given.Fixed = None,
    prior: given.PriorWidths = None,
    constrain: given.Constrained = None,
    sampler: Annotated[str, typer.Option(metavar="NAME", help="emcee, nuts or nested.")] = "emcee",
    seed: given.Seed = 1,
    max_steps: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Where to stop even if it has not converged.",
            show_default="emcee 32000, nuts 9900, nested 1000000",
        ),
    ] = None,
    form_factor: given.FormFactorName = None,
    engine: given.EngineName = "auto",
    as_json: given.AsJson = False,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the samples, .csv or .npz.", show_default="no file"),
    ] = None,
    plot: given.Plot = None,
) -> None:
    """Print the posterior of parameters."""
    from nurecoil.exhibits import corner
    from nurecoil.verbs import sample as verb
    from nurecoil.verbs.sample_files import samples_format, save_samples

    if output:
        samples_format(output)  # refuses before anything is computed
    asked = read_scan(model, experiment, free, settings, fix, prior, constrain, form_factor, option="--free")
    answer(
        asked,
        lambda: verb.sample(
            *asked.question,
            {name: (low, high) for name, low, high in asked.scans},
            log=flat_in_log or (),
            widths=asked.widths,
            profile=profile_pulls,
            sampler=sampler,
            seed=seed,
            most_steps=max_steps,
            engine=engine,
        ),
        _json,
        _print,
        as_json,
        [File("Samples", output, save_samples), File("Plot", plot, corner.save_corner)],
    )


def _json(asked: Asked, result: "Result[Posterior]") -> dict[str, object]:
    posterior = result.values
    evidence, error = posterior.log_evidence or (None, None)
    return {
        "kind": "profile likelihood times prior" if posterior.profiled else "posterior",
        "sampler": posterior.sampler,
        "seed": posterior.seed,
        "samples": len(posterior.samples),
        "steps": posterior.steps,
        "chains": posterior.chains,
        "acceptance": posterior.acceptance,
        "lowest_chi2": posterior.chi2.min(),
        "log_evidence": evidence,
        "log_evidence_error": error,
        "free": {p.name: _parameter_json(posterior, p) for p in posterior.parameters[: posterior.free]},
        "pulls": {p.name: _parameter_json(posterior, p) for p in posterior.parameters[posterior.free :]},
    }


def _parameter_json(posterior: "Posterior", parameter: "Parameter") -> dict[str, object]:
    unit, found = parameter.inside, posterior.summaries[parameter.name]
    diagnostic = posterior.diagnostics[parameter.name]
    return {
        "unit": parameter.unit,
        "mean": found.mean / unit,
        "deviation": found.deviation / unit,
        "median": found.median / unit,
        "intervals": {f"{p:g}": [low / unit, high / unit] for p, (low, high) in found.intervals.items()},
        "highest_density": {
            f"{p:g}": [[low / unit, high / unit] for low, high in pieces]
            for p, pieces in found.highest_density.items()
        },
        "r_hat": diagnostic.r_hat,
        "bulk_size": diagnostic.bulk_size,
        "tail_size": diagnostic.tail_size,
        "autocorrelation_time": diagnostic.autocorrelation_time,
    }


def _print(asked: Asked, result: "Result[Posterior]") -> None:
    posterior = result.values
    kind = "Profile likelihood times prior (no posterior)" if posterior.profiled else "Posterior"
    rows = [
        ("sampler", f"{posterior.sampler}, seed {posterior.seed}"),
        (
            "samples",
            f"{len(posterior.samples)} from {posterior.steps} steps of {posterior.chains} chains,"
            f" {100 * posterior.acceptance:.0f} % accepted",
        ),
        ("lowest χ²", f"{posterior.chi2.min():.2f}"),
        convergence(result),
    ]
    if posterior.log_evidence:
        rows.insert(2, ("ln Z", "{:.2f} ± {:.2f}".format(*posterior.log_evidence)))
    print_pairs(asked.title(kind), rows)
    print()
    _print_intervals(posterior)
    _print_diagnostics(posterior)


def _print_intervals(posterior: "Posterior") -> None:
    rows = []
    for p in posterior.parameters:
        found = posterior.summaries[p.name]
        rows.append(
            [
                p.name,
                p.format(found.mean, 3),
                p.format(found.median, 3),
                *(_range_text(p, found.intervals[level], 3) for level in (0.68, 0.95)),
            ]
        )
    columns = ["name", "mean", "median", "68 %", "95 %"]
    print_table("Equal-tailed credible intervals", columns, rows, right=(1, 2), whole=(3, 4))
    dense = [
        [p.name, f"{100 * level:g} %", " or ".join(_range_text(p, piece) for piece in pieces)]
        for p in posterior.parameters[: posterior.free]
        for level, pieces in posterior.summaries[p.name].highest_density.items()
    ]
    print_table("Intervals of highest density", ["name", "probability", "intervals"], dense, right=(1,))


def _range_text(parameter: "Parameter", ends: tuple[float, float], digits: int = 4) -> str:
    return f"{parameter.format(ends[0], digits)} to {parameter.format(ends[1], digits)}"


def _print_diagnostics(posterior: "Posterior") -> None:
    rows = [
        [p.name, _number(d.r_hat, ".4f"), *(_number(x, ".0f") for x in (d.bulk_size, d.tail_size)),
         _number(d.autocorrelation_time, ".1f")]
        for p in posterior.parameters
        for d in (posterior.diagnostics[p.name],)
    ]  # fmt: skip
    columns = ["name", "R̂", "bulk size", "tail size", "autocorrelation time"]
    print_table("Convergence (Vehtari et al. 2021)", columns, rows, right=(1, 2, 3, 4))


def _number(value: float, form: str) -> str:
    return format(value, form) if math.isfinite(value) else "–"

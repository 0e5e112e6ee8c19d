"""The rows of the validation: published, ours, and why they differ, measured."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nurecoil.likelihood.objective import deviance
from nurecoil.models import STANDARD_MODEL
from nurecoil.physics.constants import SIN2_THETA_W
from nurecoil.presentation.comparison import Entry, Row, signed
from nurecoil.study.study import Study
from nurecoil.validation.cross_section import cross_section, neutrinos
from nurecoil.validation.fits import SignalFit, SignalFits
from nurecoil.validation.published import published
from nurecoil.validation.signal import expected_error, largest_background, other_form_factor
from nurecoil.verbs.fit import fit_of

# By its pull: how well the flux is known, part of a published cross section's error
FLUX = {"sns_flux": (0.10, "neutrino yield"), "solar_8b_flux": (0.0381, "flux of SNO")}
MOST_IMPORTANT = 4  # changed inputs that a sentence names
ONE_SIGMA = 0.6826894921370859
TOYS = 2000
_SIN2_RANGE, _SIN2_STARTS = (0.02, 0.6), (0.1, 0.4)


def rows(fits: SignalFits, changed: Mapping[str, SignalFit]) -> tuple[Row, ...]:
    """Return the rows of one experiment."""
    parts = (_signal(fits, changed), _backgrounds(fits), _goodness(fits), _parameters(fits))
    return tuple(
        replace(published(fits.experiment.name, quantity), ours={"ours": ours}, why=why)
        for part in parts
        for quantity, ours, why in part
    )


Found = Iterator[tuple[str, Entry, str]]  # a quantity, what we find, and why


def _signal(fits: SignalFits, changed: Mapping[str, SignalFit]) -> Found:
    name, fit = fits.experiment.name, fits.main
    if published(name, "residual_counts").where:
        on = float(fit.observed.sum())
        off = sum(float(part.nominal.sum()) for part in largest_background(fits.statistics))
        why = f"{on:.0f} coincidence minus {off:.0f} anticoincidence counts"
        yield "residual_counts", Entry(on - off), why
    why = "The inputs that move it most, one at a time: " + _most_important(changed, "standard_model")
    yield "sm_signal", Entry(fits.first_principles.standard_model), why
    why = "The release's template with only the rates fitted, statistical errors, as the collaboration did"
    if not fits.others:
        why = f"Our error is {fit.profile.error:.1f}, and {fit.profile_alone.error:.1f} with all else held"
        error = published(name, "best_fit_signal").printed.error
        if error is not None and error < 0.9 * fit.profile_alone.error:
            why += f", so ± {error:g} does not follow from the release"
        why += "; moved most by " + _most_important(changed, "events")
    yield "best_fit_signal", Entry(fit.events, fit.profile.error), why
    for what, other in fits.others.items():
        why = f"χ² = {other.chi2:.1f}, no signal excluded by {other.significance:.2f}σ"
        yield f"best_fit_signal_{slug(what)}", Entry(other.events, other.profile.error), why


def _backgrounds(fits: SignalFits) -> Found:
    for name in dict.fromkeys(background.name for background in fits.statistics.backgrounds):
        parts = [background for background in fits.statistics.backgrounds if background.name == name]
        ours, before = float(fits.main.components[name].sum()), sum(float(b.nominal.sum()) for b in parts)
        why = "A formula, whose parameters are fitted"
        if not parts[0].formula:
            error = math.hypot(*map(expected_error, parts))
            pull = (ours - before) / error
            why = f"Expected {before:.4g} ± {error:.3g}; the fit pulls its rate by {signed(pull)}σ"
        yield f"best_fit_{slug(name)}", Entry(ours), why


def _goodness(fits: SignalFits) -> Found:
    fit, experiment = fits.main, fits.experiment
    delta = published(experiment.name, "delta_chi2_no_signal").printed.value
    why = f"{fit.significance:.2f}σ" + (f" (published {math.sqrt(delta):.1f}σ)" if delta else "")
    if fits.significance_if:
        rate = largest_background(fits.statistics)[0].name.replace("-", " ")
        why += f"; it hangs on the {rate} rate: {fits.significance_if['known']:.2f}σ if exactly known,"
        why += f" {fits.significance_if['free']:.2f}σ if not at all"
    yield "delta_chi2_no_signal", Entry(fit.no_signal), why
    bins = fit.best.bins
    why = f"{fit.chi2 / bins:.2f} per bin"
    if fits.statistics.variance is None:
        farther = 100 * goodness_of_fit(fit.observed, fit.expected)
        why += f"; of {TOYS} Poisson toys at the best fit {farther:.0f} % lie farther from it"
    why += "".join(f"; {what}: {other.chi2:.1f}" for what, other in fits.others.items())
    yield "chi2", Entry(fit.chi2), why
    shape = " × ".join(str(n) for n in experiment.shape)
    axes = " × ".join(axis.name.partition(" [")[0] for axis in experiment.axes)
    off = sum(bool(background.off) for background in fits.statistics.backgrounds)
    masked = fit.observed.size - bins + off
    more = (f", {masked} masked" if masked else "") + (f", and {off} of the off sample" if off else "")
    yield "bins", Entry(float(bins)), f"{shape} ({axes}){more}"


def _cross_sections(fits: SignalFits) -> Found:
    standard, fit = cross_section(fits.experiment), fits.main.best.fit
    form_factor = other_form_factor(fits.experiment)
    other = cross_section(fits.experiment, form_factor)
    why = f"In 10⁻⁴⁰ cm² per nucleus; with the {form_factor.name.title()} form factor {other:.1f}"
    yield "sm_flux_averaged_cross_section", Entry(standard), why
    strength, error = fit.values["signal_strength"], fit.errors["signal_strength"]
    why = f"The fitted strength, {strength:.3f} ± {error:.3f}, times the Standard Model's {standard:.1f}"
    (known, what), *_ = (FLUX[p.name] for p in fits.statistics.signal.rates if p.name in FLUX)
    why += f"; the error has the {100 * known:.2g} % of the {what} added"
    total = math.hypot(error, known * strength) * standard
    yield "flux_averaged_cross_section", Entry(strength * standard, total), why
    if "solar_8b_flux" in [pull.name for pull in fits.statistics.signal.rates]:
        flux = 1e-6 * neutrinos(fits.experiment.flux)
        why = f"In 10⁶ per cm² and s: {flux:.2f}, the solar model's, times the fitted strength"
        yield "solar_8b_flux", Entry(strength * flux, error * flux), why


def _parameters(fits: SignalFits) -> Found:
    if any(pull.name in FLUX for pull in fits.statistics.signal.rates):
        yield from _cross_sections(fits)
    radiative, tree = (
        Study(STANDARD_MODEL, fits.compiled, electroweak=electroweak) for electroweak in ("radiative", "tree")
    )
    name, starts = "sin2_theta_w", [{"sin2_theta_w": value} for value in _SIN2_STARTS]
    best, at_tree = (
        fit_of(study.question({name: SIN2_THETA_W}), starts, minos=False).values.fit
        for study in (radiative, tree)
    )
    allowed = radiative.limit(name, _SIN2_RANGE, cl=ONE_SIGMA, points=201).values.profile.intervals
    around = [f"; at 1σ {i.low:.3f} to {i.high:.3f}" for i in allowed if i.low <= best.values[name] <= i.high]
    why = f"Radiative corrections, all pulls{''.join(around[:1])}"
    why += f"; couplings at tree level give {at_tree.values[name]:.3f}"
    yield name, Entry(best.values[name], best.errors[name]), why

    for pull in (v.pull for v in fits.statistics.signal.shapes if v.pull.unit == "fm"):
        centre = float(pull.default or 0.0)
        best = fit_of(radiative.question({pull.name: centre}), minos=False).values.fit
        value = best.values[pull.name]
        if min(value - pull.low, pull.high - value) >= 1e-3 * centre:  # at a bound the data do not measure it
            why = "Mean neutron rms radius in fm, free of its prior, all other pulls fitted"
            yield "neutron_radius", Entry(value, best.errors[pull.name]), why


def slug(name: str) -> str:
    """Return a name as it stands in a quantity.

    >>> slug("first principles, all pulls")
    'first_principles_all_pulls'
    """
    return name.replace(",", "").replace(" ", "_").replace("-", "_")


def goodness_of_fit(observed: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    """Return the fraction of Poisson toys at `expected` (not refitted) with a larger -2 ln L."""
    toys = np.random.default_rng(1).poisson(expected, size=(TOYS, expected.size))
    of_toys, of_data = (
        deviance(expected[np.newaxis], counts, gaussian=False)[0] for counts in (toys, observed[np.newaxis])
    )
    return float((of_toys > of_data).mean())


def _most_important(changed: Mapping[str, SignalFit], what: str) -> str:
    """Return the changed inputs that move a number most, in words."""
    values = {label: getattr(fit, what) for label, fit in changed.items()}
    unchanged, *others = values
    ordered = sorted(others, key=lambda label: -abs(values[label] - values[unchanged]))
    return ", ".join(f"{label} {values[label]:.1f}" for label in ordered[:MOST_IMPORTANT])

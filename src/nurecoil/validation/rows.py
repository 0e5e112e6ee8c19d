"""The rows of the validation: published, ours, and why they differ, measured."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nurecoil.validation.compute import Result
from nurecoil.validation.fits import TOYS, SignalFit
from nurecoil.validation.published import published
from nurecoil.validation.signal import binned, largest_background

SNS_FLUX = 0.10  # uncertainty of the neutrino yield, part of a published cross section's error
MOST_IMPORTANT = 4  # changed inputs that a sentence names


@dataclass(frozen=True)
class Row:
    """One quantity of one experiment.

    Attributes
    ----------
    experiment, quantity
        What it is of, and what it is.
    ours, ours_error
        Computed here.
    why
        What explains a difference, or what the number rests on.
    """

    experiment: str
    quantity: str
    ours: float
    why: str
    ours_error: float | None = None

    @property
    def published(self) -> float | None:
        """The published value."""
        found = published(self.experiment, self.quantity)
        return found.value if found else None

    @property
    def error(self) -> float | None:
        """The published error."""
        found = published(self.experiment, self.quantity)
        return found.error if found else None

    @property
    def source(self) -> str:
        """Where it is published."""
        found = published(self.experiment, self.quantity)
        return found.source if found else ""

    @property
    def difference(self) -> float | None:
        """Ours minus published."""
        return None if self.published is None else self.ours - self.published

    @property
    def pull(self) -> float | None:
        """The difference in units of the published error."""
        return self.difference / self.error if self.difference is not None and self.error else None

    def as_json(self) -> dict[str, object]:
        """Return the row for programs."""
        names = ("experiment", "quantity", "published", "error", "ours", "ours_error", "why")
        return {name: getattr(self, name) for name in names}


def rows(result: Result, changed: Mapping[str, SignalFit]) -> tuple[Row, ...]:
    """Return the rows of one experiment."""
    name = result.experiment.name
    return (
        *_signal(name, result, changed),
        *_backgrounds(name, result),
        *_goodness(name, result),
        *_parameters(name, result),
    )


def slug(name: str) -> str:
    """Return a name as it stands in a quantity.

    >>> slug("first principles, all pulls")
    'first_principles_all_pulls'
    """
    return name.replace(",", "").replace(" ", "_").replace("-", "_")


def signed(number: float, form: str = "+.2f") -> str:
    """Return a number with its sign, a true minus.

    >>> signed(-0.614)
    '−0.61'
    """
    return f"{number:{form}}".replace("-", "−")


def _signal(name: str, result: Result, changed: Mapping[str, SignalFit]) -> Iterator[Row]:
    fit = result.main
    if published(name, "residual_counts"):
        on = float(fit.observed.sum())
        off = float(largest_background(binned(result.compiled)).counts.sum())
        why = f"{on:.0f} coincidence minus {off:.0f} anticoincidence counts"
        yield Row(name, "residual_counts", on - off, why)
    why = "The inputs that move it most, one at a time: " + _most_important(changed, "standard_model")
    yield Row(name, "sm_signal", float(result.standard_model.sum()), why)
    if result.others:
        why = (
            "The release's template with only the rates fitted, statistical errors, as the collaboration did"
        )
    else:
        why = f"Our error is {fit.error:.1f}, and {fit.error_alone:.1f} with all else held"
        found = published(name, "best_fit_signal")
        if found and found.error is not None and found.error < 0.9 * fit.error_alone:
            why += f", so ± {found.error:g} does not follow from the release"
        why += "; moved most by " + _most_important(changed, "events")
    yield Row(name, "best_fit_signal", fit.events, why, fit.error)
    for what, other in result.others.items():
        why = f"χ² = {other.chi2:.1f}, no signal excluded by {other.significance:.2f}σ"
        yield Row(name, f"best_fit_signal_{slug(what)}", other.events, why, other.error)


def _backgrounds(name: str, result: Result) -> Iterator[Row]:
    for background in binned(result.compiled).backgrounds:
        ours = float(result.main.components[background.name].sum())
        before, width = float(background.counts.sum()), background.pull.prior_width or 0.0
        pull = (ours / before - 1) / width
        why = f"Expected {before:.4g} ± {before * width:.3g}; the fit pulls its rate by {signed(pull)}σ"
        yield Row(name, f"best_fit_{slug(background.name)}", ours, why)


def _goodness(name: str, result: Result) -> Iterator[Row]:
    fit, experiment = result.main, result.experiment
    found = published(name, "delta_chi2_no_signal")
    rate = largest_background(binned(result.compiled)).name.replace("-", " ")
    known, free = (result.significance_if[word] for word in ("known", "free"))
    why = (
        f"{fit.significance:.2f}σ"
        + (f" (published {math.sqrt(found.value):.1f}σ)" if found else "")
        + f"; it hangs on the {rate} rate: {known:.2f}σ if exactly known, {free:.2f}σ if not at all"
    )
    yield Row(name, "delta_chi2_no_signal", fit.no_signal, why)
    bins = fit.observed.size
    why = (
        f"{fit.chi2 / bins:.2f} per bin; of {TOYS} Poisson toys at the best fit {100 * result.goodness:.0f} %"
        " lie farther from it"
    )
    why += "".join(f"; {what}: {other.chi2:.1f}" for what, other in result.others.items())
    yield Row(name, "chi2", fit.chi2, why)
    shape = " × ".join(str(n) for n in experiment.shape)
    axes = " × ".join(axis.name.partition(" [")[0] for axis in experiment.axes)
    yield Row(name, "bins", float(bins), f"{shape} ({axes})")


def _parameters(name: str, result: Result) -> Iterator[Row]:
    standard, fit = result.cross_section, result.main.best.fit
    why = f"In 10⁻⁴⁰ cm² per nucleus; with the Klein-Nystrand form factor {result.cross_section_other:.1f}"
    yield Row(name, "sm_flux_averaged_cross_section", standard, why)
    strength, error = fit.values["signal_strength"], fit.errors["signal_strength"]
    why = f"The fitted strength, {strength:.3f} ± {error:.3f}, times the Standard Model's {standard:.1f}"
    why += "; the error has the 10 % of the neutrino yield added"
    total = math.hypot(error, SNS_FLUX * strength) * standard
    yield Row(name, "flux_averaged_cross_section", strength * standard, why, total)
    angle, radius = result.sin2_theta_w, result.neutron_radius
    why = "Radiative corrections, all pulls"
    if angle.interval:
        why += f"; at 1σ {angle.interval[0]:.3f} to {angle.interval[1]:.3f}"
    why += f"; couplings at tree level give {result.sin2_theta_w_tree:.3f}"
    yield Row(name, "sin2_theta_w", angle.value, why, angle.error)
    if radius:
        why = "Mean neutron rms radius in fm, free of its prior, all other pulls fitted"
        yield Row(name, "neutron_radius", radius.value, why, radius.error)


def _most_important(changed: Mapping[str, SignalFit], what: str) -> str:
    """Return the changed inputs that move a number most, in words."""
    values = {label: getattr(fit, what) for label, fit in changed.items()}
    unchanged, *others = values
    ordered = sorted(others, key=lambda label: -abs(values[label] - values[unchanged]))
    return ", ".join(f"{label} {values[label]:.1f}" for label in ordered[:MOST_IMPORTANT])

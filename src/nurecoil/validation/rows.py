"""The rows of the validation: published, ours, and why they differ, measured."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nurecoil.validation.changes import Change
from nurecoil.validation.compute import Result
from nurecoil.validation.fits import TOYS
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
        return {
            "experiment": self.experiment,
            "quantity": self.quantity,
            "published": self.published,
            "error": self.error,
            "ours": self.ours,
            "ours_error": self.ours_error,
            "why": self.why,
        }


def rows(result: Result, changed: Sequence[Change]) -> tuple[Row, ...]:
    """Return the rows of one experiment."""
    return (
        *_residual(result),
        _standard_model(result, changed),
        _best_fit(result, changed),
        *_other_fits(result),
        *_backgrounds(result),
        _no_signal(result),
        *_goodness(result),
        *_cross_sections(result),
        _weak_mixing_angle(result),
        *_radius(result),
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


def _residual(result: Result) -> Iterator[Row]:
    name = result.experiment.name
    if published(name, "residual_counts"):
        background = largest_background(binned(result.compiled))
        residual = float(result.main.observed.sum() - background.counts.sum())
        counts = result.main.observed.sum(), background.counts.sum()
        why = f"{counts[0]:.0f} coincidence minus {counts[1]:.0f} anticoincidence counts"
        yield Row(name, "residual_counts", residual, why)


def _standard_model(result: Result, changed: Sequence[Change]) -> Row:
    what = "The inputs that move it most, one at a time: "
    why = what + _most_important(changed, "standard_model")
    return Row(result.experiment.name, "sm_signal", float(result.standard_model.sum()), why)


def _best_fit(result: Result, changed: Sequence[Change]) -> Row:
    fit = result.main
    if result.others:
        why = (
            "The release's template with only the rates fitted, statistical errors, as the collaboration did"
        )
    else:
        found = published(result.experiment.name, "best_fit_signal")
        smaller = found is not None and found.error is not None and found.error < 0.9 * fit.error_alone
        why = (
            f"Our error is {fit.error:.1f}, and {fit.error_alone:.1f} with all else held"
            + (f", so ± {found.error:g} does not follow from the release" if found and smaller else "")
            + "; moved most by "
            + _most_important(changed, "events")
        )
    return Row(result.experiment.name, "best_fit_signal", fit.events, why, fit.error)


def _other_fits(result: Result) -> Iterator[Row]:
    for name, fit in result.others.items():
        why = f"χ² = {fit.chi2:.1f}, no signal excluded by {fit.significance:.2f}σ"
        yield Row(result.experiment.name, f"best_fit_signal_{slug(name)}", fit.events, why, fit.error)


def _backgrounds(result: Result) -> Iterator[Row]:
    for background in binned(result.compiled).backgrounds:
        ours = float(result.main.components[background.name].sum())
        before, width = float(background.counts.sum()), background.pull.prior_width or 0.0
        pull = (ours / before - 1) / width
        why = f"Expected {before:.4g} ± {before * width:.3g}; the fit pulls its rate by {signed(pull)}σ"
        yield Row(result.experiment.name, f"best_fit_{slug(background.name)}", ours, why)


def _no_signal(result: Result) -> Row:
    fit, name = result.main, result.experiment.name
    found = published(name, "delta_chi2_no_signal")
    rate = largest_background(binned(result.compiled)).name.replace("-", " ")
    known, free = (result.significance_if[word] for word in ("known", "free"))
    why = (
        f"{fit.significance:.2f}σ"
        + (f" (published {math.sqrt(found.value):.1f}σ)" if found else "")
        + f"; it hangs on the {rate} rate: {known:.2f}σ if exactly known, {free:.2f}σ if not at all"
    )
    return Row(name, "delta_chi2_no_signal", fit.no_signal, why)


def _goodness(result: Result) -> Iterator[Row]:
    chi2, bins = result.main.chi2, result.main.observed.size
    why = (
        f"{chi2 / bins:.2f} per bin; of {TOYS} Poisson toys at the best fit {100 * result.goodness:.0f} % lie"
        " farther from it"
    )
    why += "".join(f"; {what}: {fit.chi2:.1f}" for what, fit in result.others.items())
    yield Row(result.experiment.name, "chi2", chi2, why)
    shape = " × ".join(str(n) for n in result.experiment.shape)
    axes = " × ".join(axis.name.partition(" [")[0] for axis in result.experiment.axes)
    yield Row(result.experiment.name, "bins", float(bins), f"{shape} ({axes})")


def _cross_sections(result: Result) -> Iterator[Row]:
    name, standard = result.experiment.name, result.cross_section
    why = f"In 10⁻⁴⁰ cm² per nucleus; with the Klein-Nystrand form factor {result.cross_section_other:.1f}"
    yield Row(name, "sm_flux_averaged_cross_section", standard, why)
    fit = result.main.best.fit
    strength, error = fit.values["signal_strength"], fit.errors["signal_strength"]
    why = f"The fitted strength, {strength:.3f} ± {error:.3f}, times the Standard Model's {standard:.1f}"
    total = math.hypot(error, SNS_FLUX * strength) * standard
    why += "; the error has the 10 % of the neutrino yield added"
    yield Row(name, "flux_averaged_cross_section", strength * standard, why, total)


def _weak_mixing_angle(result: Result) -> Row:
    found = result.sin2_theta_w
    why = "Radiative corrections, all pulls"
    if found.interval:
        why += f"; at 1σ {found.interval[0]:.3f} to {found.interval[1]:.3f}"
    why += f"; couplings at tree level give {result.sin2_theta_w_tree:.3f}"
    return Row(result.experiment.name, "sin2_theta_w", found.value, why, found.error)


def _radius(result: Result) -> Iterator[Row]:
    found = result.neutron_radius
    if found:
        why = "Mean neutron rms radius in fm, free of its prior, all other pulls fitted"
        yield Row(result.experiment.name, "neutron_radius", found.value, why, found.error)


def _most_important(changed: Sequence[Change], what: str) -> str:
    """Return the changed inputs that move a number most, in words."""
    base, *others = changed
    shifts = {change.label: getattr(change, what) for change in others}
    unchanged = getattr(base, what)
    ordered = sorted(shifts, key=lambda label: -abs(shifts[label] - unchanged))
    return ", ".join(f"{label} {shifts[label]:.1f}" for label in ordered[:MOST_IMPORTANT])

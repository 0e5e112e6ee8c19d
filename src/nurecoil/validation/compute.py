"""The published quantities of one experiment, computed from its card and its data release."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nurecoil.experiment import CompiledExperiment, Experiment, compile_experiment
from nurecoil.experiment.card import load_experiment
from nurecoil.physics.form_factors import form_factor
from nurecoil.study.question import joint_likelihood
from nurecoil.validation.cross_section import cross_section
from nurecoil.validation.fits import (
    Measured,
    SignalFit,
    fit_signal,
    goodness_of_fit,
    neutron_radius,
    weak_mixing_angle,
)
from nurecoil.validation.signal import (
    RADIATIVE,
    binned,
    free_signal,
    largest_background,
    rates_alone,
    release_template,
    rescaled,
    standard_model,
)

Array = NDArray[np.float64]

OTHER_FORM_FACTOR = "klein-nystrand"


@dataclass(frozen=True)
class Result:
    """All that is computed of one experiment.

    Attributes
    ----------
    compiled
        The experiment, its signal from first principles.
    standard_model
        The Standard Model's signal per bin.
    main
        The fit that the collaboration's is compared with.
    first_principles
        The fit of the signal from first principles with all pulls.
    others
        Other fits of the signal, by name.
    goodness
        The fraction of Poisson toys at the best fit (not refitted) that lie farther from it than the data.
    significance_if
        √Δχ² of no signal with the rate of the largest background "known" exactly, or "free".
    cross_section, cross_section_other
        The Standard Model's cross section per nucleus, averaged over flux and nuclei, in 1e-40 cm²; the same
        with the Klein-Nystrand form factor.
    sin2_theta_w, neutron_radius
        Fitted with all pulls (the radius in fm, free of its prior; None where the data do not bound it).
    sin2_theta_w_tree
        The best fit of s_W² with couplings at tree level.
    """

    compiled: CompiledExperiment
    standard_model: Array
    main: SignalFit
    first_principles: SignalFit
    others: Mapping[str, SignalFit]
    goodness: float
    significance_if: Mapping[str, float]
    cross_section: float
    cross_section_other: float
    sin2_theta_w: Measured
    sin2_theta_w_tree: float
    neutron_radius: Measured | None

    @property
    def experiment(self) -> Experiment:
        """The experiment."""
        return self.compiled.experiment


def compute(name: str) -> Result:
    """Compute all published quantities of an experiment."""
    compiled = compile_experiment(load_experiment(name))
    statistics = binned(compiled)
    fitted, widths, others = compiled, free_signal(statistics), {}
    main = first_principles = fit_signal(compiled, widths)
    template = release_template(name, compiled)
    if template is not None:
        fitted = rescaled(compiled, template)
        others["first principles, all pulls"] = first_principles
        others["template, all pulls"] = fit_signal(fitted, widths)
        widths = rates_alone(statistics)
        others["first principles, rates alone"] = fit_signal(compiled, widths)
        main = fit_signal(fitted, widths)
    background = largest_background(statistics).pull.name
    likelihood = joint_likelihood([compiled], RADIATIVE)
    sin2_theta_w, sin2_theta_w_tree = weak_mixing_angle(compiled, likelihood)
    return Result(
        compiled=compiled,
        standard_model=standard_model(compiled),
        main=main,
        first_principles=first_principles,
        others=others,
        goodness=goodness_of_fit(main.observed, main.expected),
        significance_if={
            word: fit_signal(fitted, {**widths, background: width}).significance
            for word, width in (("known", 0.0), ("free", math.inf))
        },
        cross_section=cross_section(compiled.experiment),
        cross_section_other=cross_section(compiled.experiment, form_factor(OTHER_FORM_FACTOR)),
        sin2_theta_w=sin2_theta_w,
        sin2_theta_w_tree=sin2_theta_w_tree,
        neutron_radius=neutron_radius(compiled, likelihood),
    )

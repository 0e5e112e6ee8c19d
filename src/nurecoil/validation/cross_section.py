"""The Standard Model's cross section per nucleus, averaged over the spectrum of the source."""

import numpy as np

from nurecoil.detector.efficiency import ConstantEfficiency
from nurecoil.detector.quenching import ConstantQuenching
from nurecoil.detector.response import Detector
from nurecoil.detector.smearing import NoSmearing
from nurecoil.experiment import Experiment, Integrals, Signal
from nurecoil.models import STANDARD_MODEL
from nurecoil.physics.form_factors import FormFactor
from nurecoil.sources import Flux, flux_integral
from nurecoil.validation.signal import RADIATIVE

CROSS_SECTION_UNIT = 1e-40  # cm²


def cross_section(experiment: Experiment, other: FormFactor | None = None) -> float:
    """Return ∫dT dσ/dT in the Standard Model in 1e-40 cm².

    Averaged over the neutrinos of the source, and over the nuclides by their number.
    """
    couplings = STANDARD_MODEL.evaluate(STANDARD_MODEL.resolve(RADIATIVE))
    everything = Detector(
        "keV", (0.0, 5e4), ConstantQuenching(1.0), 1.0, NoSmearing(), ConstantEfficiency(1.0)
    )
    signal = Signal(everything, other or experiment.signal.form_factor)
    (templates,) = Integrals(experiment, [signal]).templates()
    nuclei = experiment.mass_kg * sum(experiment.target.nuclei_per_kg)
    mean = float(templates.evaluate(couplings).sum()) / nuclei / experiment.exposure.fluence
    return mean / neutrinos(experiment.flux) / CROSS_SECTION_UNIT


def neutrinos(flux: Flux) -> float:
    """Return the number of neutrinos of a source: of all its components, per unit of its fluence."""
    return sum(float(flux_integral(c.spectrum, np.ones_like, np.zeros(1))[0]) for c in flux.components)

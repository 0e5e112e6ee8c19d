"""The paper's point of the parameter space, its names for things, and its experiments, compiled."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from nurecoil.experiment import CompiledExperiment, compile_experiment
from nurecoil.experiment.card import load_experiment
from nurecoil.models import STANDARD_MODEL
from nurecoil.models.zprime_331 import BETAS
from nurecoil.parameters import Value
from nurecoil.physics.couplings import Couplings

SIN2_THETA_W = 0.23867  # not printed; reproduces the event numbers; ŝ²(0) of Erler & Ramsey-Musolf 2004
SIN2_THETA_W_LAR, N_SM_LAR = 0.2312, 185.0  # with which the two LAr limits come out instead
MU_NU = 2.9e-11  # Bohr magnetons
S13_TILDE = 0.03
REFERENCE_MASS = 3e6  # MeV: where the paper minimises χ² over the pulls
CL = 0.9
N_SM = 188.0  # what its Table III tends to at large m_Z'

BETA_OF = dict(
    zip(("+sqrt3", "+2/sqrt3", "+1/sqrt3", "0", "-1/sqrt3", "-2/sqrt3", "-sqrt3"), BETAS, strict=True)
)
BETA_TEXT = dict(zip(BETA_OF, ("√3", "2/√3", "1/√3", "0", "−1/√3", "−2/√3", "−√3"), strict=True))
LARGEST = ("+sqrt3", "-sqrt3")
DETECTORS = {
    "binh2021-csi": "CsI",
    "binh2021-lar": "LAr",
    "binh2021-ge": "Ge",
    "binh2021-nai-185": "NaI, 185 kg",
    "binh2021-nai-2000": "NaI, 2 t",
}
EXPERIMENTS = CSI, LAR, GE, _, NAI = tuple(DETECTORS)
PROJECTIONS = EXPERIMENTS[2:]
SYSTEMATICS = (0.2, 0.3)  # the paper's range of σ_sys for the projections


@dataclass(frozen=True)
class Setup:
    """The compiled experiments as the cards have them, and what the Standard Model expects, by name."""

    experiments: Mapping[str, CompiledExperiment]
    totals: Mapping[str, float]

    @cached_property
    def csi_scaled(self) -> CompiledExperiment:
        """The CsI experiment, scaled so that the Standard Model gives the paper's 188 events."""
        return scaled(self.experiments[CSI], N_SM / self.totals[CSI])

    def of(self, name: str, variant: str) -> CompiledExperiment:
        """Return an experiment; CsI in variant "numbers" has the paper's 188 events."""
        return self.csi_scaled if (name, variant) == (CSI, "numbers") else self.experiments[name]


def prepare() -> Setup:
    """Compile the experiments of the paper."""
    experiments = {name: compile_experiment(load_experiment(name)) for name in EXPERIMENTS}
    totals = {name: float(each.counts(standard_model()).sum()) for name, each in experiments.items()}
    return Setup(experiments, totals)


def scaled(compiled: CompiledExperiment, factor: float) -> CompiledExperiment:
    """Return an experiment with more signal, its data as they are."""
    return compiled.with_templates(lambda templates: templates.scaled(factor))


def standard_model(sin2_theta_w: float = SIN2_THETA_W) -> Couplings:
    """Return the Standard Model's couplings."""
    return STANDARD_MODEL.couplings(sin2_theta_w=sin2_theta_w)


def values(beta: str, variant: str, sin2_theta_w: float = SIN2_THETA_W) -> dict[str, Value]:
    """Return the paper's parameters, all but m_Z'."""
    return {
        "beta": BETA_OF[beta],
        "variant": variant,
        "sin2_theta_w": sin2_theta_w,
        "s13_tilde": S13_TILDE,
        "mu_nu": MU_NU,
    }

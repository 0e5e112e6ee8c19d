"""The point of the parameter space at which the paper works, and its experiments, compiled."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from nurecoil.experiment import CompiledExperiment, compile_experiment
from nurecoil.experiment.card import load_experiment
from nurecoil.models import STANDARD_MODEL
from nurecoil.models.zprime_331 import BETAS
from nurecoil.parameters import Value
from nurecoil.study.study import Study

SIN2_THETA_W = 0.23867  # not printed; reproduces the event numbers; ŝ²(0) of Erler & Ramsey-Musolf 2004
SIN2_THETA_W_LAR, N_SM_LAR = 0.2312, 185.0  # with which the two LAr limits come out instead
MU_NU = 2.9e-11  # Bohr magnetons
S13_TILDE = 0.03
REFERENCE_MASS = 3e6  # MeV: where the paper minimises χ² over the pulls
CL = 0.9
N_SM_OF_THE_PAPER = 188.0  # what its Table III tends to at large m_Z'

BETA_OF = dict(
    zip(("+sqrt3", "+2/sqrt3", "+1/sqrt3", "0", "-1/sqrt3", "-2/sqrt3", "-sqrt3"), BETAS, strict=True)
)
BETA_TEXT = dict(zip(BETA_OF, ("√3", "2/√3", "1/√3", "0", "−1/√3", "−2/√3", "−√3"), strict=True))
LARGEST = ("+sqrt3", "-sqrt3")
EXPERIMENTS = CSI, LAR, GE, _, NAI = (
    "binh2021-csi",
    "binh2021-lar",
    "binh2021-ge",
    "binh2021-nai-185",
    "binh2021-nai-2000",
)
DETECTOR_TEXT = dict(zip(EXPERIMENTS, ("CsI", "LAr", "Ge", "NaI, 185 kg", "NaI, 2 t"), strict=True))
PROJECTIONS = EXPERIMENTS[2:]
SYSTEMATICS = (0.2, 0.3)  # the paper's range of σ_sys for the projections


@dataclass(frozen=True)
class Setup:
    """The compiled experiments as the cards have them, and what the Standard Model expects, by name."""

    experiments: Mapping[str, CompiledExperiment]
    standard_model_totals: Mapping[str, float]

    @property
    def csi_scaled(self) -> CompiledExperiment:
        """The CsI experiment, scaled so that the Standard Model gives the paper's 188 events."""
        return scaled(self.experiments[CSI], N_SM_OF_THE_PAPER / self.standard_model_totals[CSI])

    def of(self, name: str, variant: str) -> CompiledExperiment:
        """Return an experiment; CsI in variant "numbers" has the paper's 188 events."""
        return self.csi_scaled if (name, variant) == (CSI, "numbers") else self.experiments[name]


def scaled(compiled: CompiledExperiment, factor: float) -> CompiledExperiment:
    """Return an experiment with more signal, its data as they are."""
    return replace(compiled, templates=compiled.templates.scaled(factor))


def values(beta: str, variant: str, sin2_theta_w: float = SIN2_THETA_W) -> dict[str, Value]:
    """Return the paper's parameters, all but m_Z'."""
    return {
        "beta": BETA_OF[beta],
        "variant": variant,
        "sin2_theta_w": sin2_theta_w,
        "s13_tilde": S13_TILDE,
        "mu_nu": MU_NU,
    }


def standard_model_total(experiment: CompiledExperiment, sin2_theta_w: float = SIN2_THETA_W) -> float:
    """Return the Standard Model's expected counts."""
    (expected,) = Study(STANDARD_MODEL, experiment, sin2_theta_w=sin2_theta_w).predict().values.parts
    return float(expected.total)


def prepare() -> Setup:
    """Compile the experiments of the paper."""
    experiments = {name: compile_experiment(load_experiment(name)) for name in EXPERIMENTS}
    return Setup(experiments, {name: standard_model_total(each) for name, each in experiments.items()})

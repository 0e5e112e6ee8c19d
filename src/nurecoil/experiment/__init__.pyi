"""The names of the room; each is imported from its module when it is first used."""

from .basis import Basis as Basis, STANDARD_BASIS as STANDARD_BASIS, basis_of as basis_of
from .compiled import (
    CompiledExperiment as CompiledExperiment,
    compile_experiment as compile_experiment,
    edits as edits,
    read_only as read_only,
)
from .integrals import signal_templates as signal_templates
from .experiment import (
    Axis as Axis,
    Background as Background,
    BackgroundVariation as BackgroundVariation,
    BinnedStatistics as BinnedStatistics,
    CountingStatistics as CountingStatistics,
    Experiment as Experiment,
    Exposure as Exposure,
    ResidualSpectrum as ResidualSpectrum,
    Signal as Signal,
    Variation as Variation,
)

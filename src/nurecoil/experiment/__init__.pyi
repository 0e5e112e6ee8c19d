"""The names of the room; each is imported from its module when it is first used."""

from .compiled import (
    CompiledExperiment as CompiledExperiment,
    compile_experiment as compile_experiment,
    edits as edits,
    read_only as read_only,
    signal_templates as signal_templates,
)
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

"""The names of the room; each is imported from its module when it is first used."""

from .basis import Basis as Basis, STANDARD_BASIS as STANDARD_BASIS, basis_of as basis_of
from .compiled import (
    CompiledExperiment as CompiledExperiment,
    compile_experiment as compile_experiment,
    edits as edits,
    read_only as read_only,
)
from .integrals import Integrals as Integrals
from .experiment import (
    Axis as Axis,
    Component as Component,
    Experiment as Experiment,
    ResidualSpectrum as ResidualSpectrum,
    Shape as Shape,
    Signal as Signal,
    Statistics as Statistics,
    Variance as Variance,
)

"""The public names; each is imported from its module when it is first used."""

from ._version import __version__ as __version__
from .errors import NurecoilError as NurecoilError
from .experiment import (
    CompiledExperiment as CompiledExperiment,
    Experiment as Experiment,
    compile_experiment as compile_experiment,
)
from .experiment.card import experiment_names as experiment_names, load_experiment as load_experiment
from .models import (
    STANDARD_MODEL as STANDARD_MODEL,
    Model as Model,
    load_model as load_model,
    model_names as model_names,
)
from .models.nsi_files import NsiFile as NsiFile, read_nsi as read_nsi, write_nsi as write_nsi
from .parameters import Parameter as Parameter, Range as Range
from .physics.couplings import Couplings as Couplings
from .physics.nuclei import material as material, nuclide as nuclide
from .scans import Spaced as Spaced
from .study.result import Result as Result
from .study.study import Study as Study

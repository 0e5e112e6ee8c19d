"""What all tests share: the Hypothesis profiles and the built-in experiments, compiled once."""

import os
import signal

import pytest
from hypothesis import settings

from nurecoil.experiment import compile_experiment
from nurecoil.experiment.card import experiment_names, load_experiment, read_card
from releases import data_folder, release_file

settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")
if data_folder().is_dir():  # names of cards find their data in tests as they do for users
    os.environ["NURECOIL_DATA"] = str(data_folder())
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # begun in the background: commands would ignore Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def compiled():
    """Return the built-in experiments with recoils that need no data files, by name, compiled."""
    cards = {name: read_card(name)[1] for name in experiment_names()}
    names = [name for name, card in cards.items() if getattr(card, "data", card) is None]
    return {name: compile_experiment(load_experiment(name)) for name in names}


@pytest.fixture(scope="session")
def csi(compiled):
    """Return the seed's CsI experiment, compiled."""
    return compiled["binh2021-csi"]


@pytest.fixture(scope="session")
def coherent():
    """Return the COHERENT experiments by name, compiled; skip without their data."""
    names = [name for name in experiment_names() if name.startswith("coherent-")]
    for name in names:
        release_file(name, read_card(name)[1].data.observed.file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NURECOIL_DATA", str(data_folder()))
        return {name: compile_experiment(load_experiment(name)) for name in names}

"""What all tests share: the Hypothesis profiles and the built-in experiments, compiled once."""

import os

import pytest
from hypothesis import settings

from nurecoil.card import experiment_names, load_experiment
from nurecoil.experiment import compile_experiment

settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(scope="session")
def compiled():
    """Return all built-in experiments by name, compiled."""
    return {name: compile_experiment(load_experiment(name)) for name in experiment_names()}


@pytest.fixture(scope="session")
def csi(compiled):
    """Return the seed's CsI experiment, compiled."""
    return compiled["binh2021-csi"]

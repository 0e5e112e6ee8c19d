"""Experiment cards: one TOML file describes one experiment; read, checked, built.

`nurecoil.experiment.cards` holds the cards that come with the package; a path to a card of one's own is
accepted wherever a name is. `schema` says what a card may contain.
"""

from nurecoil.experiment.card.reading import experiment_names, load_experiment, read_card

__all__ = ["experiment_names", "load_experiment", "read_card"]

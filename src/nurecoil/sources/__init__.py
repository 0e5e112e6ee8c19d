"""Neutrino sources: unit-normalised spectra per flavour, as lines and continua."""

from nurecoil.errors import unknown_name
from nurecoil.sources.flux import Component as Component
from nurecoil.sources.flux import Continuum as Continuum
from nurecoil.sources.flux import Flux as Flux
from nurecoil.sources.flux import Line as Line
from nurecoil.sources.flux import flux_integral as flux_integral
from nurecoil.sources.pion_decay_at_rest import pion_decay_at_rest

SOURCES = {
    "pion-decay-at-rest": pion_decay_at_rest,
}


def load_flux(name: str) -> Flux:
    """Return the neutrino source called `name`."""
    if name not in SOURCES:
        raise unknown_name("neutrino source", name, SOURCES)
    return SOURCES[name]()

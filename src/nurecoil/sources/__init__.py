"""Neutrino sources: unit-normalised spectra per flavour, as lines and continua."""

from nurecoil.errors import unknown_name
from nurecoil.sources.flux import Component, Continuum, Flux, Line, flux_integral
from nurecoil.sources.pion_decay_at_rest import pion_decay_at_rest

__all__ = ["Component", "Continuum", "Flux", "Line", "flux_integral", "load_flux", "pion_decay_at_rest"]

_SOURCES = {"pion-decay-at-rest": pion_decay_at_rest}


def load_flux(name: str) -> Flux:
    """Return the neutrino source called `name`."""
    if name not in _SOURCES:
        raise unknown_name("neutrino source", name, _SOURCES)
    return _SOURCES[name]()

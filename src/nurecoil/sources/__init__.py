"""Neutrino sources: spectra per flavour, as lines and continua, and how many neutrinos an exposure has."""

from nurecoil.sources.atmospheric import Atmospheric as Atmospheric
from nurecoil.sources.flux import Component as Component
from nurecoil.sources.flux import Continuum as Continuum
from nurecoil.sources.flux import Flux as Flux
from nurecoil.sources.flux import Line as Line
from nurecoil.sources.flux import flux_integral as flux_integral
from nurecoil.sources.flux import inverse_moments as inverse_moments
from nurecoil.sources.pion_decay_at_rest import PionDecayAtRest as PionDecayAtRest
from nurecoil.sources.reactor import Reactor as Reactor
from nurecoil.sources.solar import Solar as Solar
from nurecoil.sources.supernova import Supernova as Supernova
from nurecoil.sources.table import FluxTable as FluxTable

Source = (
    PionDecayAtRest  # protons on a target
    | Reactor  # thermal power
    | Solar  # a solar model
    | Supernova  # a model of the emission
    | Atmospheric  # a table of FLUKA
    | FluxTable  # a file
)

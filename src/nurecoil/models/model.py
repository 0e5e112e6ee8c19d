"""What a model is: a name, parameters, and the couplings that follow from them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from nurecoil.one_line import one_line
from nurecoil.parameters import Parameter, Value, Values, resolve
from nurecoil.physics.couplings import Couplings

OF_LIGHT_VECTOR: Final = (  # the channels that it needs
    "light-vector",
    "light-vector-interference",
    "light-vector-interference-phase",
    "light-vector-electron",
)


def _no_notes(values: Values) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True)
class Model:
    """A model of neutrino interactions: parameters in, couplings (Standard Model included) out.

    Attributes
    ----------
    name, title, reference
        How it is called, what it is, where it is defined.
    parameters
        All its parameters.
    evaluate
        The couplings at checked values, one for every parameter; raises `NurecoilError` where the
        model itself does not exist.
    channels
        The channels that it needs (see `nurecoil.physics.channels`): those of its couplings.
    notes
        What a user should be told about a point, in sentences; of a scanned parameter there is no value.
    standard_at
        Values of parameters at which the model is the Standard Model, which is checked; None if it never is.

    Examples
    --------
    >>> from nurecoil import load_model
    >>> nsi = load_model("nsi")  # g_V^n = -1/2 + ε_u + 2 ε_d
    >>> round(float(nsi.couplings(eps_u_ee=0.1).vector_n[0, 0]), 12)
    -0.4
    >>> nsi.resolve({"eps_u_ee": 0.1})["electroweak"]
    'tree'
    """

    name: str
    title: str
    reference: str
    parameters: tuple[Parameter, ...]
    evaluate: Callable[[Values], Couplings]
    channels: tuple[str, ...] = (
        "vector",
        "vector-interference",
        "vector-interference-phase",
        "magnetic",
        "electron",
        "magnetic-electron",
        "weak-charge",
    )
    notes: Callable[[Values], tuple[str, ...]] = _no_notes
    standard_at: Values | None = None

    def __repr__(self) -> str:
        """Return what it is in a line."""
        return one_line(self, self.name, self.title, f"{len(self.parameters)} parameters")

    def resolve(self, values: Values) -> dict[str, Value]:
        """Return a checked value for every parameter: those given, defaults for the rest."""
        return resolve(self.parameters, values, self.name)

    def couplings(self, **values: Value) -> Couplings:
        """Return the couplings at the given parameters (energies in MeV; arrays for many points)."""
        return self.evaluate(self.resolve(values))

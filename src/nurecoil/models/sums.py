"""Sums of models, `nsi+magnetic-moments`: what each of them changes of the Standard Model, together.

Contact couplings are amplitudes and add coherently: g = g_SM + Σ_models (g_model - g_SM). Magnetic moments,
scalars and tensors turn the helicity and are kept beside them: they add to the counts, without interference.
But with one another moments interfere, those of two models and, of Dirac neutrinos, with a scalar (by the
Gordon identity, up to 80 % of the counts, with the other sign of antineutrinos): what makes both is refused.
There is one mediator of a kind. Neutron radii go with contact vector couplings and what sees protons or spins
alone. Beside oscillations into a sterile neutrino, couplings are real and contact ones.
"""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from nurecoil.errors import NurecoilError
from nurecoil.models.model import Model
from nurecoil.models.standard_model import STANDARD_MODEL
from nurecoil.parameters import Parameter, Values
from nurecoil.physics.couplings import AMPLITUDES, Couplings

_OF_NEUTRONS = ("light_vector", "light_scalar", "light_tensor", "tensor_p")


def sum_of(models: Sequence[Model]) -> Model:
    """Return the sum of models, which share the Standard Model's parameters and no others.

    Raises
    ------
    NurecoilError
        Where two are one, or have a parameter of the same name. When evaluated, where what they make is not
        known together.

    Examples
    --------
    >>> from nurecoil import load_model
    >>> load_model("nsi+magnetic-moments").channels
    ('vector', 'vector-interference', 'vector-interference-phase', 'magnetic', 'electron',
     'magnetic-electron', 'weak-charge')
    """
    name = "+".join(model.name for model in models)
    if len({model.name for model in models}) < len(models):
        raise no_sum(name)
    shared = STANDARD_MODEL.parameters
    parameters: dict[str, Parameter] = {}
    for model in models:
        for parameter in model.parameters:
            if parameter.name in parameters and parameter not in shared:
                raise NurecoilError(f"{name}: two of these models have a parameter {parameter.name}")
            parameters[parameter.name] = parameter

    def evaluate(values: Values) -> Couplings:
        standard = STANDARD_MODEL.evaluate({p.name: values[p.name] for p in shared})
        return _together(name, standard, [m.evaluate(_own(m, values)) for m in models])

    own = {p.name: parameters.pop(p.name) for p in shared if p.name in parameters}
    at = [model.standard_at for model in models]
    return Model(
        name=name,
        title=" + ".join(model.title for model in models),
        reference="; ".join(dict.fromkeys(model.reference for model in models)),
        parameters=(*parameters.values(), *own.values()),
        evaluate=evaluate,
        channels=tuple(dict.fromkeys(channel for model in models for channel in model.channels)),
        notes=lambda values: tuple(note for m in models for note in m.notes(_own(m, values))),
        standard_at={k: v for each in at for k, v in (each or {}).items()} if all(at) else None,
    )


def no_sum(name: str) -> NurecoilError:
    """Return the error for a name that has a + and is no sum."""
    return NurecoilError(
        f"the model '{name}' is no sum: that is two or more different models with a + between them, as in"
        " 'nsi+magnetic-moments'"
    )


def _own(model: Model, values: Values) -> Values:
    return {p.name: values[p.name] for p in model.parameters if p.name in values}


def _together(name: str, standard: Couplings, parts: Sequence[Couplings]) -> Couplings:
    """Return the Standard Model's couplings with all changes."""
    changed: dict[str, Any] = {}
    for field in fields(Couplings):
        of_each = [getattr(part, field.name) for part in parts]
        if field.name in (*AMPLITUDES, "weak_p", "weak_n"):
            own = getattr(standard, field.name)
            known = all(part is not None for part in of_each)
            changed[field.name] = own + sum(part - own for part in of_each) if known else None
        else:
            new = [c for c in of_each if c is not None and (not isinstance(c, np.ndarray) or c.any())]
            if len(new) > 1:
                what = field.name.replace("_", " ")
                raise NurecoilError(f"{name}: two of these models have a {what}, and only one may")
            changed[field.name] = new[0] if new else getattr(standard, field.name)
    together = replace(standard, **changed)
    new = [field for field in _OF_NEUTRONS if getattr(together, field) is not None]
    if together.neutron_radii is not None and new:
        raise NurecoilError(
            f"{name}: what a {new[0].removesuffix('_p').replace('_', ' ')} adds would keep the card's"
            " radii of neutrons: neutron-radii goes with contact vector couplings and moments alone"
        )
    if together.light_scalar is not None and together.magnetic_moment.any():
        raise NurecoilError(
            f"{name}: a scalar and a magnetic moment interfere, in a way that is not known here: set one to"
            " 0, or take one of the models alone"
        )
    if together.mixing is not None:
        others = {f.name for f in fields(Couplings)} - {*AMPLITUDES, "mixing", "weak_p", "weak_n"}
        new = [c for name in others if (c := getattr(together, name)) is not None]
        if any(not isinstance(c, np.ndarray) or c.any() for c in new) or np.iscomplexobj(together.vector_p):
            raise NurecoilError(
                f"{name}: how neutrinos scatter after oscillations into a sterile one is known here of real"
                " vector couplings alone, without moments, mediators, spins, radii and phases"
            )
    return together

"""What every shipped model must hold: its Standard Model, flavours by themselves, Hermitian couplings.

What is special to one, such as an analytic case, is tested with it.
"""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from nurecoil.errors import NurecoilError
from nurecoil.experiment.recoil import rates
from nurecoil.models import STANDARD_MODEL, load_model
from nurecoil.models.loading import MODELS, check
from nurecoil.physics.cross_section import Conventions
from nurecoil.physics.form_factors import form_factor
from nurecoil.physics.nuclei import nuclide
from nurecoil.sources import Component, Flux, Line

HELM, T = form_factor("helm"), np.array([0.004, 0.012])
FLUX = Flux("lines", tuple(Component(f"nu_{f}", f, Line(40.0)) for f in ("e", "mu", "tau")), "test")
LIGHT = {"m_mediator": 10.0}
# where each is the Standard Model, and a point of a coupling of ν_μ alone, of those that have such
STANDARD = {
    "standard-model": {},
    "scaled-standard-model": {"signal_strength": 1.0},
    "nsi": {},
    "nsi-axial": {},
    "tensor": {},
    "light-vector": {**LIGHT, "g_mediator": 1e-10},
    "light-scalar": {**LIGHT, "g_mediator": 1e-10},
    "light-tensor": {**LIGHT, "g_mediator": 1e-10},
    "u1-prime": {**LIGHT, "g_mediator": 1e-10, "charges": "B-L"},
    "magnetic-moments": {},
    "charge-radii": {},
    "millicharges": {},
    "dipole-portal": {"m_4": 10.0},
    "sterile": {"dm2_41": 1.0},
    "neutron-radii": {},
    "331-beta": {"beta": -1.0, "m_zprime": np.inf},
}
UNCHARGED = {"charge_nu_e": 0.0, "charge_nu_tau": 0.0, "g_mediator": 3e-4}
OF_NU_MU = {
    "nsi": {"eps_u_mumu": 0.1},
    "nsi-axial": {"eps_axial_u_mumu": 10.0},
    "tensor": {"eps_tensor_u_mumu": 0.1},
    "light-vector": {**LIGHT, **UNCHARGED},
    "light-scalar": {**LIGHT, **UNCHARGED},
    "light-tensor": {**LIGHT, **UNCHARGED},
    "u1-prime": {**LIGHT, "g_mediator": 3e-4, "charges": "B-3L_mu"},
    "magnetic-moments": {"mu_nu_mu": 3e-9},
    "charge-radii": {"r2_nu_mu": 5e-32},
    "millicharges": {"q_nu_mu": 3e-8},
    "dipole-portal": {"m_4": 10.0, "d_mu": 3e-9},
    "sterile": {"dm2_41": 1.0, "u2_mu4": 0.2},
}
UNIVERSAL = {
    "standard-model",
    "scaled-standard-model",
    "neutron-radii",
    "331-beta",
}  # no coupling of a flavour


HOLDERS = ("light_vector",)


def recoils(model, values, name="Cs133"):
    """Return dσ/dT of ν_e, ν_μ and ν_τ of 40 MeV, (3, 2)."""
    couplings = model.couplings(**values)
    return rates(nuclide(name), FLUX, HELM, Conventions(), couplings, T, model.channels, 19.3)


@cache
def standard(name="Cs133"):
    return recoils(STANDARD_MODEL, {}, name)


def test_every_model_is_looked_at():
    assert {*STANDARD} == {model.name for model in MODELS}
    assert {*OF_NU_MU} | UNIVERSAL == {*STANDARD}


@pytest.mark.parametrize("name", STANDARD)
def test_there_it_is_the_standard_model(name):
    """`nsi-axial` has the Standard Model's axial part too: it is looked at where there are no spins."""
    on = "Ar40" if name == "nsi-axial" else "Cs133"
    np.testing.assert_allclose(recoils(load_model(name), STANDARD[name], on), standard(on), rtol=1e-9)


@pytest.mark.parametrize("name", OF_NU_MU)
def test_a_coupling_of_nu_mu_leaves_the_others_alone(name):
    model = load_model(name)
    changed, as_it_is = recoils(model, OF_NU_MU[name]), recoils(model, STANDARD[name])
    np.testing.assert_allclose(changed[[0, 2]], as_it_is[[0, 2]], rtol=1e-9)
    assert (np.abs(changed[1] / as_it_is[1] - 1) > 1e-3).all()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_couplings_that_are_not_hermitian_are_refused_by_name(model):
    """Whatever matrix of a vector is made lopsided; those of tensors and scalars, with h.c., may be."""
    point = model.resolve({**STANDARD[model.name], **OF_NU_MU.get(model.name, {})})
    found = model.evaluate(point)
    matrices = {
        (holder, field): getattr(part, field)
        for holder, part in (("", found), *((h, getattr(found, h)) for h in HOLDERS if getattr(found, h)))
        for field in vars(part)
        if not field.startswith("tensor")
        if isinstance(getattr(part, field), np.ndarray) and getattr(part, field).shape[-2:] == (3, 3)
    }
    assert len(matrices) >= 4
    for (holder, field), matrix in matrices.items():
        np.testing.assert_allclose(matrix, np.conj(np.swapaxes(matrix, -1, -2)), atol=1e-15)
        lopsided = np.array(matrix) + np.triu(np.ones((3, 3)), 1)

        def evaluate(values, holder=holder, field=field, lopsided=lopsided):
            if not holder:
                return replace(model.evaluate(values), **{field: lopsided})
            part = replace(getattr(model.evaluate(values), holder), **{field: lopsided})
            return replace(model.evaluate(values), **{holder: part})

        own = replace(model, name="lopsided", evaluate=evaluate, standard_at=None)
        with pytest.raises(NurecoilError, match=rf"^own: the model lopsided gives .*{field} .*not Hermitian"):
            check(own, "own")

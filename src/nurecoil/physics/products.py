"""Products of couplings, by channel: all that a cross section is linear in.

A product is per incoming flavour and summed over outgoing ones. That of a channel with a weight in q² comes
with it. A model that has no such couplings has no products.
"""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import combinations_with_replacement, permutations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nurecoil.arithmetic import Array
from nurecoil.physics.couplings import Couplings, Exchange
from nurecoil.physics.radii import NEUTRON_RADII, Radius
from nurecoil.physics.weights import Shape, Weight

Terms = tuple[Array, ...]
"""A product for each term, shape (..., 3): apart, as together they would be one copy more of a long scan."""

Pair = tuple[NDArray[Any], NDArray[Any]]
"""Amplitudes with p and n, or with left- and right-handed electrons, shape (..., 3, 3)."""

Products = tuple[tuple[Terms, Weight | Radius | Shape | None], ...]
"""(products of each term; their weight): to be summed."""

PAIRS: Final = ((0, 1), (0, 2), (1, 2))  # of flavours

Overlap = Callable[[NDArray[Any], NDArray[Any]], Array]


def _overlap(x: NDArray[Any], y: NDArray[Any]) -> Array:
    """Return Re Σ_β x_αβ y*_αβ."""
    if np.iscomplexobj(x) or np.iscomplexobj(y):
        return _overlap(x.real, y.real) + _overlap(x.imag, y.imag)
    sums: Array = np.einsum("...ab,...ab->...a", x, y)
    return sums


def _square(x: NDArray[Any], y: NDArray[Any], of: Overlap = _overlap) -> Terms:
    """Return what multiplies a², ab and b² in Σ_β |a x_αβ + b y_αβ|²."""
    return of(x, x), 2 * of(x, y), of(y, y)


def vector_products(couplings: Couplings) -> Terms:
    """Return what multiplies Z²F_p², ZN F_p F_n and N²F_n² in Σ_β |Q_αβ|².

    Σ_β |Z F_p g_p^αβ + N F_n g_n^αβ|² = Z²F_p² Σ|g_p|² + ZN F_p F_n 2 Re Σ g_p g_n* + N²F_n² Σ|g_n|²

    Per incoming flavour α, the three sums over outgoing flavours β, shape (..., 3) each.
    """
    return _square(couplings.vector_p, couplings.vector_n)


def _coherent(x: NDArray[Any], y: NDArray[Any], phase: bool) -> Array:
    """Return what multiplies the coherences of mass states in Σ_f |Σ_α ψ_α Q*_αf|², per pair eμ, eτ, μτ.

    2 Re ρ_αβ S_αβ = 2 (Re ρ Re S - Im ρ Im S); the latter if `phase`. Of two amplitudes x and y it is
    S_αβ = Σ_f (x*_αf y_βf + y*_αf x_βf)/2.
    """
    first, second = np.array(PAIRS).T
    pairs = ((a[..., first, :].conj(), b[..., second, :]) for a, b in ((x, y), (y, x)))
    S = sum(np.einsum("...af,...af->...a", a, b) for a, b in pairs)
    return np.asarray(-np.imag(S) if phase else np.real(S))


def _turn(*amplitudes: NDArray[Any]) -> bool:
    """Return whether amplitudes change flavour."""
    return any(np.any(x[..., a, b]) for x in amplitudes for a, b in permutations(range(3), 2))


def _interference(couplings: Couplings, phase: bool) -> Products:
    """Return the products of the vector channel for the coherences of mass states."""
    p, n = couplings.vector_p, couplings.vector_n
    return ((_square(p, n, partial(_coherent, phase=phase)), None),) if _turn(p, n) else ()


def _axial(couplings: Couplings) -> Products:
    """Return what multiplies the spin responses, with g_A^N = Σ_q Δq g_A^q in place of a count of quarks."""
    if (spins := couplings.quark_spins) is None:
        return ()
    p, n = couplings.axial_p, couplings.axial_n
    u, d = (2 * p - n) / 3, (2 * n - p) / 3  # p = 2u + d, n = u + 2d
    return ((_square(spins[0] * u + spins[1] * d, spins[1] * u + spins[0] * d), None),)


def _light_vector(couplings: Couplings) -> Products:
    """Return what a mediator adds to |Q|²: its interference with the rest, and its own square."""
    if (light := couplings.light_vector) is None:
        return ()
    rest, tree = (couplings.vector_p, couplings.vector_n), (light.proton, light.neutron)
    return _exchanged(light, rest, tree, (1.0, 0.0))


def _light_interference(couplings: Couplings, phase: bool) -> Products:
    """Return the same for the coherences of mass states."""
    if (light := couplings.light_vector) is None:
        return ()
    rest, tree = (couplings.vector_p, couplings.vector_n), (light.proton, light.neutron)
    of = partial(_coherent, phase=phase)
    return _exchanged(light, rest, tree, (1.0, 0.0), of) if _turn(*rest, *tree) else ()


def _of_mediator(light: Exchange | None) -> Products:
    """Return |Q|² of a scalar or tensor, which adds to the rest as it turns the neutrino's helicity."""
    return () if light is None else ((_square(light.proton, light.neutron), Weight(light.mass, 2)),)


def _tensor(couplings: Couplings) -> Products:
    """Return the same of a contact interaction."""
    if (p := couplings.tensor_p) is None or (n := couplings.tensor_n) is None:
        return ()
    return ((_square(p, n), None),)


def _neutrons(name: str, couplings: Couplings) -> Products:
    """Return the products of the vector channel, for what a neutron radius changes of it."""
    if (radii := couplings.neutron_radii) is None:
        return ()
    return ((vector_products(couplings), Radius(name, radii[name])),)


def _electron(couplings: Couplings, of: Overlap = _overlap) -> Products:
    """Return Σ_β |g_L|², |g_R|² and Re g_L g_R*."""
    if (left := couplings.electron_left) is None or (right := couplings.electron_right) is None:
        return ()
    return (((of(left, left), of(right, right), of(left, right)), None),)


def _light_vector_electron(couplings: Couplings) -> Products:
    """Return what a mediator adds to them: its interference with the rest, and its own square."""
    g_left, g_right, light = couplings.electron_left, couplings.electron_right, couplings.light_vector
    if g_left is None or g_right is None or light is None:
        return ()
    tree = light.electron_left, light.electron_right
    found = _exchanged(light, (g_left, g_right), tree, (-0.5, -0.5))
    return tuple(((a, b, ab / 2), weight) for (a, ab, b), weight in found)


def _exchanged(
    light: Exchange, rest: Pair, tree: Pair, charges: tuple[float, float], of: Overlap = _overlap
) -> Products:
    """Return what a mediator adds to a², 2ab and b² of two amplitudes: its interference, and its own square.

    a = rest_a + (tree_a + charge_a loop(q))/(q² + m²), and b alike: a product for each pair of these parts.
    """
    parts: list[tuple[Pair, int, tuple[Any, ...]]] = [(rest, 0, ())]
    if light.loop is None or tree[0].any() or tree[1].any():
        parts.append((tree, 1, ()))
    if light.loop is not None and light.charge is not None:
        parts.append(((charges[0] * light.charge, charges[1] * light.charge), 1, (light.loop,)))
    return tuple(
        (_square(*x, of) if x is y else _twice(x, y, of), Weight(light.mass, power + more, factors + others))
        for (x, power, factors), (y, more, others) in combinations_with_replacement(parts, 2)
        if power + more
    )


def _weak_charge(couplings: Couplings) -> Products:
    """Return the weak charges of proton and neutron, which stand where those of ν_e do."""
    if (p := couplings.weak_p) is None or (n := couplings.weak_n) is None:
        return ()
    of_electrons = np.array([1.0, 0.0, 0.0])
    return (((np.multiply.outer(p, of_electrons), np.multiply.outer(n, of_electrons)), None),)


def _twice(x: Pair, y: Pair, of: Overlap) -> Terms:
    """Return what multiplies a², ab and b² in 2 Re Σ_β (a x_0 + b x_1)_αβ (a y_0 + b y_1)*_αβ."""
    (p, n), (v, w) = x, y
    return 2 * of(p, v), 2 * (of(p, w) + of(n, v)), 2 * of(n, w)


def _transition(couplings: Couplings) -> Products:
    """Return d_α²: nothing interferes with what makes another neutrino."""
    heavy = couplings.transition
    return () if heavy is None else (((heavy.by_flavour**2,), Shape(heavy.shape)),)


def _sterile(couplings: Couplings) -> Products:
    """Return what oscillations add to the products of the vector channel, over sin² of their phase."""
    if (fourth := couplings.mixing) is None:
        return ()
    of = partial(_mixed, fourth.by_flavour)
    return ((_square(couplings.vector_p, couplings.vector_n, of), Shape(fourth.shape)),)


def _sterile_electron(couplings: Couplings) -> Products:
    """Return what they add to those of electrons."""
    if (fourth := couplings.mixing) is None:
        return ()
    of = partial(_mixed, fourth.by_flavour)
    return tuple((terms, Shape(fourth.shape)) for terms, _ in _electron(couplings, of))


def _mixed(U: Array, x: NDArray[Any], y: NDArray[Any]) -> Array:
    """Return 4 [U_α² (UᵀGU) - U_α (GU)_α], with G = x yᵀ made symmetric, of real couplings.

    A neutrino α comes as Σ_β [δ_αβ + U_α U_β (e^{-2iφ} - 1)] |β>, and Σ |amplitude|² of G is G_αα + sin²φ of
    this. If G is the same for all flavours, that is -4 U_α² (1 - Σ_β U_β²) G: what is sterile is lost.
    """
    u, v = (np.einsum("...a,...ab->...b", U, matrix) for matrix in (x, y))
    own = np.einsum("...ab,...b->...a", x, v) + np.einsum("...ab,...b->...a", y, u)
    return np.asarray(4 * U * (U * np.einsum("...b,...b->...", u, v)[..., np.newaxis] - own / 2))


def stacked(terms: Terms) -> Array:
    """Return the products of all terms as one array, shape (..., 3, terms)."""
    return np.stack(np.broadcast_arrays(*terms), axis=-1)


PRODUCTS: Final[Mapping[str, Callable[[Couplings], Products]]] = {
    "vector": lambda couplings: ((vector_products(couplings), None),),
    "vector-interference": partial(_interference, phase=False),
    "vector-interference-phase": partial(_interference, phase=True),
    "magnetic": lambda couplings: (((couplings.magnetic_moment**2,), None),),
    "axial": _axial,
    "light-vector": _light_vector,
    "light-vector-interference": partial(_light_interference, phase=False),
    "light-vector-interference-phase": partial(_light_interference, phase=True),
    "light-scalar": lambda couplings: _of_mediator(couplings.light_scalar),
    "tensor": _tensor,
    "light-tensor": lambda couplings: _of_mediator(couplings.light_tensor),
    **{f"neutrons-{name}": partial(_neutrons, name) for name in NEUTRON_RADII},
    "electron": _electron,
    "light-vector-electron": _light_vector_electron,
    "weak-charge": _weak_charge,
    "dipole-portal": _transition,
    "sterile": _sterile,
    "sterile-electron": _sterile_electron,
}

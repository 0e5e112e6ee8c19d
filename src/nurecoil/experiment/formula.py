"""Backgrounds given by a formula of the energy and free parameters, with exact derivatives in these.

A formula is written as in Python, `A + B * exp(-C * E)`. It is evaluated with the rules of differentiation,
to second order, and integrated over the bins with Gauss-Legendre nodes.
"""

import ast
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.errors import NurecoilError, unknown_name
from nurecoil.parameters import Parameter

ENERGY = "E"
_NODES = 3  # in each part of a bin
_PARTS = (1, 2, 4, 8, 16, 32, 64)  # that a bin may have
_EXACT = 1e-7  # of the largest bin


class Jet(NamedTuple):
    """Numbers with their derivatives in parameters, of number i, or i >= j; those that are 0 are left out."""

    value: Any
    first: dict[int, Any] = {}  # noqa: RUF012
    second: dict[tuple[int, int], Any] = {}  # noqa: RUF012


@dataclass(frozen=True)
class Formula:
    """Counts in bins as a formula of the energy and parameters.

    Attributes
    ----------
    text
        Counts per unit of the energy.
    symbols, parameters
        What the text calls its parameters, and what these are.
    nodes : ndarray, shape (nodes,)
        Energies at which it is evaluated.
    spread : ndarray, shape (bins, nodes)
        What an integral over each bin takes of each.
    """

    text: str
    symbols: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    nodes: Array
    spread: Array

    @property
    def counts(self) -> Array:
        """The counts at the parameters' defaults, shape (bins,)."""
        with np.errstate(all="ignore"):
            found: Array = self.at([np.array([p.default], dtype=float) for p in self.parameters]).value[0]
        return found

    def at(self, values: Sequence[Array]) -> Jet:
        """Return the counts (P, bins) at values (P,) of the parameters; NaN where there are none."""
        parameters = {
            symbol: Jet(value[:, np.newaxis], {number: 1.0})
            for number, (symbol, value) in enumerate(zip(self.symbols, values, strict=True))
        }
        known = {ENERGY: Jet(self.nodes), "pi": Jet(math.pi), **parameters}
        value, first, second = _evaluated(self._tree, known)
        at_nodes = np.empty((1 + len(first) + len(second), values[0].size if values else 1, self.nodes.size))
        for row, numbers in zip(at_nodes, (value, *first.values(), *second.values()), strict=True):
            row[:] = numbers
        integrals = self._spread @ at_nodes.reshape(-1, self.nodes.size).T
        found, *derivatives = integrals.T.reshape(*at_nodes.shape[:2], -1)
        slopes, curves = derivatives[: len(first)], derivatives[len(first) :]
        return Jet(found, dict(zip(first, slopes, strict=True)), dict(zip(second, curves, strict=True)))

    @cached_property
    def _spread(self) -> Any:
        """What each node gives to the bins: nothing to most of them."""
        from scipy.sparse import csr_array  # type: ignore[import-untyped]

        return csr_array(self.spread)

    @cached_property
    def _tree(self) -> ast.expr:
        return parsed(self.text, self.symbols)


def integrals(edges: Sequence[float], parts: int) -> tuple[Array, Array]:
    """Return nodes of integrals over bins, each in so many parts, and their weights, (bins, nodes)."""
    x, w = np.polynomial.legendre.leggauss(_NODES)
    ends = np.asarray(edges, dtype=float)
    width = np.diff(ends) / parts
    middles = ends[:-1, np.newaxis] + width[:, np.newaxis] * (np.arange(parts) + 0.5)
    nodes = middles[..., np.newaxis] + width[:, np.newaxis, np.newaxis] / 2 * x
    each = np.tile(w, parts) * width[:, np.newaxis] / 2
    weights = np.zeros((width.size, nodes.size))
    for bin, row in enumerate(each):
        weights[bin, bin * row.size : (bin + 1) * row.size] = row
    return nodes.ravel(), weights


def formula(
    text: str, parameters: Mapping[str, Parameter], edges: Sequence[float], spread: Callable[[Array], Array]
) -> Formula:
    """Return a formula with so many nodes in each bin that its counts at the defaults are known to 1e-7.

    Parameters
    ----------
    parameters
        All that it may have, by symbol.
    edges
        Of the bins in energy.
    spread
        From what is in these bins, (bins in energy, ...), to what is in all bins.
    """
    tree = parsed(text, tuple(parameters))
    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    symbols = tuple(symbol for symbol in parameters if symbol in named)
    own = tuple(parameters[symbol] for symbol in symbols)

    def in_parts(parts: int) -> tuple[Formula, Array]:
        nodes, weights = integrals(edges, parts)
        found = Formula(text, symbols, own, nodes, spread(weights))
        counts = found.counts
        if not (counts >= 0).all():
            raise NurecoilError(f"'{text}' is {counts[~(counts >= 0)][0]:g} in a bin: it must be 0 or more")
        return found, counts

    known = in_parts(_PARTS[-1])[1]
    for parts in _PARTS[:-1]:
        found, counts = in_parts(parts)
        if np.abs(counts - known).max() <= _EXACT * known.max():
            return found
    raise NurecoilError(f"'{text}' changes too fast within a bin to be integrated: take smaller bins")


def parsed(text: str, symbols: Sequence[str]) -> ast.expr:
    """Return the tree of a formula, all parts of which are allowed."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        tree = ast.Tuple(elts=[])
    names = (ENERGY, "pi", *symbols)
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[_], keywords=[]):
                if name not in FUNCTIONS:
                    raise unknown_name("function of a formula", name, FUNCTIONS)
            case ast.Name(id=name):
                if name not in names and name not in FUNCTIONS:
                    raise unknown_name("name in a formula", name, names)
            case ast.BinOp(op=ast.Pow(), right=right) if not _number(right):
                raise NurecoilError(f"'{text}' has a power that is no number: write exp(… * log(…))")
            case ast.Constant(value=value) if type(value) in (int, float):
                pass
            case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div() | ast.Pow()):
                pass
            case (
                ast.UnaryOp(op=ast.USub() | ast.UAdd()) | ast.operator() | ast.unaryop() | ast.expr_context()
            ):
                pass
            case _:
                raise NurecoilError(
                    f"'{text}' is no formula: it must be made of numbers, {', '.join(names)}, + - * / **, and"
                    f" the functions {', '.join(FUNCTIONS)} of one argument"
                )
    return tree


def _number(tree: ast.expr) -> bool:
    return not any(isinstance(node, ast.Name | ast.Call) for node in ast.walk(tree))


def _evaluated(tree: ast.expr, known: Mapping[str, Jet]) -> Jet:
    match tree:
        case ast.Constant(value=value):
            return Jet(float(value))  # type: ignore[arg-type]
        case ast.Name(id=name):
            if name not in known:
                raise NurecoilError(f"'{name}' of a formula is a function: write {name}(…)")
            return known[name]
        case ast.UnaryOp(op=op, operand=operand):
            return _product(Jet(-1.0 if isinstance(op, ast.USub) else 1.0), _evaluated(operand, known))
        case ast.Call(func=ast.Name(id=name), args=[argument]):
            return _applied(FUNCTIONS[name], _evaluated(argument, known))
    assert isinstance(tree, ast.BinOp)
    left, right = _evaluated(tree.left, known), _evaluated(tree.right, known)
    match tree.op:
        case ast.Add():
            return _sum(left, right)
        case ast.Sub():
            return _sum(left, _product(Jet(-1.0), right))
        case ast.Mult():
            return _product(left, right)
        case ast.Div():
            return _product(left, _applied(_power(-1.0), right))
    return _applied(_power(float(right.value)), left)


def _sum(a: Jet, b: Jet) -> Jet:
    return Jet(a.value + b.value, _merged(a.first, b.first), _merged(a.second, b.second))


def _merged(a: dict[Any, Any], b: dict[Any, Any]) -> dict[Any, Any]:
    return {**a, **{key: operator.add(a[key], x) if key in a else x for key, x in b.items()}}


def _product(a: Jet, b: Jet) -> Jet:
    """Return a b: ∂(a b) = ∂a b + a ∂b, ∂∂'(a b) = ∂∂'a b + ∂a ∂'b + ∂'a ∂b + a ∂∂'b."""
    parts = [
        *({key: x * b.value} for key, x in a.second.items()),
        *({key: a.value * x} for key, x in b.second.items()),
        *(
            {(max(i, j), min(i, j)): (2.0 if i == j else 1.0) * x * y}
            for i, x in a.first.items()
            for j, y in b.first.items()
        ),
    ]
    second: dict[tuple[int, int], Any] = {}
    for part in parts:
        second = _merged(second, part)
    slopes = ({i: x * b.value for i, x in a.first.items()}, {i: a.value * x for i, x in b.first.items()})
    return Jet(a.value * b.value, _merged(*slopes), second)


def _applied(function: Callable[[Any], tuple[Any, Any, Any]], a: Jet) -> Jet:
    """Return f(a): ∂f = f' ∂a, ∂∂'f = f' ∂∂'a + f'' ∂a ∂'a."""
    value, first, second = function(a.value)
    curves = {(i, j): second * x * y for i, x in a.first.items() for j, y in a.first.items() if j <= i}
    straight = {key: first * x for key, x in a.second.items()}
    return Jet(value, {i: first * x for i, x in a.first.items()}, _merged(curves, straight))


def _power(n: float) -> Callable[[Any], tuple[Any, Any, Any]]:
    """Return xⁿ and its derivatives, as a function."""

    def power(x: Any) -> tuple[Any, Any, Any]:
        x = np.asarray(x, dtype=float)
        found = [
            factor * x ** (n - order) if factor else 0.0 * x
            for order, factor in enumerate((1.0, n, n * (n - 1)))
        ]
        return found[0], found[1], found[2]

    return power


def _exp(x: Any) -> tuple[Any, Any, Any]:
    e = np.exp(x)
    return e, e, e


def _log(x: Any) -> tuple[Any, Any, Any]:
    return np.log(x), 1 / x, -1 / x**2


def _normal(x: Any) -> tuple[Any, Any, Any]:
    """Return the density of a standard normal number, e^(-x²/2)/√(2π)."""
    density = np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    return density, -x * density, (x * x - 1) * density


FUNCTIONS = {"exp": _exp, "log": _log, "sqrt": _power(0.5), "normal": _normal}

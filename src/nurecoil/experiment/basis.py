"""Strengths and their basis: the numbers that the counts of several experiments are linear in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.errors import NurecoilError
from nurecoil.experiment.compiled import CompiledExperiment
from nurecoil.experiment.recoil import RecoilTemplates
from nurecoil.physics.channels import CHANNELS, STANDARD
from nurecoil.physics.couplings import FLAVOURS, Couplings
from nurecoil.physics.shapes import Pieces

_KEPT: Final = 1e-12  # of the largest singular value
_OF_PIECES: Final = 1e-10  # of it, where no weight is steep
_ROWS: Final = 100  # sums of rows with random signs, in place of more rows, to begin with
_FAINT: Final = 1e-6  # of the largest template: fainter ones need only be known as well as it


@dataclass(frozen=True)
class Modes:
    """What of a weight f(q) the counts of one flavour depend on: a few sums over terms and common nodes.

    counts = Θ f = (Θ up)(downᵀ f) for the propagator of any mediator and its square, to 1e-8 or better. For
    CsI 2021 and LAr 2020 together 35 modes do for 96 nodes and terms. A flavour that no source has, has none.

    Attributes
    ----------
    nodes : Nodes, Radii or Pieces
        As the channel's weight has.
    down, up : ndarray, shape (terms, K, modes)
    """

    nodes: Any
    down: Array
    up: Array


@dataclass(frozen=True)
class Basis:
    """Which numbers the strengths of couplings are: flavour by flavour, term by term, for each channel.

    Attributes
    ----------
    channels : mapping of str to tuple of Modes, or None
        The modes of each flavour, or None where a channel has no weight.
    unseen
        Channels that were asked for and that no experiment sees.
    """

    channels: Mapping[str, tuple[Modes, ...] | None]
    unseen: tuple[str, ...] = ()

    @cached_property
    def sizes(self) -> dict[str, int]:
        """The number of strengths of each channel."""
        return {
            name: len(FLAVOURS) * CHANNELS[name].terms if modes is None else sum(m.up.shape[2] for m in modes)
            for name, modes in self.channels.items()
        }

    def strengths(self, couplings: Couplings) -> Array:
        """Return all that expected counts are linear in, shape (points, strengths).

        With the templates of an experiment, counts are one matrix product. Without points, there is one.

        Raises
        ------
        NurecoilError
            For a mediator in a channel that was not asked for.
        """
        for name, channel in CHANNELS.items():
            known = name in self.channels or name in self.unseen or not channel.weighted
            if not known and channel.products(couplings):
                raise NurecoilError(
                    f"there are couplings of the channel {name}, which the model does not list"
                )
        parts = {name: self._of_channel(name, couplings) for name in self.channels}
        points = np.broadcast_shapes(*(row.shape for rows in parts.values() for row in rows))
        # Points last in memory: each strength is written once, and later read, in one run
        strengths, first = np.zeros((sum(self.sizes.values()), *points)), 0
        for name, rows in parts.items():
            for number, row in enumerate(rows):
                strengths[first + number] = row
            first += self.sizes[name]
        return strengths.reshape(len(strengths), -1).T

    def _of_channel(self, name: str, couplings: Couplings) -> list[Array]:
        """Return the strengths of a channel, shape (...) each; none where there are no such couplings."""
        modes, parts = self.channels[name], []
        for terms, weight in CHANNELS[name].products(couplings):
            if weight is None or modes is None:
                parts.append([term[..., flavour] for flavour in range(len(FLAVOURS)) for term in terms])
                continue
            at_nodes, rows = weight.at(modes[0].nodes), []
            for flavour, m in enumerate(modes):
                of_terms = (at_nodes @ down for down in m.down)
                found = sum(
                    term[..., flavour, np.newaxis] * w for term, w in zip(terms, of_terms, strict=True)
                )
                rows += list(np.moveaxis(np.asarray(found), -1, 0))
            parts.append(rows)
        return [sum(rows[1:], rows[0]) for rows in zip(*parts, strict=True)]

    def matrix(self, templates: RecoilTemplates) -> Array:
        """Return what multiplies the strengths, shape (strengths, n); 0 for infinite counts of a moment."""
        n = len(next(iter(templates.channels.values())))
        rows = []
        for name, modes in self.channels.items():
            if name not in templates.channels:  # electrons that are not seen
                rows.append(np.zeros((self.sizes[name], n)))
                continue
            array = templates[name]
            if name == "magnetic":
                array = np.where(np.isinf(array), 0.0, array)
            if modes is None:
                rows.append(array.reshape(n, -1).T)
                continue
            nodes, own = modes[0].nodes, templates.nodes[name]
            if isinstance(nodes, Pieces):
                ups, array = [m.up[:, nodes.places(own)] for m in modes], templates[name]
            else:
                ups, array = [m.up for m in modes], templates.at({name: nodes})[name]
            rows += [np.tensordot(up, array[:, f], axes=((0, 1), (1, 2))) for f, up in enumerate(ups)]
        return np.concatenate(rows)


STANDARD_BASIS: Final = Basis(dict.fromkeys(STANDARD))


def basis_of(channels: Sequence[str], experiments: Sequence[CompiledExperiment]) -> Basis:
    """Return the basis of some channels for experiments together, which are compiled for them if need be.

    Channels that no experiment sees are left out.
    """
    compiled = [experiment.with_channels(channels) for experiment in experiments]
    seen = [name for name in channels if any(name in c.templates.channels for c in compiled)]
    modes = {name: _modes(name, compiled) if CHANNELS[name].weighted else None for name in seen}
    return Basis(modes, tuple(name for name in channels if name not in seen))


def _modes(channel: str, experiments: Sequence[CompiledExperiment]) -> tuple[Modes, ...]:
    """Return the modes of each flavour: singular vectors of the counts of all weights in all bins.

    With counts C = Θ W at weights W of many masses, and Θ = Q R, R W = U S Vᵀ. Then up = W V S⁻¹ and
    down = Rᵀ U, so that Θ up downᵀ W = Q U Uᵀ R W = C.
    """
    blocks = [b for e in experiments for b in e.blocks if channel in b.channels]
    first, *others = (block.nodes[channel] for block in blocks)
    nodes = first.joined(others)
    if isinstance(nodes, Pieces):
        return _of_pieces(channel, nodes, blocks)
    templates = np.concatenate([block.at({channel: nodes})[channel] for block in blocks])
    weights = nodes.samples()
    weights = np.kron(np.eye(templates.shape[2]), (weights / np.abs(weights).max(axis=1, keepdims=True)).T)
    largest = np.abs(templates.sum(axis=3)).max(initial=0.0)

    def of_flavour(rows: Array) -> Modes:
        scaled = _scaled(rows, largest)
        triangle = np.asarray(np.linalg.qr(scaled, mode="r"))
        left, values, right = np.linalg.svd(triangle @ weights, full_matrices=False)
        kept = values > _KEPT * values.max(initial=0.0)
        down, up = triangle.T @ left[:, kept], weights @ (right[kept].T / values[kept])
        shape = (*rows.shape[1:], -1) if kept.any() else (*rows.shape[1:], 0)
        return Modes(nodes, down.reshape(shape), up.reshape(shape))

    return tuple(of_flavour(templates[:, flavour]) for flavour in range(len(FLAVOURS)))


def _scaled(rows: Array, largest: float) -> Array:
    """Return the rows (n, terms, K) that are seen, over the counts of a weight that is 1, (seen, terms K)."""
    sizes = np.abs(rows.sum(axis=2)).max(axis=1)
    seen = rows[sizes > 0].reshape(-1, rows[0].size)
    return np.asarray(seen / np.maximum(sizes[sizes > 0], _FAINT * largest)[:, np.newaxis])


def _of_pieces(channel: str, nodes: Pieces, blocks: Sequence[RecoilTemplates]) -> tuple[Modes, ...]:
    """Return the modes of each flavour, for each source alone: singular vectors of the templates, Θ = U S Vᵀ.

    All values at the nodes are those of some shape, or nearly.
    """
    own = tuple(dict.fromkeys(block.nodes[channel] for block in blocks))
    of_source = [np.concatenate([b[channel] for b in blocks if b.nodes[channel] == some]) for some in own]
    largest = max(np.abs(templates.sum(axis=3)).max(initial=0.0) for templates in of_source)

    def of_flavour(flavour: int) -> Modes:
        parts = []
        for some, templates in zip(own, of_source, strict=True):
            terms = templates.shape[2]
            values, right = _independent(_scaled(templates[:, flavour], largest))
            kept = values > _OF_PIECES * values.max(initial=0.0)
            pair = np.array([right[kept] * values[kept, np.newaxis], right[kept] / values[kept, np.newaxis]])
            parts.append(nodes.moved(pair.reshape(*pair.shape[:2], terms, some.size), some))
        down, up = np.moveaxis(np.concatenate(parts, axis=1), 1, -1)
        return Modes(nodes, down, up)

    return tuple(of_flavour(flavour) for flavour in range(len(FLAVOURS)))


def _independent(rows: Array) -> tuple[Array, Array]:
    """Return singular values and right vectors of many rows of which few are independent.

    Sums of them with random signs take their place, of twice as many as are found, or more.
    """
    signs = np.random.default_rng(0).choice([-1.0, 1.0], size=(len(rows), 1))
    number = _ROWS
    while number < len(rows):
        places = np.linspace(0, len(rows), number, endpoint=False).astype(int)
        _, values, right = np.linalg.svd(np.add.reduceat(signs * rows, places), full_matrices=False)
        if 2 * np.sum(values > _OF_PIECES * values.max(initial=0.0)) < number:
            return values, right
        number *= 2
    _, values, right = np.linalg.svd(rows, full_matrices=False)
    return values, right

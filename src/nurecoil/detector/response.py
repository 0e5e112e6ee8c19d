"""Detectors: from a recoil energy to the bins of what is seen, as a matrix R[bin, T]."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nurecoil.arithmetic import Array
from nurecoil.checks import Ascending, Finite, LeftOut, Positive, check_fields, require
from nurecoil.detector.efficiency import ConstantEfficiency, Efficiency
from nurecoil.detector.quenching import ConstantQuenching, Quenching
from nurecoil.detector.smearing import GammaSmearing, NoSmearing, PoissonSmearing, Smearing
from nurecoil.errors import NurecoilError
from nurecoil.one_line import one_line

_HIGHEST_KEV = 5.3e4  # no recoil takes more than the whole neutrino of a stopped muon
_MOST_NUMBERS = 50  # of a table, in words
_MOST_SUB_BINS = 100_000  # and bins
_MOST_AT_ONCE = 2**22  # numbers, 32 MB


class Response(Protocol):
    """What a detector makes of recoils: R[bin, T], by formula (`Detector`) or as a release tabulates it."""

    @property
    def electron_recoils(self) -> bool | None:
        """Whether recoils of electrons are counted as those of nuclei are; None if not said."""

    @property
    def efficiency(self) -> Any:
        """What differs between signals whose integrals are done together."""

    @property
    def recoils(self) -> str:
        """How recoils are told from what is seen, in words."""

    @property
    def bins(self) -> int:
        """The number of bins."""

    def responses(self, T: ArrayLike, efficiencies: Sequence[Any]) -> Array:
        """Return R[bin, efficiency, T] with each of some efficiencies."""

    def reaching(self, T: Array, efficiencies: Sequence[Any]) -> tuple[slice, Array]:
        """Return the bins that recoils of T (MeV, ascending) reach, and R[bin, efficiency, T] in those."""

    def breakpoints(self) -> Array:
        """Return the recoil energies (MeV), ascending, where R jumps, bends, or turns in a short range."""

    def of_electrons(self) -> "Response":
        """Return the response to electron recoils."""

    def but_efficiency(self) -> dict[str, object]:
        """Return all that two share whose responses differ by their efficiencies alone."""


@dataclass(frozen=True)
class Detector:
    """A detector: quenching, light yield, smearing, efficiency, and bins of what is seen.

    R[bin, T] = ∫_bin dx p(x | Y E_ee(T)) ε(x)

    >>> from nurecoil.detector.efficiency import LogisticEfficiency
    >>> from nurecoil.detector.quenching import ConstantQuenching
    >>> csi = LogisticEfficiency(0.6655, 0.4942, 10.8507, ((5.0, 0.5), (6.0, 1.0)))
    >>> detector = Detector(
    ...     "PE", (6.0, 8.0, 10.0), ConstantQuenching(0.0878), 13.348, PoissonSmearing(), csi, step=1.0
    ... )
    >>> print(detector.response([0.005, 0.010]).round(4))
    [[0.0255 0.0073]
     [0.03   0.0325]]
    """

    observable: Annotated[str, 'what is seen and its unit, for instance "PE" or "recoil energy [keV]"']
    edges: Annotated[tuple[Finite, ...], Ascending(), "bin edges in the observable"]
    quenching: Annotated[Quenching, LeftOut(ConstantQuenching(1.0)), "E_ee(T), keV"]
    light_yield_per_kev: Annotated[
        Positive,
        LeftOut(1.0),
        "Y, the observable per keV of E_ee; 1 where that is E_ee, and with gamma smearing, which has its own",
    ]
    smearing: Annotated[Smearing, LeftOut(NoSmearing()), "p(x | E)"]
    efficiency: Annotated[Efficiency, "ε, a function of the observable"]
    efficiency_at: Annotated[
        Literal["observable", "true"],
        "whether ε is taken at the observable x, or at what it would be without smearing",
    ] = "observable"
    step: Annotated[
        Positive | None,
        "width of the sub-bins that ε(x) is evaluated in the middle of; a whole number of them fits into each"
        " bin; needed where a smeared observable meets an efficiency that varies, and only there",
    ] = None
    electron_recoils: Annotated[
        bool | None,
        "whether recoils of electrons are counted as those of nuclei are, without quenching; `false` says"
        " that none passes the selection, left out that they count in NAME+electrons alone",
    ] = None

    def __post_init__(self) -> None:
        """Refuse what does not fit together."""
        check_fields(self)
        bins = len(self.edges) - 1
        require(bins <= _MOST_SUB_BINS, "number of bins", bins, f"at most {_MOST_SUB_BINS}")
        if isinstance(self.smearing, GammaSmearing):
            own = f"1: gamma smearing has its own light yield, 1/a = {self.smearing.scale:.6g} per keV"
            require(self.light_yield_per_kev == 1, "light_yield_per_kev", self.light_yield_per_kev, own)
        most = _HIGHEST_KEV * self.light_yield_per_kev * self.smearing.scale
        require(self.edges[-1] <= most, "edges", self.edges, f"at most {most:.4g}, the neutrino's energy")
        self._check_step()
        if isinstance(self.smearing, PoissonSmearing):
            self.smearing.check_edges(self._fine_edges()[0])

    def __repr__(self) -> str:
        """Return what it is in a line."""
        bins = f"{len(self.edges) - 1} bins from {self.edges[0]:g} to {self.edges[-1]:g}"
        kinds = {p: getattr(self, p).kind for p in ("quenching", "smearing", "efficiency")}
        parts = [f"{'no' if kind == 'none' else kind} {part}" for part, kind in kinds.items()]
        return one_line(self, self.observable, bins, *parts)

    def response(self, T: ArrayLike) -> Array:
        """Return R[bin, T], the probability that a recoil is counted in a bin, shape (bins, n).

        For recoil energies T (n,) in MeV. An error for a negative one, and for one above which the quenched
        energy falls or exceeds T.
        """
        return self.responses(T, [self.efficiency])[:, 0]

    def responses(self, T: ArrayLike, efficiencies: Sequence[Efficiency]) -> Array:
        """Return R[bin, efficiency, T] with each of some efficiencies in place of the detector's own."""
        T_kev, kev = 1e3 * np.atleast_1d(T), np.atleast_1d(self.quenching.electron_equivalent(T))
        factor = np.divide(kev, T_kev, out=np.zeros_like(kev), where=T_kev > 0).max(initial=0.0)
        require(factor <= 1 + 1e-9, "quenching factor", f"{factor:.4g}", "at most 1 at all recoils")
        E = self.light_yield_per_kev * kev
        edges, starts = self._fine_edges()
        if E.size > 1 and E.size * edges.size > _MOST_AT_ONCE:
            halves = np.array_split(np.asarray(T), 2)
            return np.concatenate([self.responses(half, efficiencies) for half in halves], axis=-1)
        seen = self.smearing.probabilities(E, edges)
        if self._folds:
            x = (edges[1:] + edges[:-1])[:, np.newaxis] / 2
            parts = [np.add.reduceat(seen * efficiency(x), starts, axis=0) for efficiency in efficiencies]
        else:
            parts = [seen * efficiency(self.smearing.scale * E) for efficiency in efficiencies]
        return np.stack(parts, axis=1)

    @property
    def bins(self) -> int:
        """The number of bins."""
        return len(self.edges) - 1

    @property
    def recoils(self) -> str:
        """The quenching, in words."""
        own = ((name, value) for name, value in vars(self.quenching).items() if name[0] != "_")
        numbers = [
            f"{name} = {len(value)} numbers from {value[0]:g} to {value[-1]:g}"
            if isinstance(value, tuple) and len(value) > _MOST_NUMBERS
            else f"{name} = {value}"
            for name, value in own
        ]
        return ", ".join([self.quenching.kind, *numbers])

    def reaching(self, T: Array, efficiencies: Sequence[Efficiency]) -> tuple[slice, Array]:
        """Return the bins that recoils of T (MeV, ascending) reach, and R[bin, efficiency, T] in those."""
        bins = self._reached(T[0], T[-1])
        part = replace(self, edges=self.edges[bins.start : bins.stop + 1])
        return bins, part.responses(T, efficiencies)

    def _reached(self, low: float, high: float) -> slice:
        """Return the bins that are not empty, of recoils between two energies (MeV)."""
        E = self.light_yield_per_kev * self.quenching.electron_equivalent([low, high])
        filled = np.flatnonzero(self.smearing.probabilities(E, self.edges).sum(axis=1))
        around = np.searchsorted(self.edges, self.smearing.scale * E, side="right") - 1
        found = np.append(filled, np.clip(around, 0, len(self.edges) - 2))
        return slice(int(found.min()), int(found.max()) + 1)

    def breakpoints(self) -> Array:
        """Return the recoil energies (MeV), ascending, where R jumps, bends, or turns within a short range.

        These are the edges, with smearing of width σ those around which an integral that steps over 4 σ could
        miss something, the points of an efficiency at the true energy, and those of the quenching.
        """
        edges = self._fine_edges()[0]
        edges = edges[edges > 0]
        reach = 8 * self.smearing.width(edges)
        x = np.unique(np.concatenate([edges - reach, edges, edges + reach]))
        x = x[x > 0]
        gap = np.diff(x, prepend=0.0)
        passed = np.cumsum(gap / np.maximum(self.smearing.width(x), 1e-6 * gap))
        x = x[np.diff(np.floor(passed / 4), prepend=0.0) > 0]
        kinks = (*self.smearing.breakpoints, *(() if self._folds else self.efficiency.breakpoints))
        x = np.append(x, [kink for kink in kinks if kink > 0])
        T = self.quenching.recoil_energy(x / (self.smearing.scale * self.light_yield_per_kev))
        return np.unique(np.concatenate([T[np.isfinite(T)], self.quenching.breakpoints]))

    def jumps(self) -> Array:
        """Return the recoil energies (MeV), ascending, of edges that no smearing makes soft."""
        x = np.array([edge for edge in self.edges if edge > 0 and not self._smeared])
        T = self.quenching.recoil_energy(x / (self.smearing.scale * self.light_yield_per_kev))
        return np.asarray(T[np.isfinite(T)])

    def of_electrons(self) -> "Detector":
        """Return the detector of electron recoils, which are not quenched."""
        return replace(self, quenching=ConstantQuenching(1.0))

    @property
    def _smeared(self) -> bool:
        return not isinstance(self.smearing, NoSmearing)

    @property
    def _folds(self) -> bool:
        """Whether sub-bins are needed: for an efficiency that varies with a smeared observable."""
        constant = isinstance(self.efficiency, ConstantEfficiency)
        return self._smeared and self.efficiency_at == "observable" and not constant

    def but_efficiency(self) -> dict[str, object]:
        """Return all that two detectors share whose responses differ by their efficiencies alone."""
        return {**vars(self), "efficiency": self._folds}

    def _check_step(self) -> None:
        if self.step is None:
            if self._folds:
                raise NurecoilError(
                    f"step is missing: with smearing, the efficiency in {self.observable} is taken in the"
                    " middle of sub-bins of that width"
                )
            return
        require(self._smeared, "step", self.step, "left out without smearing, where the response is exact")
        least = (self.edges[-1] - self.edges[0]) / _MOST_SUB_BINS
        require(least <= self.step < math.inf, "step", self.step, f"above 0 and finite, at least {least:g}")
        for low, high in zip(self.edges[:-1], self.edges[1:], strict=True):
            steps = (high - low) / self.step
            require(
                round(steps) >= 1 and abs(steps - round(steps)) < 1e-6,
                "step",
                self.step,
                f"the bin from {low:g} to {high:g} divided by a whole number",
            )

    def _fine_edges(self) -> tuple[Array, NDArray[np.intp]]:
        """Return the edges of all sub-bins, and the first sub-bin of each bin."""
        widths = np.diff(self.edges)
        fine = self.step and self._folds
        parts = np.rint(widths / self.step).astype(int) if fine else np.ones(widths.size, dtype=int)
        starts = np.cumsum(parts) - parts
        inside = np.arange(parts.sum()) - np.repeat(starts, parts)
        lows = np.repeat(self.edges[:-1], parts) + inside * np.repeat(widths / parts, parts)
        return np.append(lows, self.edges[-1]), starts

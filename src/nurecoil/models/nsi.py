"""Non-standard interactions (NSI): heavy new physics as neutral currents of neutrinos with u and d quarks.

L = -2√2 G_F Σ ε_αβ^{qX} [ν̄_α γ^μ P_L ν_β] [q̄ γ_μ P_X q],  ε^V = ε^L + ε^R

As P_L = (1 - γ5)/2, the vector part is -(G_F/√2) ε_αβ^{qV} [ν̄_α γ^μ (1 - γ5) ν_β] [q̄ γ_μ q]: in the
normalisation of `nurecoil.physics.couplings`, g_V^q δ_αβ → g_V^q δ_αβ + ε_αβ^{qV}. A nucleus of Z protons
and N neutrons then has

    Σ_β |Q_αβ|² = Σ_β |Q_SM δ_αβ + Z F_p (2ε^u + ε^d)_αβ + N F_n (ε^u + 2ε^d)_αβ|².

Each ε^{qV} is Hermitian: three real numbers on the diagonal and three complex ones above it. Of these the
parameters are the real and imaginary parts, not modulus and phase: so the couplings are linear in every ε
and the counts quadratic, exactly. Modulus and phase follow, |ε| e^{iφ} = re + i im. Only the phase of ε^u_αβ
relative to ε^d_αβ is seen: nothing else interferes. The axial couplings are the Standard Model's.
(`nsi_axial.py` and `tensor.py` have such matrices for other currents.)
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from nurecoil.arithmetic import Array
from nurecoil.models.model import Model
from nurecoil.models.standard_model import STANDARD_MODEL
from nurecoil.parameters import Parameter, Values
from nurecoil.physics.couplings import FLAVOURS, Couplings, nucleon_couplings

QUARKS = ("u", "d")
ENTRIES = {(a, b): FLAVOURS[a] + FLAVOURS[b] for a in range(3) for b in range(a, 3)}  # {(0, 1): "emu", ...}
OFF_DIAGONAL = {(a, b): entry for (a, b), entry in ENTRIES.items() if a != b}

# One nucleus sees one sum of ε^u and ε^d and leaves the rest free: without bounds a fit of both runs away.
# The second solution of one ε alone, Q → -Q, is far inside: 0.4 for ε_ee^u on Cs.
BOUND = 10.0


@dataclass(frozen=True)
class Epsilons:
    """Hermitian ε^u and ε^d in flavour space, of one kind of current."""

    kind: str
    prefix: str  # of the names of parameters
    bound: float
    reference: str
    nucleons: Callable[[Array, Array], tuple[Array, Array]] = nucleon_couplings  # of p and n, from u and d

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """Each entry: real, or its real and imaginary part."""
        real, imaginary = (", real part", r"\mathrm{Re}\,", ""), (", imaginary part", r"\mathrm{Im}\,", "_im")
        return tuple(
            self._parameter(quark, entry, *part)
            for quark in QUARKS
            for (a, b), entry in ENTRIES.items()
            for part in ((("", "", ""),) if a == b else (real, imaginary))
        )

    def _parameter(self, quark: str, entry: str, word: str, symbol: str, suffix: str) -> Parameter:
        index = entry.replace("mu", r"\mu ").replace("tau", r"\tau ").strip()
        kind = "" if self.kind == "vector" else self.kind[0].upper()
        return Parameter(
            name=f"{self.prefix}{quark}_{entry}{suffix}",
            description=f"{self.kind} NSI with {quark}, {entry} entry{word}",
            latex=rf"{symbol}\varepsilon_{{{index}}}^{{{quark}{kind}}}",
            default=0.0,
            low=-self.bound,
            high=self.bound,
            reference=self.reference,
        )

    def _of_nucleons(self, values: Values, entry: str) -> tuple[Array, Array]:
        up, down = (np.asarray(values[f"{self.prefix}{quark}_{entry}"], float) for quark in QUARKS)
        return self.nucleons(up, down)

    def added_to(self, values: Values, *diagonals: Array) -> tuple[Array, Array]:
        """Return couplings of p and n that change no flavour, (..., 3, 3), with all entries added to them."""
        given = {p.name: values[p.name] for p in self.parameters}
        points = np.broadcast(*(d[..., 0, 0] for d in diagonals), *given.values()).shape
        real = all(np.ndim(x) == 0 and x == 0 for name, x in given.items() if name.endswith("_im"))
        # Points last in memory, so that each entry is written, and later read, in one run
        found = tuple(np.empty((3, 3, *points), float if real else complex) for _ in diagonals)
        for (a, b), entry in ENTRIES.items():
            parts = zip(found, diagonals, self._of_nucleons(values, entry), strict=True)
            for matrix, diagonal, epsilon in parts:
                np.add(diagonal[..., a, b], epsilon, out=matrix[a, b, ...])
                if a != b:
                    matrix[b, a] = matrix[a, b]
        for (a, b), entry in () if real else OFF_DIAGONAL.items():
            for matrix, epsilon in zip(found, self._of_nucleons(values, f"{entry}_im"), strict=True):
                matrix.imag[a, b] = epsilon
                matrix.imag[b, a] = -epsilon
        proton, neutron = (np.moveaxis(matrix, (0, 1), (-2, -1)) for matrix in found)
        return proton, neutron


VECTOR = Epsilons("vector", "eps_", BOUND, "Barranco:2005yy; Giunti:2019xpb")
EPSILONS = VECTOR.parameters


def _couplings(values: Values) -> Couplings:
    standard = STANDARD_MODEL.evaluate(values)
    proton, neutron = VECTOR.added_to(values, standard.vector_p, standard.vector_n)
    return replace(standard, vector_p=proton, vector_n=neutron)


NSI = Model(
    name="nsi",
    title="Non-standard vector interactions with u and d quarks, flavour change included",
    reference="Barranco:2005yy; Giunti:2019xpb, arXiv:1909.00466",
    parameters=(*EPSILONS, *STANDARD_MODEL.parameters),
    evaluate=_couplings,
)

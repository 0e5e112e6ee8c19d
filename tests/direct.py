"""Counts of real experiments by a plain double integral, of any dσ/dT that is given: slow and simple."""

import numpy as np

import reference


def counts(experiment, signal, cross_section, cuts):
    """Return counts in the cells of a signal: nuclei · fluence · ∫dT R Σ dσ/dT.

    `cross_section` gives dσ/dT in MeV^-3, averaged over each component of a stopped-pion source, (n, 3), at
    recoils (n,) of a nuclide; `cuts` are the recoils of a nuclide where it jumps or bends.
    """
    x, w = np.polynomial.legendre.leggauss(12)
    detector, target = signal.detector, experiment.target
    top = max(2 * reference.ENDPOINT**2 / (n.mass + 2 * reference.ENDPOINT) for n in target.nuclides)
    edges = [np.linspace(0, np.sqrt(top), 120) ** 2, detector.breakpoints(), *map(cuts, target.nuclides)]
    edges = np.unique(np.concatenate(edges))
    edges = np.sqrt(edges[(edges >= 0) & (edges <= top)])
    half = np.diff(edges)[:, np.newaxis] / 2
    root = (edges[:-1, np.newaxis] + half * (x + 1)).ravel()
    T, dT = root**2, 2 * root * (half * w).ravel()
    total = np.zeros((T.size, 3))
    for n, per_kg in zip(target.nuclides, target.nuclei_per_kg, strict=True):
        total += per_kg * cross_section(T, n)
    exposure = experiment.exposure.fluence * experiment.mass_kg * reference.CM2
    per_component = exposure * (detector.response(T) * dT) @ total
    spread = np.ones((1, 1, 1)) if signal.spread is None else signal.spread
    return np.einsum("bc,cbk->bk", per_component, np.broadcast_to(spread, (3, *spread.shape[1:]))).ravel()


def over_flux(kernel, low, points=200):
    """Return ∫φ(E) k(T, E) dE of each component, above energies (n,) of each recoil, shape (n, 3)."""
    x, w = np.polynomial.legendre.leggauss(points)
    low = np.minimum(low, reference.ENDPOINT)[:, np.newaxis]
    E = low + (reference.ENDPOINT - low) * (x + 1) / 2
    per_E = kernel(E) * w * (reference.ENDPOINT - low) / 2
    line = np.where(low < reference.NU_MU_LINE, kernel(np.full_like(low, reference.NU_MU_LINE)), 0.0)[:, 0]
    of_mu_bar, of_e = reference.nu_mu_bar(E), reference.nu_e(E)  # polynomials, of arrays too
    return np.stack([line, (per_E * of_mu_bar).sum(axis=1), (per_E * of_e).sum(axis=1)], axis=1)

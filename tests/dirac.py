"""Cross sections of a neutrino and a nucleus of spin 1/2 without structure, from traces of Dirac matrices."""

import numpy as np

PAULI = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
ZERO, ONE = np.zeros((2, 2)), np.eye(2)
GAMMA = [np.block([[ONE, ZERO], [ZERO, -ONE]]), *(np.block([[ZERO, s], [-s, ZERO]]) for s in PAULI)]
GAMMA5 = 1j * GAMMA[0] @ GAMMA[1] @ GAMMA[2] @ GAMMA[3]
METRIC = np.array([1, -1, -1, -1])
LEFT = (np.eye(4) - GAMMA5) / 2
SIGMA = {(m, n): 0.5j * (GAMMA[m] @ GAMMA[n] - GAMMA[n] @ GAMMA[m]) for m in range(4) for n in range(4)}
CURRENTS = {  # pairs Γ, Γ of [ν̄ Γ P_L ν] [N̄ Γ N], to be summed
    "vector": [(GAMMA[m], METRIC[m] * GAMMA[m]) for m in range(4)],
    "axial": [(GAMMA[m], METRIC[m] * GAMMA[m] @ GAMMA5) for m in range(4)],
    "tensor": [(s, METRIC[m] * METRIC[n] * s) for (m, n), s in SIGMA.items()],
    "pseudoscalar": [(np.eye(4), 1j * GAMMA5)],
}


def slash(p):
    return sum(METRIC[m] * p[m] * GAMMA[m] for m in range(4))


def barred(matrix):
    return GAMMA[0] @ matrix.conj().T @ GAMMA[0]


def cross_section(T, E, M, current):
    """dσ/dT/C² of L = -C [ν̄ Γ P_L ν] [N̄ Γ N]: Σ|amplitude|²/(32π M E²), averaged over the spins of N."""
    cosine = 1 - M * T / (E * (E - T))
    k, p = np.array([E, 0, 0, E]), np.array([M, 0, 0, 0])
    after = (E - T) * np.array([1, np.sqrt(1 - cosine**2), 0, cosine])
    before, mass = slash(p) + M * np.eye(4), M * np.eye(4)
    total = 0.0
    for a, x in CURRENTS[current]:
        for b, y in CURRENTS[current]:
            of_nu = np.trace(slash(after) @ a @ LEFT @ slash(k) @ barred(b @ LEFT))
            total += of_nu * np.trace((slash(p + k - after) + mass) @ x @ before @ barred(y)) / 2
    return total.real / (32 * np.pi * M * E**2)

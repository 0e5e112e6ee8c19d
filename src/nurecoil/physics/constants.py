"""Physical constants in natural units (MeV), each with its source.

CODATA 2022: P. Mohr et al., https://physics.nist.gov/constants. PDG: R. L. Workman et al., Prog.
Theor. Exp. Phys. 2022, 083C01. Checked in the tests against `scipy.constants` and `particle`.

Two traps: scipy's "weak mixing angle" is the on-shell one (0.22305), not the one at low energy, and
the masses that `particle` gives for nuclei are those of neutral atoms.
"""

from typing import Final

HBAR_C_MEV_FM: Final = 197.3269804  # MeV fm (CODATA 2022: exact, 197.3269804593...)
MEV_M2_TO_CM2: Final = (HBAR_C_MEV_FM * 1e-13) ** 2  # 1 MeV^-2 in cm^2
AVOGADRO: Final = 6.02214076e23  # 1/mol, exact (CODATA 2022)
ATOMIC_MASS_UNIT: Final = 931.49410372  # MeV (CODATA 2022)

FERMI_CONSTANT: Final = 1.1663787e-11  # MeV^-2 (CODATA 2022: 1.1663787(6)e-5 GeV^-2)
FINE_STRUCTURE: Final = 7.2973525643e-3  # at q = 0 (CODATA 2022)
SIN2_THETA_W: Final = 0.23857  # MS-bar at q = 0, 0.23857(5) (PDG 2022, electroweak review)
SIN2_THETA_W_AT_Z: Final = 0.2312  # MS-bar at the Z's mass, 0.23122(4) (PDG 2022), where q is not 0
INVERSE_ALPHA_AT_Z: Final = 127.951  # 1/α at the Z's mass, MS-bar, 127.951(9) (PDG 2022)

ELECTRON_MASS: Final = 0.51099895069  # MeV (CODATA 2022)
MUON_MASS: Final = 105.6583755  # MeV (CODATA 2022)
TAU_MASS: Final = 1776.86  # MeV, 1776.86(12) (PDG 2022)
PION_MASS: Final = 139.57039  # MeV, charged pion, 139.57039(18) (PDG 2022)
Z_MASS: Final = 91187.6  # MeV, 91.1876(21) GeV (PDG 2022)
W_MASS: Final = 80377.0  # MeV, 80.377(12) GeV (PDG 2022)

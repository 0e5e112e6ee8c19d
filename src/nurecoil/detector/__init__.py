"""Detectors: how a recoil is seen: quenching, smearing, efficiency, and all three as one matrix R[bin, T]."""

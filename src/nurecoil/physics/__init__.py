"""Physics: constants, nuclei, form factors, couplings and cross sections; one function, one equation."""

"""The world's data on coherent scattering in one likelihood, experiment by experiment and together."""

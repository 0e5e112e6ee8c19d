"""What is asked of a model and experiments: χ² as a function of the free parameters, and its minima."""

"""What is asked of a model and experiments, a `Study`: χ² of free parameters, its minima, the `Result`."""

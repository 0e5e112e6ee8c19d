"""Questions put to a model and experiments: one file, one question; each returns a `Result`."""

"""The cards of the experiments that come with the package, one TOML file each."""

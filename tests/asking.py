"""Questions as tests ask them: of a model, experiments, and values in inside units, in one call."""

from dataclasses import replace

from nurecoil import Study


def study(model, experiments, fixed=None, *, widths=None, over=None, engine="auto"):
    """Return a study; of the widths, pairs are constraints."""
    tied = {name: width for name, width in (widths or {}).items() if isinstance(width, tuple)}
    prior = {name: width for name, width in (widths or {}).items() if name not in tied}
    return Study(
        model,
        experiments,
        prior=prior,
        constrain=tied,
        profile=over,
        engine=engine,
        inside_units=True,
        **(fixed or {}),
    )


def _held(options):
    return {name: options.pop(name) for name in ("widths", "over", "engine") if name in options}


def predict(model, experiment, values):
    """Return the counts of one experiment."""
    result = study(model, experiment, values).predict()
    return replace(result, values=result.values.parts[0])


def of_scan(verb):
    """Return a verb of one parameter, (name, low, high)."""

    def ask(model, experiments, fixed, scan, **options):
        name, *ends = scan
        asked = study(model, experiments, fixed, **_held(options))
        return getattr(asked, verb)(name, tuple(ends), **options)

    return ask


def of_start(verb):
    """Return a verb of parameters that are fitted, and where they start."""

    def ask(model, experiments, fixed, start, *more, **options):
        return getattr(study(model, experiments, fixed, **_held(options)), verb)(start, *more, **options)

    return ask


def profile_map(model, experiments, fixed, scans, **options):
    """Return the map of two parameters, (name, low, high) each."""
    ranges = {name: tuple(ends) for name, *ends in scans}
    return study(model, experiments, fixed, **_held(options)).map(ranges, **options)


def sample(model, experiments, fixed, ranges, **options):
    """Return a posterior."""
    return study(model, experiments, fixed, **_held(options)).sample(ranges, **options)


def scan(model, experiments, fixed, axes, output, **options):
    """Write a scan."""
    return study(model, experiments, fixed, **_held(options)).scan(axes, output, **options)


limit, sensitivity, combine, feldman_cousins = map(
    of_scan, ("limit", "sensitivity", "combine", "feldman_cousins")
)
fit, goodness, significance, impact = map(of_start, ("fit", "goodness", "significance", "impact"))


def figure_of(result):
    """Return the figure of a result, as pure data."""
    return result.values.figure(result)

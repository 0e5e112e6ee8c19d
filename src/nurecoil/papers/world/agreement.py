"""Do the experiments agree? Each left out in turn, and the parameter goodness of fit with toys."""

from collections.abc import Sequence
from typing import Any

from nurecoil.models.nsi import NSI
from nurecoil.papers.world.groups import SCHEME, WORDS, Group, allowed_text, together
from nurecoil.papers.world.nsi import ends, symbol
from nurecoil.parameters import find
from nurecoil.presentation.document import Section, Table
from nurecoil.verbs.combine import combine

QUESTIONS = {  # model, parameter, range, confidence level
    "s<sub>W</sub>²": ("standard-model", "sin2_theta_w", (0.02, 0.6), 0.6827),
    symbol(find(NSI.parameters, "eps_u_ee")): ("nsi", "eps_u_ee", (-0.6, 1.0), 0.9),
}
TOYS = 200


def section(parts: Sequence[Group]) -> tuple[Section, dict[str, Any]]:
    """Return the section, and its numbers."""
    words, everything, rows = WORDS["agreement"], together(parts), dict[str, list[str]]()
    tests, numbers = [], dict[str, Any]()
    for name, (model, parameter, within, cl) in QUESTIONS.items():
        study = everything.study(model, **SCHEME)
        result = combine(study, parameter, within, cl=cl, points=201, toys=TOYS)
        found, agree = result.values, result.values.compatibility
        left_out = {f"without {each.label}": one for each, one in zip(parts, found.without, strict=True)}
        for label, one in {"all": found.together, **left_out}.items():
            rows.setdefault(label, [label]).append(allowed_text(one.profile))
        chi2 = f"{agree.chi2:.2f} for {agree.dof}"
        tests.append((name, chi2, f"{agree.p_value:.2g}", str(agree.toys)))
        numbers[parameter] = {
            "allowed": {
                each.name: ends(each.profile) for each in (*found.alone, *found.without, found.together)
            },
            **{key: value for key, value in vars(agree).items() if key != "toys"},
            "toys": agree.toys and agree.toys.record(),
        }
    columns = ("", *(f"{name}, {100 * cl:.3g} %" for name, (*_, cl) in QUESTIONS.items()))
    tables = (
        Table("Each experiment left out", columns, tuple(map(tuple, rows.values()))),
        Table("Parameter goodness of fit", ("", "χ²<sub>PG</sub>", "p by Wilks", "p by toys"), tuple(tests)),
    )
    return Section(words["title"], (words["text"], *tables)), numbers

"""What all experiments say of the Standard Model and of what may lie beyond it, each alone and together."""

from collections.abc import Callable

from nurecoil.papers.world import agreement, all_nsi, limits, nsi, planes, weak_angle
from nurecoil.papers.world.groups import WORDS, groups
from nurecoil.presentation.comparison import Comparison
from nurecoil.presentation.document import Document, Table

STEPS = 9


def reproduce(progress: Callable[[str], None]) -> Comparison:
    """Compute all answers and describe the page."""
    progress("compiling the experiments")
    parts, charges = groups(), groups("weak_charges")
    progress("the weak mixing angle")
    angle, angles = weak_angle.section(parts, charges)
    progress("NSI, one at a time")
    epsilons, of_epsilons = nsi.section(parts)
    progress("NSI, all 18 at once: some ten minutes")
    everything, of_everything = all_nsi.section(parts)
    progress("NSI, two at a time")
    pairs, of_pairs = planes.section(parts)
    progress("light mediators: some minutes")
    light, of_light = planes.mediators(parts)
    progress("moments and radii")
    properties, of_properties = limits.properties(parts)
    progress("the Z' of 331β")
    masses, of_masses = limits.masses(parts, charges)
    progress("do the experiments agree?")
    agree, of_agreement = agreement.section(parts)
    sections = (angle, epsilons, pairs, everything, light, properties, masses, agree)
    document = Document(
        title=WORDS["title"],
        subtitle=WORDS["subtitle"].format(count=len(parts)),
        lead=WORDS["lead"].strip().format(s2=angles[weak_angle.ALL]["text"]),
        sections=sections,
    )
    tables = tuple(block for each in sections for block in each.blocks if isinstance(block, Table))
    results = {
        "weak_angle": angles,
        "nsi": of_epsilons,
        "planes": of_pairs,
        "all_nsi": of_everything,
        "mediators": of_light,
        "properties": of_properties,
        "masses": of_masses,
        "agreement": of_agreement,
    }
    return Comparison(document, tables, results)

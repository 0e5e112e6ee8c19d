"""What the collaboration published, as rows that are to be filled in, and the words of the page."""

from nurecoil.presentation.comparison import Entry, Row, load_toml

WORDS = load_toml("nurecoil.validation", "page.toml")
PUBLISHED = {  # by experiment and quantity
    experiment: {
        quantity: Row(experiment, number["source"], quantity, Entry(number["value"], number.get("error")))
        for quantity, number in numbers.items()
    }
    for experiment, numbers in load_toml("nurecoil.validation", "published.toml").items()
}


def published(experiment: str, quantity: str) -> Row:
    """Return the row of a quantity, without what is published where nothing is."""
    return PUBLISHED[experiment].get(quantity, Row(experiment, "", quantity))

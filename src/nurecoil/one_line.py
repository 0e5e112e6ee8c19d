"""What a thing is, in one line: the `repr` of what people meet."""


def one_line(thing: object, name: str, *facts: object) -> str:
    """Return the kind of a thing, its name, and some facts.

    >>> one_line(1.5, "half", "3/2", "positive")
    '<float half: 3/2, positive>'
    """
    return f"<{type(thing).__name__} {name}: {', '.join(map(str, facts))}>"

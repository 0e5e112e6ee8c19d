"""A progress that remembers what it was told."""

from contextlib import contextmanager


class Told:
    """Remember how many steps were promised, and what was said of them."""

    def __init__(self):
        self.promised, self.said = [], []

    @contextmanager
    def __call__(self, steps):
        self.promised.append(steps)
        yield lambda text, size=1: self.said.append(text)

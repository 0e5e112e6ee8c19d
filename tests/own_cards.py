"""A card of one's own, with a change here and there and data files beside it, as tests read it."""

from nurecoil.experiment.card import load_experiment


def reading(folder, card):
    """Return what reads the card with each (old, new) put in once, and files written beside it."""

    def load(*changes, files=()):
        text = card
        for old, new in changes:
            assert text.count(old) == 1
            text = text.replace(old, new)
        (folder / "mine.toml").write_text(text, encoding="utf-8")
        for name, content in dict(files).items():
            (folder / name).write_text(content, encoding="utf-8")
        return load_experiment(folder / "mine.toml")

    return load

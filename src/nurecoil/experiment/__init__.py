"""Experiments: a target, a source, a detector, an exposure and data; compiled once into templates of counts.

The names, listed in `__init__.pyi`, are imported when they are first used.
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)

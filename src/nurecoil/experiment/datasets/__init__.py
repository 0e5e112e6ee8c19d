"""Official data releases: which there are, where their files are, and how to get them.

A file comes from the mirror that NURECOIL_DATA names, else from the cache, else from the official record.
Its checksum is compared before its path is handed out, wherever it comes from, and a download gets its name
in the cache only then.
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)

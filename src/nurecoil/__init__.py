"""nurecoil: from a model of new physics to limits from coherent elastic neutrino-nucleus scattering.

model → couplings → recoil spectrum → expected counts → likelihood → limits

The public names, listed in `__init__.pyi`, are imported when they are first used, so that `import nurecoil`
costs little.
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)

"""Questions put to a model and experiments: what is predicted, which parameters fit, which are allowed.

The one place where physics and inference meet: a model and compiled experiments become a function χ² of
parameters (`question`), and `nurecoil.inference`, which knows no physics, answers. One file, one question;
each returns a `Result`. Which names there are says `__init__.pyi`; each is imported when it is first used.
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)

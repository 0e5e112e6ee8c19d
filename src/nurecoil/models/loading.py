"""Models by name: those of this package, of a file of one's own, or of an installed package."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import MISSING, dataclass, fields, replace
from functools import partial
from hashlib import sha256
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nurecoil.arithmetic import unwarned
from nurecoil.errors import NurecoilError, unknown_name
from nurecoil.models.charge_radii import CHARGE_RADII
from nurecoil.models.dipole_portal import DIPOLE_PORTAL
from nurecoil.models.light_scalar import LIGHT_SCALAR
from nurecoil.models.light_tensor import LIGHT_TENSOR
from nurecoil.models.light_vector import LIGHT_VECTOR
from nurecoil.models.magnetic_moments import MAGNETIC_MOMENTS
from nurecoil.models.millicharges import MILLICHARGES
from nurecoil.models.model import Model
from nurecoil.models.neutron_radii import RADII_OF_NEUTRONS
from nurecoil.models.nsi import NSI
from nurecoil.models.nsi_axial import NSI_AXIAL
from nurecoil.models.scaled_standard_model import SCALED_STANDARD_MODEL
from nurecoil.models.standard_model import STANDARD_MODEL
from nurecoil.models.sterile import STERILE
from nurecoil.models.sums import no_sum, sum_of
from nurecoil.models.tensor import TENSOR
from nurecoil.models.u1_prime import U1_PRIME
from nurecoil.models.zprime_331 import ZPRIME_331
from nurecoil.parameters import Parameter, Value, Values
from nurecoil.physics.couplings import AMPLITUDES, Couplings, Exchange, Fourth
from nurecoil.physics.products import PRODUCTS, stacked
from nurecoil.physics.radii import NEUTRON_RADII

if TYPE_CHECKING:
    from importlib.metadata import EntryPoints

Products = dict[str, Any]

GROUP = "nurecoil.models"
MODELS = (
    STANDARD_MODEL,
    SCALED_STANDARD_MODEL,
    NSI,
    NSI_AXIAL,
    TENSOR,
    LIGHT_VECTOR,
    U1_PRIME,
    LIGHT_SCALAR,
    LIGHT_TENSOR,
    MAGNETIC_MOMENTS,
    CHARGE_RADII,
    MILLICHARGES,
    DIPOLE_PORTAL,
    STERILE,
    RADII_OF_NEUTRONS,
    ZPRIME_331,
)
_BUILT_IN = {model.name: model for model in MODELS}
_TAKEN = {
    *(
        "model",
        "experiments",
        "prior",
        "fix",
        "constrain",
        "profile",
        "form_factor",
        "engine",
        "point",
        "self",
    )
}
_MATRICES = (*AMPLITUDES, "tensor_p", "tensor_n", "proton", "neutron", "charge")
_PARTS: dict[str, type] = {
    **dict.fromkeys(("light_vector", "light_scalar", "light_tensor"), Exchange),
    **dict.fromkeys(("transition", "mixing"), Fourth),
}
_PAIRS = (("tensor_p", "tensor_n"), ("electron_left", "electron_right"), ("weak_p", "weak_n"))
_SHAPES: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(_MATRICES, (3, 3)),
    **dict.fromkeys(("magnetic_moment", "by_flavour"), (3,)),
    **dict.fromkeys(("weak_p", "weak_n", "mass", "shape"), ()),
}
_EQUAL = 1e-9  # relative: two ways to compute the same
_STEP = 0.1  # away from the defaults, where something new is not zero


def entry_points() -> "EntryPoints":
    """Return the models of installed packages."""
    from importlib import metadata  # 10 ms, and most models are built in

    return metadata.entry_points(group=GROUP)


def model_names() -> tuple[str, ...]:
    """Return the names of all models: those of this package, then those of installed ones.

    >>> model_names()[0]
    'standard-model'
    """
    return (*_BUILT_IN, *sorted({entry.name for entry in entry_points()} - set(_BUILT_IN)))


def load_model(name: str | Path) -> Model:
    """Return a model, checked, by its name or by the path of the file (.py) that defines it.

    An installed package makes its models known by entry points of the group "nurecoil.models". Models may be
    summed, "nsi+magnetic-moments", see `nurecoil.models.sums`.

    An error for an unknown name, a file that is missing, fails or has not exactly one model, and for a model
    that is not what it says: see `check`.

    >>> load_model("331-beta").title
    "331β model: a heavy Z' from SU(3)_L x U(1)_X"
    """
    name = str(name).strip()
    if name in _BUILT_IN:
        return _BUILT_IN[name]
    if name.endswith(".py") and ("+" not in name or Path(name).exists()):
        return check(_of_file(Path(name)), name)
    for entry in entry_points():
        if entry.name == name:
            try:
                found = entry.load()
            except Exception as error:
                raise NurecoilError(f"the model {name} of {entry.value} cannot be loaded: {error}") from error
            return check(found, entry.value)
    if "+" in name:
        parts = [part.strip() for part in name.split("+")]
        if not all(parts):
            raise no_sum(name)
        return sum_of([load_model(part) for part in parts])
    raise unknown_name("model", name, model_names())


def check(model: object, where: str) -> Model:
    """Return a model, if it is what it says, at each parameter's default (or a value that is allowed).

    Names are distinct and free; the couplings are finite and Hermitian, of shape (..., 3, 3); of an array of
    points they are those of the points one by one; and where the model says that it is the Standard Model,
    they are the Standard Model's. At every later point shapes and numbers are checked as well.
    """
    if not isinstance(model, Model):
        raise NurecoilError(f"{where}: {model!r} is no nurecoil.Model")
    if isinstance(model.evaluate, _Watched) or any(model is built_in for built_in in MODELS):
        return model
    model = replace(model, evaluate=_Watched(model, where), notes=_Told(model, where))
    refuse = partial(_refusal, model, where)
    if wrong := _wrong_kinds(model):
        raise refuse(wrong)
    names = [p.name for p in model.parameters]
    for name in names:
        if not name.isidentifier() or name in _TAKEN:
            raise refuse(f"has a parameter '{name}', which must be a word of its own (not an option's)")
        if names.count(name) > 1:
            raise refuse(f"has {names.count(name)} parameters called {name}")
    point: dict[str, Value] = {p.name: _usual(p) for p in model.parameters}
    try:
        model.resolve({**point, **(model.standard_at or {})})
        model.resolve(point)
    except NurecoilError as error:
        raise refuse(f"has values that it does not allow: {error}") from None
    model.notes(point)
    for place in (point, {p.name: _moved(p, point[p.name]) for p in model.parameters}):
        at = _at(model, place, where)
        if at is None and place is not point:
            break  # a model need not exist everywhere
        if at is None or not all(np.isfinite(rows).all() for rows in at.values()):
            raise refuse("has couplings that are no numbers, or too large ones, at its defaults")
        for p in model.parameters:
            if not p.choices:
                pair = [place[p.name], _moved(p, place[p.name])]
                found = (_at(model, {**place, p.name: value}, where) for value in pair)
                ones = [one for one in found if one is not None]
                if len(ones) < len(pair):  # nor do the two together
                    continue
                two = _at(model, {**place, p.name: np.array(pair)}, where)
                if not all(_same(two, one, number) for number, one in enumerate(ones)):
                    raise refuse(f"has other couplings for an array of {p.name} than for each number")
    if model.standard_at is not None:
        there = model.resolve({**point, **model.standard_at})
        own = {p.name: there[p.name] for p in STANDARD_MODEL.parameters if p.name in there}
        if not _same(_at(model, there, where), _products(STANDARD_MODEL.couplings(**own))):
            said = ", ".join(f"{name} = {value}" for name, value in model.standard_at.items())
            raise refuse(f"is not the Standard Model at {said}, as it says")
    return model


class _WrongError(NurecoilError):
    """What a model's file does wrong, unlike a point at which the model says that it does not exist."""


@dataclass(frozen=True)
class _Watched:
    """`evaluate` of a model of one's own: at each point couplings as they must be, or a `NurecoilError`."""

    model: Model
    where: str

    def __call__(self, values: Values) -> Couplings:
        """Return the couplings; of points the first one that fails alone is named."""
        try:
            with unwarned():
                couplings = self.model.evaluate(values)
            points = np.broadcast_shapes(*(np.shape(value) for value in values.values()))
            if not (wrong := _wrong(couplings, points)):
                return couplings
        except NurecoilError:
            raise
        except Exception as error:
            wrong = f"fails: {type(error).__name__}: {error}"
        if any(map(np.ndim, values.values())):
            for each in zip(*map(np.ravel, np.broadcast_arrays(*values.values())), strict=True):
                self({name: x.item() for name, x in zip(values, each, strict=True)})
        raise _WrongError(str(_refusal(self.model, self.where, f"{wrong}, at {_place(self.model, values)}")))


@dataclass(frozen=True)
class _Told:
    """`notes` of a model of one's own: sentences, or a `NurecoilError`."""

    model: Model
    where: str

    def __call__(self, values: Values) -> tuple[str, ...]:
        """Return the notes; one on a parameter that is scanned, and so has no value, fails as a rule."""
        try:
            notes: object = self.model.notes(values)
        except Exception as error:
            wrong = f"has notes that fail: {type(error).__name__}: {error}"
            if lacking := [p.name for p in self.model.parameters if p.name not in values]:
                wrong += f" ({' and '.join(lacking)}, scanned, has no value)"
        else:
            if isinstance(notes, tuple | list) and all(isinstance(note, str) for note in notes):
                return tuple(notes)
            wrong = f"has notes {_short(notes)}, which must be a tuple of sentences"
        raise _refusal(self.model, self.where, wrong)


def _place(model: Model, values: Values) -> str:
    """Return where parameters are that are not at their defaults."""
    said = []
    for p in model.parameters:
        if np.ndim(value := values[p.name]):
            said.append(f"{np.size(value)} values of {p.name}")
        elif value != p.default:
            said.append(f"{p.name} = {value if p.choices else p.format(float(value))}")
    return ", ".join(said) or "its defaults"


def _wrong_kinds(model: Model) -> str:
    """Return what is wrong with a model before it is evaluated, if anything is."""
    given: Any = model.name
    if not (isinstance(given, str) and given.strip()):
        return f"has the name {given!r}, which is no text"
    for name, kind in (("parameters", Parameter), ("channels", str)):
        given = getattr(model, name)
        if not isinstance(given, tuple | list) or any(not isinstance(each, kind) for each in given):
            return f"has {name} {_short(given)}, which must be a tuple of nurecoil's {name}"
    for name in model.channels:
        if name not in PRODUCTS and name.removesuffix("-electron") not in PRODUCTS:
            return f"lists an {unknown_name('channel', name, PRODUCTS)}"
    return ""


def _short(thing: object) -> str:
    return f"{' '.join(repr(thing).split()):.40}"


def _wrong(
    thing: object,
    points: tuple[int, ...],
    kind: type = Couplings,
    hermitian: Sequence[str] = AMPLITUDES,
) -> str:
    """Return what is wrong with couplings at some points, if anything is."""
    if not isinstance(thing, kind):
        return f"gives {_short(thing)}, no {kind.__name__}"
    for field in fields(kind):
        if getattr(thing, field.name) is None and field.default is MISSING:
            return f"gives no {field.name}"
    if wrong := _wrong_nuclei(thing):
        return wrong
    for one, other in _PAIRS:
        if hasattr(thing, one) and (getattr(thing, one) is None) != (getattr(thing, other) is None):
            return f"gives only one of {one} and {other}"
    for name, given in vars(thing).items():
        if name in _PARTS and given is not None:
            of_part = _MATRICES if name == "light_vector" else ()
            if wrong := _wrong(given, points, _PARTS[name], of_part):
                return f"{wrong}, of {name}"
        if name not in _SHAPES or given is None:
            continue
        array, tail = np.asarray(given), _SHAPES[name]
        lead = array.shape[: array.ndim - len(tail)]
        fits = len(lead) <= len(points) and all(
            n in (1, m) for n, m in zip(lead[::-1], points[::-1], strict=False)
        )
        if array.shape[len(lead) :] != tail or not fits:
            expected = ", ".join(map(str, ("...", *tail)))
            return f"gives {name} of shape {array.shape}, not ({expected}) at points of shape {points}"
        if tail and not isinstance(given, np.ndarray):
            return f"gives {name} as a {type(given).__name__}, not an array"
        if array.dtype.kind not in ("fiuc" if tail == (3, 3) else "fiu"):
            return f"gives {name} of {array.dtype}, not of {'' if tail == (3, 3) else 'real '}numbers"
        if not (np.isfinite(array) | ((name == "mass") & (array == np.inf))).all():
            return f"gives {name} that is not finite"
        if name in ("mass", "shape") and (array < 0).any():
            return f"gives {name} that is below 0"
        if name in hermitian and not np.allclose(array, array.swapaxes(-1, -2).conj(), rtol=_EQUAL):
            return f"gives {name} that is not Hermitian"
    return ""


def _wrong_nuclei(thing: object) -> str:
    """Return what is wrong with spins of quarks and radii of neutrons, if anything is."""
    spins, radii = getattr(thing, "quark_spins", None), getattr(thing, "neutron_radii", None)
    if spins is not None and (np.shape(spins) != (2,) or np.asarray(spins).dtype.kind not in "fiu"):
        return f"gives quark_spins {_short(spins)}, not two numbers"
    if radii is not None and not (isinstance(radii, Mapping) and radii.keys() == NEUTRON_RADII.keys()):
        return f"gives neutron_radii {_short(radii)}, not those of {', '.join(NEUTRON_RADII)}"
    return ""


def _refusal(model: Model, where: str, what: str) -> NurecoilError:
    return NurecoilError(f"{where}: the model {model.name} {what}")


def _usual(parameter: Parameter) -> Value:
    """Return the default, or a value that is allowed."""
    if parameter.default is not None:
        return parameter.default
    if parameter.choices:
        return parameter.choices[0]
    low, high = parameter.low, parameter.high
    if np.isfinite(low) and np.isfinite(high):
        return (low + high) / 2
    return low + abs(low) + 1.0 if np.isfinite(low) else min(high - 1.0, 1.0)


def _moved(parameter: Parameter, value: Value) -> Value:
    """Return a value a little away from another, still allowed."""
    if parameter.choices:
        return value
    up, down = parameter.high - value, value - parameter.low
    step = _STEP * min(max(1.0, abs(value)), max(up, down))
    return value + step if up >= down else value - step


def _at(model: Model, values: Values, where: str) -> Products | None:
    """Return the strengths of a model; None where it says that it does not exist there."""
    try:
        couplings = model.evaluate(values)
    except _WrongError:
        raise
    except NurecoilError:
        return None
    for name, products in PRODUCTS.items():
        if products(couplings) and name not in model.channels:
            raise _refusal(model, where, f"has couplings of the channel {name}, which it does not list")
    return _products(couplings)


def _products(couplings: Couplings) -> Products:
    """Return the products of couplings of each channel, a row a point, those of a mediator at some q."""
    found = {}
    for name, products in PRODUCTS.items():
        parts = [
            stacked(terms) if weight is None else stacked(terms) * weight.probe()[..., np.newaxis]
            for terms, weight in products(couplings)
        ]
        if parts:
            found[name] = sum(part.reshape(-1, 3 * part.shape[-1]) for part in parts)
    return found


def _same(points: Products | None, one: Products, number: int = 0) -> bool:
    """Return whether the products at one of some points are those of `one`.

    Of a weak charge a model need not know, be it anywhere or at some points.
    """
    if points is None:
        return False

    def at(name: str) -> Any:
        rows = points.get(name, np.zeros((1, 1)))
        return rows[min(number, len(rows) - 1)]

    names = set(points | one) - ({"weak-charge"} - set(points) & set(one))
    return all(np.allclose(at(name), one.get(name, 0.0), rtol=_EQUAL, atol=0) for name in names)


def _of_file(path: Path) -> object:
    """Return the one model that a file defines."""
    if not path.is_file():
        raise NurecoilError(f"there is no model file {path}")
    module_name = f"nurecoil_model_{path.stem}_{sha256(path.read_bytes()).hexdigest()[:12]}"
    if (module := sys.modules.get(module_name)) is None:
        spec = spec_from_file_location(module_name, path)
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        sys.modules[module_name] = module
        try:
            spec.loader.exec_module(module)
        except (Exception, SystemExit) as error:
            del sys.modules[module_name]
            raise NurecoilError(f"the model file {path} fails: {type(error).__name__}: {error}") from error
        with suppress(ImportError):  # worker processes cannot import what the file defines
            import cloudpickle

            cloudpickle.register_pickle_by_value(module)
    if isinstance(named := getattr(module, "MODEL", None), Model):
        return named
    models = {id(thing): thing for thing in vars(module).values() if isinstance(thing, Model)}
    found = [model for number, model in models.items() if number not in map(id, MODELS)]
    if len(found) != 1:
        raise NurecoilError(
            f"the model file {path} defines {len(found)} models: it must define one, or call it MODEL"
        )
    return found[0]

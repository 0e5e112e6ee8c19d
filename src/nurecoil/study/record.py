"""Records as strict JSON."""

import json
import math
from collections.abc import Mapping


def strict_json(record: Mapping[str, object], ascii_only: bool = False) -> str:
    """Return JSON; arrays become lists, and NaN and infinity, which it has not, null."""
    return json.dumps(_strict(record), indent=2, allow_nan=False, ensure_ascii=ascii_only)


def _strict(value: object) -> object:
    if hasattr(value, "tolist"):  # of NumPy
        value = value.tolist()
    if isinstance(value, Mapping):
        return {key: _strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

"""What the page shows, as its address says it: the command line's own options, and the question they ask.

?model=nsi&experiment=coherent-csi-2021&set=eps_u_ee=0.1&scan=eps_u_ee=-1..1&cl=90%25
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from nurecoil.errors import NurecoilError, unknown_name
from nurecoil.quantities import named_values

OPTIONS = ("model", "experiment", "set", "scan", "cl")
_MANY = ("experiment", "set")


@dataclass(frozen=True)
class State:
    """A point of a model, the experiments it is compared with, and the parameter of the limit.

    Attributes
    ----------
    model, experiments
        Their names.
    values
        Of parameters, as people write them, the scanned one among them.
    scan, within
        The parameter of the limit and the range to look in; empty for none.
    cl
        The confidence level.
    """

    model: str
    experiments: tuple[str, ...]
    values: Mapping[str, str] = field(default_factory=dict)
    scan: str = ""
    within: str = ""
    cl: str = "90%"

    @classmethod
    def of(cls, query: str) -> "State":
        """Return the state of an address, or an error that names what is wrong with it."""
        given: dict[str, list[str]] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            if name not in OPTIONS:
                raise unknown_name("part of the address", name, OPTIONS)
            given.setdefault(name, []).append(value)
        for name, texts in given.items():
            if len(texts) > 1 and name not in _MANY:
                raise NurecoilError(f"the address gives {name} {len(texts)} times: it may be there once")
        if not given.get("model"):
            raise NurecoilError("the address gives no model: ?model=NAME&experiment=NAME")
        scans = named_values("scan", "NAME=LOW..HIGH", given.get("scan", []))
        scan, within = next(iter(scans.items()), ("", ""))
        return cls(
            given["model"][0],
            tuple(dict.fromkeys(given.get("experiment", []))),
            named_values("set", "NAME=VALUE", given.get("set", [])),
            scan,
            within,
            given.get("cl", ["90%"])[0],
        )

    @property
    def others(self) -> dict[str, str]:
        """The values of all parameters but the scanned one."""
        return {name: value for name, value in self.values.items() if name != self.scan}

    def commands(self) -> str:
        """Return the commands that give the counts of the page, and its limit."""
        lines = [self._command("predict", self.values)]
        if self.scan:
            limit = ["--scan", f"{self.scan}={self.within}", "--cl", self.cl]
            lines.append(self._command("limit", self.others, limit))
        return "\n".join(lines)

    def _command(self, verb: str, values: Mapping[str, str], more: list[str] | None = None) -> str:
        parts = ["nurecoil", verb, "--model", self.model]
        for name in self.experiments:
            parts += ["--experiment", name]
        for name, value in values.items():
            parts += ["--set", f"{name}={value}"]
        return shlex.join([*parts, *(more or [])])

    def python(self) -> str:
        """Return the same in Python."""
        lines = ["import nurecoil", "", f"print(nurecoil.Study({self._arguments(self.values)}).predict())"]
        if self.scan:
            asked = f"{self.scan!r}, {self.within!r}, cl={self.cl!r}"
            lines.append(f"print(nurecoil.Study({self._arguments(self.others)}).limit({asked}))")
        return "\n".join(lines)

    def _arguments(self, values: Mapping[str, str]) -> str:
        named = (f"{name}={value!r}" for name, value in values.items())
        return ", ".join([repr(self.model), repr(list(self.experiments)), *named])

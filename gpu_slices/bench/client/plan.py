"""What the load client is told to do: targets, and runs one after the other. Read from JSON, checked before any load.

    {"seed": 1,
     "targets": {"a": {"url": "http://a:8000/v1/completions", "model": "phi", "body": {"ignore_eos": null}}},
     "runs": [{"condition": "exclusive", "drive": ["a"], "load": {"closed": 8}, "repeat": 0, "servers": 1,
               "prompt_words": 128, "output_tokens": 128, "warmup_s": 2, "window_s": 10, "drain_s": 10, "stall_s": 30,
               "labels": {"mode": "graph"}}]}

`load` is `{"closed": STREAMS}` (each stream sends its next request when the last has ended) or `{"open": RATE}`
(requests per second, Poisson), both per target. `body` is merged into every request; a null removes a key.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Literal
from urllib.parse import urlsplit

LoadKind = Literal["closed", "open"]


class PlanError(ValueError):
    """The plan is wrong; the text names the place and says what to write."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """A model server: where it listens and what every request to it carries."""

    name: str
    host: str
    port: int
    path: str
    model: str
    body: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Load:
    """Load on each driven target: `level` is streams (closed) or requests per second (open)."""

    kind: LoadKind
    level: float

    def __str__(self) -> str:
        return f"{self.kind} {self.level:g}"


@dataclass(frozen=True, kw_only=True)
class Run:
    """One measurement: all of `drive` loaded for warm-up, window and drain. Durations in seconds.

    `condition` and `labels` are not read here; they travel into the record. `servers` is how many model servers hold
    the GPU, driven or not.
    """

    condition: str
    drive: tuple[str, ...]
    load: Load
    repeat: int = 0
    servers: int = 1
    prompt_words: int = 128
    output_tokens: int = 128
    warmup_s: float = 2.0
    window_s: float = 10.0
    drain_s: float = 10.0
    stall_s: float = 30.0
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def limit_s(self) -> float:
        """The longest this run can take."""
        return self.warmup_s + self.window_s + self.drain_s + 1.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything one invocation does; `seed` decides prompts, arrivals and phases."""

    seed: int
    targets: dict[str, Target]
    runs: tuple[Run, ...]


def read_target(name: str, data: dict[str, Any]) -> Target:
    """Check and type one target."""
    url = urlsplit(str(data.get("url", "")))
    if url.scheme != "http" or not url.hostname:
        raise PlanError(f"targets.{name}.url: {data.get('url')!r} is not http://HOST:PORT/PATH (TLS is not spoken)")
    return Target(
        name=name,
        host=url.hostname,
        port=url.port or 80,
        path=url.path if url.path not in ("", "/") else "/v1/completions",
        model=str(data.get("model", name)),
        body=dict(data.get("body", {})),
    )


def read_load(data: object, where: str) -> Load:
    """Check and type a load; `where` names it in errors."""
    if isinstance(data, dict) and len(data) == 1:
        kind, level = next(iter(data.items()))
        if kind in ("closed", "open") and isinstance(level, (int, float)) and level > 0:
            if kind == "closed" and level != int(level):
                raise PlanError(f"{where}: closed load counts streams, write a whole number instead of {level}")
            return Load(kind=kind, level=float(level))
    raise PlanError(f'{where}: write {{"closed": STREAMS}} or {{"open": REQUESTS_PER_SECOND}}, got {data!r}')


def read_run(data: dict[str, Any], where: str, targets: dict[str, Target]) -> Run:
    """Check and type one run; `where` names it in errors."""
    known = {item.name for item in fields(Run)}
    if unknown := sorted(set(data) - known):
        raise PlanError(f"{where}: unknown key {unknown[0]!r}, known are {', '.join(sorted(known))}")
    drive = tuple(data.get("drive", targets))
    if missing := [name for name in drive if name not in targets]:
        raise PlanError(f"{where}.drive: {missing[0]!r} is no target, targets are {', '.join(targets)}")
    if not drive:
        raise PlanError(f"{where}.drive: name at least one target")
    run = Run(**{**data, "drive": drive, "load": read_load(data.get("load"), f"{where}.load")})
    for key in ("output_tokens", "prompt_words", "window_s", "stall_s"):
        if not getattr(run, key) > 0:
            raise PlanError(f"{where}.{key}: must be above 0, got {getattr(run, key)}")
    return run


def read_plan(data: object) -> Plan:
    """Check and type a plan.

    Raises:
        PlanError: something is missing, unknown or out of range.
    """
    if not isinstance(data, dict) or not data.get("targets") or not data.get("runs"):
        raise PlanError('a plan is {"targets": {NAME: {"url": …}}, "runs": [{…}]}, both non-empty')
    targets = {name: read_target(name, target) for name, target in data["targets"].items()}
    runs: list[Run] = []
    for index, item in enumerate(data["runs"]):
        if not isinstance(item, dict) or "condition" not in item:
            raise PlanError(f"runs[{index}]: an object with a condition is needed, got {item!r}")
        runs.append(read_run(item, f"runs[{index}]", targets))
    return Plan(seed=int(data.get("seed", 1)), targets=targets, runs=tuple(runs))

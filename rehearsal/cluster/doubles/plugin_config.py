"""Reads device plugin configs as the plugin does: with its own parser, built from its own Go package.

The parser (`tools/nvidia`) is v0.19.3's. Which config a node gets is decided as the plugin's config-manager decides it
(cmd/config-manager/main.go, updateConfigName).
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

CONFIG_LABEL = "nvidia.com/device-plugin.config"
# What config-manager writes for its fallback "empty": a config without content, hence without sharing.
EMPTY = ""
Strategy = Literal["none", "time-slicing", "mps"]


class PluginError(Exception):
    """The plugin's container would end with this message, and be restarted until it does not."""

    def __init__(self, container: str, message: str) -> None:
        super().__init__(message)
        self.container = container


@dataclass(frozen=True, kw_only=True)
class Replicated:
    """One entry of the active sharing block: `replicas` of `name`, advertised as `rename` when that is not empty."""

    name: str
    rename: str
    replicas: int


@dataclass(frozen=True, kw_only=True)
class PluginConfig:
    """What the doubles need of a parsed config; `one_at_a_time` is failRequestsGreaterThanOne."""

    strategy: Strategy
    mig_strategy: str
    resources: tuple[Replicated, ...]
    one_at_a_time: bool = False


def parse(program: Path, text: str) -> PluginConfig:
    """Return `text` as the plugin parses it, or raise PluginError with the parser's own message."""
    answer = json.loads(_run(program, text))
    if answer.get("error"):
        raise PluginError("nvidia-device-plugin-ctr", answer["error"])
    config: Mapping[str, Any] = answer["config"]
    sharing = config.get("sharing") or {}
    active = sharing.get("mps") or sharing.get("timeSlicing") or {}
    return PluginConfig(
        strategy=answer["strategy"],
        mig_strategy=(config.get("flags") or {}).get("migStrategy") or "none",
        resources=tuple(
            Replicated(name=one["name"], rename=one.get("rename") or "", replicas=one["replicas"])
            for one in active.get("resources") or []
        ),
        one_at_a_time=bool(active.get("failRequestsGreaterThanOne")),
    )


def choose(keys: frozenset[str], *, label: str, default: str, fallbacks: tuple[str, ...] = ("named", "single")) -> str:
    """Return the config that a node labelled `label` gets out of `keys`, or raise PluginError as config-manager would.

    EMPTY where the fallback of that name holds, which is the operator's.
    """
    if not keys:
        raise PluginError("nvidia-device-plugin-init", "no configuration files available")
    wanted = label or default
    if wanted:
        if wanted not in keys:
            raise PluginError("nvidia-device-plugin-init", f"specified config {wanted} does not exist")
        return wanted
    if "named" in fallbacks and "default" in keys:
        return "default"
    if "single" in fallbacks and len(keys) == 1:
        return next(iter(keys))
    if "empty" in fallbacks:
        return EMPTY
    raise PluginError(
        "nvidia-device-plugin-init", "no config was set, no default was provided, and all fallbacks failed"
    )


@lru_cache(maxsize=256)
def _run(program: Path, text: str) -> str:
    finished = subprocess.run(
        [str(program)], input=json.dumps({"config": text}), capture_output=True, text=True, timeout=30, check=True
    )
    return json.dumps(json.loads(finished.stdout)["config"])

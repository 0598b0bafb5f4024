"""Ids, ARNs, names and outputs in AWS's shapes, all derived from the URN: the same program gets the same ones."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from rehearsal.account import ACCOUNT_ID
from rehearsal.aws.table import AwsType
from rehearsal.aws.types import TYPES
from rehearsal.schemas import load
from rehearsal.values import UNKNOWN

#: The input that remembers which names were not the program's (as Pulumi's bridge does): they may be chosen anew.
DEFAULTS = "__defaults"


def with_name(
    token: str,
    urn: str,
    inputs: Mapping[str, Any],
    before: Mapping[str, Any] | None = None,
    taken: Callable[[str], bool] = lambda _name: False,
) -> dict[str, Any]:
    """The inputs with the name that Pulumi or AWS would choose; `before` are the inputs of the last update."""
    kind = TYPES[token]
    if not kind.named or inputs.get(kind.named) is not None:
        return dict(inputs)
    stated = inputs.get(kind.prefix) if kind.prefix else None
    kept = (before or {}).get(kind.named)
    if kept and kind.named in (before or {}).get(DEFAULTS, ()) and (before or {}).get(kind.prefix) == stated:
        return {**inputs, kind.named: kept, DEFAULTS: [kind.named]}
    if stated == UNKNOWN:
        return {**inputs, kind.named: UNKNOWN, DEFAULTS: [kind.named]}
    logical = kind.name_before + urn.rsplit("::", 1)[-1] + "-"
    for times in range(1000):
        digest = _digest(urn, times)
        name = f"{stated}2026{int(digest[:14], 16) % 10**14:014}{digest[14:22]}" if stated else logical + digest[:7]
        if not taken(name):
            return {**inputs, kind.named: name, DEFAULTS: [kind.named]}
    raise ValueError(f"no free name for {urn}")


def invent(
    token: str,
    urn: str,
    inputs: Mapping[str, Any],
    *,
    region: str,
    tags: Mapping[str, str] | None = None,
    times: int = 0,
) -> tuple[str, dict[str, Any]]:
    """The id and the state of a resource as AWS would have made it. `tags` are the provider's default tags."""
    kind = TYPES[token]
    words = _words(urn, times, inputs, region, kind)
    identifier = kind.id.format_map(words)
    words["id"] = identifier
    state = {name: value for name, value in inputs.items() if value is not None and name != DEFAULTS}
    arn = {"arn": kind.arn} if kind.arn else {}
    for name, template in {**arn, **kind.outputs}.items():
        state[name] = _filled(template, inputs, words)
    shape = load("aws").shape(token)
    if "region" in shape.inputs:
        state.setdefault("region", region)
    if "tagsAll" in shape.outputs:
        state["tagsAll"] = {**(tags or {}), **(inputs.get("tags") or {})}
    return identifier, state


def planned(token: str, inputs: Mapping[str, Any], state: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What a preview shows: the inputs, and outputs as UNKNOWN where they are not in an earlier `state`."""
    shape, kind = load("aws").shape(token), TYPES[token]
    names = {*shape.outputs, *kind.outputs} | ({"arn"} if kind.arn else set())
    known = {name: value for name, value in (state or {}).items() if name in names}
    given = {name: value for name, value in inputs.items() if name != DEFAULTS}
    return {**dict.fromkeys(sorted(names), UNKNOWN), **known, **given}


def _words(urn: str, times: int, inputs: Mapping[str, Any], region: str, kind: AwsType) -> dict[str, str]:
    digest = _digest(urn, times)
    texts = {name: value for name, value in inputs.items() if isinstance(value, str)}
    return {
        **texts,
        "hex8": digest[:8],
        "hex17": digest[:17],
        "hex32": digest[:32],
        "HEX17": digest[:17].upper(),
        "HEX32": digest[:32].upper(),
        "uuid": "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32])),
        "number": str(int(digest[:6], 16) % 254 + 1),
        "region": texts.get("region", region),
        "account": ACCOUNT_ID,
        "name": str(inputs.get(kind.named) or ""),
        "host": texts.get("url", "").removeprefix("https://"),
    }


def _filled(template: Any, inputs: Mapping[str, Any], words: Mapping[str, str]) -> Any:
    if callable(template):
        return template(inputs, words)
    return template.format_map(words) if isinstance(template, str) else template


def _digest(urn: str, times: int) -> str:
    return hashlib.sha256(f"{urn}#{times}".encode()).hexdigest()

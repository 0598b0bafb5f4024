"""The only reader of Pulumi config: from the stack's keys to its plan."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final

import pulumi
from pulumi.runtime.config import CONFIG

from gpu_slices.naming import PROJECT
from gpu_slices.plan import Plan, make_plan
from gpu_slices.reserved_capacity import ended_reservations
from gpu_slices.settings import SettingsError, parse
from gpu_slices.settings.model import REGION_KEY
from gpu_slices.settings.schema import json_schema

#: Keys whose value is a mapping, which Pulumi hands over as JSON text.
_SCALARS: Final = frozenset({"string", "integer"})


def load_plan() -> Plan:
    """The plan of the stack that is being deployed; its warnings, and what the clock adds, become Pulumi diagnostics.

    Raises pulumi.RunError, which Pulumi shows without a traceback, with every mistake on a line of its own.
    """
    stack = pulumi.get_stack()
    try:
        plan = make_plan(parse(_raw(), stack=stack), stack=stack)
    except SettingsError as error:
        raise pulumi.RunError(f"the settings of stack {stack} have mistakes:\n{error}") from None
    for warning in (*plan.warnings, *ended_reservations(plan.settings, datetime.now(UTC))):
        pulumi.warn(str(warning))
    return plan


def _raw() -> dict[str, Any]:
    """Every key of our namespace, declared or not: `pulumi.Config` would not show a misspelt one."""
    prefix = f"{PROJECT}:"
    own = {key.removeprefix(prefix): value for key, value in CONFIG.get().items() if key.startswith(prefix)}
    raw = {key: _value(key, value) for key, value in own.items()}
    region = CONFIG.get().get(REGION_KEY)
    return raw if region is None else {**raw, REGION_KEY: region}


def _value(key: str, value: Any) -> Any:
    kind = json_schema()["properties"].get(key, {}).get("type")
    if kind in _SCALARS or not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value

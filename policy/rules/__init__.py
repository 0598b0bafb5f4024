"""The rules, as plain functions that know no Pulumi. A new one: write it in a file here and list its RULES below."""

from __future__ import annotations

from typing import Final

from . import encryption, exposure, gpu_nodes, pins, sharing, tenants
from .rule import Rule

RULES: Final[tuple[Rule, ...]] = (
    *gpu_nodes.RULES,
    *pins.RULES,
    *sharing.RULES,
    *tenants.RULES,
    *exposure.RULES,
    *encryption.RULES,
)

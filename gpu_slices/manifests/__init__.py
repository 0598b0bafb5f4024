"""The Kubernetes objects of a stack as plain dictionaries, exactly as they are applied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..plan import Plan
from .gpu_stack import gpu_stack_objects
from .tenants import tenant_objects

Manifest = Mapping[str, Any]


def objects(plan: Plan) -> list[Manifest]:
    """Every Kubernetes object that the program applies itself (Helm releases apart), in the order it is applied."""
    return [*gpu_stack_objects(plan), *(manifest for tenant in plan.tenants for manifest in tenant_objects(tenant))]

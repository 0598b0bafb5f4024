"""What every component here shares: a type token, and children that belong to it."""

from __future__ import annotations

from typing import Any

import pulumi


class Component(pulumi.ComponentResource):
    """A component whose type token is `gpu-slices:index:<Class>`: part of every child's URN, so never rename lightly."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(f"gpu-slices:index:{type(self).__name__}", name, None, opts)

    def child(self, **options: Any) -> pulumi.ResourceOptions:
        """Options of a resource inside this component."""
        return pulumi.ResourceOptions(parent=self, **options)

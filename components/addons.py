"""EKS add-ons. Two instances: what nodes need to become Ready, and what needs nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from gpu_slices.addons import Addon

from .component import Component


@dataclass(frozen=True, kw_only=True)
class AddonsArgs:
    """Which add-ons, on which cluster, after what."""

    cluster_name: pulumi.Input[str]
    addons: Sequence[Addon]
    after: Sequence[pulumi.Resource] = ()


class Addons(Component):
    """One aws.eks.Addon each."""

    def __init__(self, name: str, args: AddonsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        for addon in args.addons:
            aws.eks.Addon(
                f"{name}-{addon.name}",
                cluster_name=args.cluster_name,
                addon_name=addon.name,
                addon_version=addon.version,
                configuration_values=addon.configuration,
                resolve_conflicts_on_create="OVERWRITE",
                resolve_conflicts_on_update="OVERWRITE",
                opts=self.child(depends_on=list(args.after)),
            )
        self.register_outputs({})

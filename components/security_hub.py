"""Security Hub of the account and region."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from .account_services import KEPT, found
from .component import Component


class SecurityHub(Component):
    """The account's subscription: adopted as it is where there is one, and never ended.

    One that the stack begins has the standards that AWS turns on by default.
    """

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        here = pulumi.InvokeOptions(parent=self)
        there = found(lambda: aws.securityhub.get_enabled_standards(opts=here))
        aws.securityhub.Account(
            f"{name}-account",
            enable_default_standards=True,
            opts=self.child(
                import_=aws.get_caller_identity(opts=here).account_id if there else None,
                ignore_changes=["autoEnableControls", "controlFindingGenerator", "enableDefaultStandards"],
                **KEPT,
            ),
        )
        self.register_outputs({})

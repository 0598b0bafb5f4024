"""Who GitHub's workflows are to AWS: a provider of identities, and the roles that its tokens take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.account_services import KEPT, found
from components.component import Component
from gpu_slices.iam.github import AUDIENCE, ISSUER, github_trust_json
from gpu_slices.iam.state import state_access_json

from .plan import RolePlan


@dataclass(frozen=True, kw_only=True)
class CiIdentityArgs:
    """The roles to make, and the state that they work with."""

    roles: Sequence[RolePlan]
    bucket_arn: pulumi.Input[str]
    key_arn: pulumi.Input[str]


class CiIdentity(Component):
    """The provider, unless the account has it, and one role per plan with its policies."""

    role_arns: Mapping[str, pulumi.Output[str]]

    def __init__(self, name: str, args: CiIdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        provider = self._github(name).arn
        self.role_arns = {plan.name: self._role(f"{name}-{plan.name}", plan, provider, args) for plan in args.roles}
        self.register_outputs({"role_arns": dict(self.role_arns)})

    def _github(self, name: str) -> aws.iam.OpenIdConnectProvider:
        """An account has one per issuer, for all its repositories: one that is there is adopted as it is, none is deleted."""
        url = f"https://{ISSUER}"
        there = found(lambda: aws.iam.get_open_id_connect_provider(url=url, opts=pulumi.InvokeOptions(parent=self)))
        if there and AUDIENCE not in there.client_id_lists:
            pulumi.warn(f"{there.arn} is not meant for {AUDIENCE}: add this client id, or no workflow gets in", self)
        return aws.iam.OpenIdConnectProvider(
            f"{name}-github",
            url=url,
            client_id_lists=[AUDIENCE],
            opts=self.child(
                import_=there.arn if there else None,
                ignore_changes=["clientIdLists", "thumbprintLists", "tags", "tagsAll"],
                **KEPT,
            ),
        )

    def _role(self, name: str, plan: RolePlan, provider: pulumi.Input[str], args: CiIdentityArgs) -> pulumi.Output[str]:
        role = aws.iam.Role(
            name,
            description=plan.description,
            max_session_duration=plan.session_seconds,
            assume_role_policy=pulumi.Output.from_input(provider).apply(
                lambda arn: github_trust_json(arn, plan.subjects)
            ),
            opts=self.child(),
        )
        aws.iam.RolePolicy(
            f"{name}-state",
            role=role.name,
            policy=pulumi.Output.all(args.bucket_arn, args.key_arn).apply(
                lambda both: state_access_json(both[0], both[1], plan.changes)
            ),
            opts=self.child(),
        )
        for number, document in enumerate(plan.policies, start=1):
            policy = aws.iam.Policy(
                f"{name}-{number}", description=f"{plan.description} ({number})", policy=document, opts=self.child()
            )
            aws.iam.RolePolicyAttachment(f"{name}-{number}", role=role.name, policy_arn=policy.arn, opts=self.child())
        return role.arn

"""Who GitHub's workflows are to AWS: a provider of identities, and the roles that its tokens take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.component import Component
from gpu_slices.iam.github import AUDIENCE, ISSUER, github_trust_json
from gpu_slices.iam.state import state_access_json

from .plan import RolePlan


@dataclass(frozen=True, kw_only=True)
class CiIdentityArgs:
    """`provider_arn` is the account's provider of GitHub's tokens, "" where it is to be made; then `protect` holds it."""

    provider_arn: str
    protect: bool
    roles: Sequence[RolePlan]
    bucket_arn: pulumi.Input[str]
    key_arn: pulumi.Input[str]


class CiIdentity(Component):
    """The provider, unless the account has it, and one role per plan with its policies."""

    role_arns: Mapping[str, pulumi.Output[str]]

    def __init__(self, name: str, args: CiIdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        provider = args.provider_arn or self._github(name, args).arn
        self.role_arns = {plan.name: self._role(f"{name}-{plan.name}", plan, provider, args) for plan in args.roles}
        self.register_outputs({"role_arns": dict(self.role_arns)})

    def _github(self, name: str, args: CiIdentityArgs) -> aws.iam.OpenIdConnectProvider:
        """An account has one per issuer: other repositories may come to rely on it."""
        return aws.iam.OpenIdConnectProvider(
            f"{name}-github",
            url=f"https://{ISSUER}",
            client_id_lists=[AUDIENCE],
            opts=self.child(protect=args.protect),
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

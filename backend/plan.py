"""What the settings amount to: names, who may take which role, and the lines that people type afterwards."""

from __future__ import annotations

from dataclasses import dataclass

from gpu_slices.iam.deploy import DeployScope, deploy_policies, document_json, preview_policies
from gpu_slices.iam.github import changing_subjects, reading_subjects

from .settings import GitHub, Settings

KEY_ALIAS = "alias/gpu-slices-state"


@dataclass(frozen=True, kw_only=True)
class Place:
    """The account and region that the program runs in; `partition` is aws, aws-cn or aws-us-gov."""

    partition: str
    account: str
    region: str


@dataclass(frozen=True, kw_only=True)
class RolePlan:
    """One role of CI. `policies` are documents as JSON; `changes` says whether it writes state."""

    name: str
    description: str
    subjects: tuple[str, ...]
    policies: tuple[str, ...]
    changes: bool
    session_seconds: int


def bucket_name_of(settings: Settings, place: Place) -> str:
    """The name that is said, else one that no other account has."""
    return settings.bucket_name or f"gpu-slices-state-{place.account}-{place.region}"


def role_plans(settings: Settings, github: GitHub, place: Place) -> tuple[RolePlan, ...]:
    """The role for previews, and the one for updates where an environment is named for it."""
    regions = settings.regions or (place.region,)
    scope = DeployScope(partition=place.partition, account=place.account, regions=regions)
    preview = RolePlan(
        name="preview",
        description=f"Previews of gpu-slices stacks by {github.repository}: reads",
        subjects=reading_subjects(github.repository),
        policies=tuple(document_json(one) for one in preview_policies(scope)),
        changes=False,
        session_seconds=3600,
    )
    if not github.environments:
        return (preview,)
    deploy = RolePlan(
        name="deploy",
        description=f"Updates of gpu-slices stacks by {github.repository}: changes",
        subjects=changing_subjects(github.repository, github.environments),
        policies=tuple(document_json(one) for one in deploy_policies(scope)),
        changes=True,
        # As long as up.yml asks for.
        session_seconds=7200,
    )
    return (preview, deploy)


def state_url(bucket: str, region: str) -> str:
    """Pulumi's backend: what `pulumi login` and PULUMI_BACKEND_URL take."""
    return f"s3://{bucket}?region={region}"


def login_line(bucket: str, region: str) -> str:
    """The command that makes a machine use the state."""
    return f"pulumi login '{state_url(bucket, region)}'"


def stack_init_line(region: str) -> str:
    """The command that makes a stack whose secrets the key encrypts."""
    return f"pulumi stack init STACK --secrets-provider='awskms://{KEY_ALIAS}?region={region}'"

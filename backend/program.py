"""Wires settings, state and identity together."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import pulumi
import pulumi_aws as aws
from pulumi.runtime.config import CONFIG

from gpu_slices.naming import PROJECT
from gpu_slices.settings import SettingsError
from gpu_slices.settings.model import REGION_KEY

from .ci_identity import CiIdentity, CiIdentityArgs
from .plan import Place, bucket_name_of, login_line, role_plans, stack_init_line, state_url
from .settings import Settings, parse
from .state_store import StateStore, StateStoreArgs

#: Keys that Pulumi hands over as texts, which are texts.
_TEXTS: Final = frozenset({"bucketName"})
_VARIABLES: Final = {"preview": "AWS_PREVIEW_ROLE", "deploy": "AWS_DEPLOY_ROLE"}

Export = Callable[[str, Any], None]


def backend(export: Export) -> None:
    """Declares everything. Raises pulumi.RunError with every mistake in the settings."""
    settings = _settings()
    region = pulumi.Config("aws").require("region")
    provider = aws.Provider("aws", region=region, default_tags={"tags": {"managed-by": PROJECT}})
    asked = pulumi.InvokeOptions(provider=provider)
    caller = aws.get_caller_identity(opts=asked)
    place = Place(partition=aws.get_partition(opts=asked).partition, account=caller.account_id, region=region)
    own = pulumi.ResourceOptions(providers=[provider])
    store = StateStore(
        "state",
        StateStoreArgs(
            bucket_name=bucket_name_of(settings, place),
            keep_versions_days=settings.keep_versions_days,
            protect=settings.protect,
            place=place,
        ),
        own,
    )
    variables: dict[str, Any] = {
        "AWS_REGION": region,
        "PULUMI_BACKEND_URL": store.bucket_name.apply(lambda name: state_url(name, region)),
    }
    if settings.github:
        args = CiIdentityArgs(
            roles=role_plans(settings, settings.github, place),
            bucket_arn=store.bucket_arn,
            key_arn=store.key_arn,
        )
        roles = CiIdentity("ci", args, own).role_arns
        variables |= {_VARIABLES[name]: arn for name, arn in roles.items()}
    export("login", store.bucket_name.apply(lambda name: login_line(name, region)))
    export("stackInit", stack_init_line(region))
    export("githubVariables", variables)


def _settings() -> Settings:
    prefix = f"{pulumi.get_project()}:"
    own = {key.removeprefix(prefix): value for key, value in CONFIG.get().items() if key.startswith(prefix)}
    try:
        if REGION_KEY not in CONFIG.get():
            raise pulumi.RunError(f"{REGION_KEY} is missing; write it: pulumi config set {REGION_KEY} us-west-2")
        return parse({key: value if key in _TEXTS else _value(value) for key, value in own.items()})
    except SettingsError as error:
        raise pulumi.RunError(f"the settings have mistakes:\n{error}") from None


def _value(text: Any) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return text

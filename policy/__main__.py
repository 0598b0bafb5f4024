"""What the engine starts for `pulumi preview --policy-pack policy`: the rules, as Pulumi takes them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

# Pulumi runs this folder as a program: the rules' vocabulary lies beside it.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pulumi_policy import (  # type: ignore[import-not-found]
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    PolicyPack,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

from policy.rules import RULES
from policy.rules.environments import DEFAULT, environment_of
from policy.rules.rule import Resource, ResourceRule, Rule, Scope, StackRule, defaults

Report = Callable[..., None]

#: What the program declared so far, by URN. A stack rule gets outputs from the engine, which the first preview of a
#: cluster that is still to be made does not have.
_declared: Final[dict[str, Resource]] = {}


def _policy(rule: Rule) -> Policy:
    properties = {name: dict(schema) for name, schema in rule.config.items()}
    said: dict[str, Any] = {
        "name": rule.name,
        "description": rule.description,
        "enforcement_level": EnforcementLevel.MANDATORY,
        "config_schema": PolicyConfigSchema(properties=properties) if properties else None,
    }
    if isinstance(rule, ResourceRule):
        return ResourceValidationPolicy(**said, validate=_by_resource(rule))
    return StackValidationPolicy(**said, validate=_by_stack(rule))


def _by_resource(rule: ResourceRule) -> Callable[[ResourceValidationArgs, Report], None]:
    def validate(args: ResourceValidationArgs, report: Report) -> None:
        resource = Resource(urn=args.urn, type=args.resource_type, name=args.name, inputs=args.props)
        _declared[resource.urn] = resource
        for words in rule.check(resource, _scope(rule, resource.stack, args.stack_tags, args.get_config())):
            report(words)

    return validate


def _by_stack(rule: StackRule) -> Callable[[StackValidationArgs, Report], None]:
    def validate(args: StackValidationArgs, report: Report) -> None:
        there = [_declared[one.urn] for one in args.resources if one.urn in _declared]
        stack = there[0].stack if there else ""
        for found in rule.check(there, _scope(rule, stack, args.stack_tags, args.get_config())):
            report(found.words, found.urn)

    return validate


def _scope(rule: Rule, stack: str, tags: Mapping[str, str], configured: Mapping[str, Any]) -> Scope:
    config = {**defaults(rule), **configured}
    environments = config.get("environments")
    environment = environment_of(stack, tags, environments) if environments is not None else DEFAULT
    return Scope(environment=environment, config=config)


PolicyPack(name="gpu-slices", policies=[_policy(rule) for rule in RULES])

"""IAM documents judged by parliament's copy of AWS's service authorization reference. No network."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

with warnings.catch_warnings():
    # parliament opens its two data files at import and leaves closing them to the garbage collector
    warnings.filterwarnings("ignore", "unclosed file", ResourceWarning)
    import parliament
    from parliament.statement import get_arn_format, get_privilege_info

Document = Mapping[str, Any]


@dataclass(frozen=True, order=True)
class Gap:
    """An action needs a resource type that a statement does not name."""

    action: str
    needs: str


def findings(document: Document) -> list[str]:
    """What is wrong with a document: unknown actions, condition keys and operators, values of a wrong type, and
    actions for which no statement names all the resource types they need."""
    found = parliament.analyze_policy_string(json.dumps(document)).findings
    told = [f"{one.issue}: {one.detail}" for one in found if one.issue != "RESOURCE_MISMATCH"]
    return sorted([*told, *(f"{gap.action} lacks {gap.needs}" for gap in gaps(document))])


def gaps(document: Document) -> list[Gap]:
    """What no statement of a document gives: parliament asks every statement for everything, IAM only all together."""
    per_action: dict[str, list[set[Gap]]] = {}
    for statement in statements(document):
        missing = _gaps_of(statement)
        for action in listed(statement["Action"]):
            per_action.setdefault(action, []).append({gap for gap in missing if gap.action == action})
    return sorted(gap for several in per_action.values() for gap in set.intersection(*several))


def _gaps_of(statement: Document) -> set[Gap]:
    found = parliament.analyze_policy_string(json.dumps({"Version": "2012-10-17", "Statement": [statement]})).findings
    return {
        Gap(one["action"], one["required_format"])
        for finding in found
        if finding.issue == "RESOURCE_MISMATCH"
        for one in finding.detail
    }


def idle_resources(document: Document) -> list[str]:
    """ARNs that none of their statement's actions ever works on: a misspelt one grants nothing."""
    return [
        resource
        for statement in statements(document)
        for resource in listed(statement["Resource"])
        if resource != "*" and not any(_works_on(action, resource) for action in listed(statement["Action"]))
    ]


def _works_on(action: str, resource: str) -> bool:
    prefix, _, name = action.partition(":")
    if name == "*":
        return resource.split(":")[2] == prefix
    privilege = get_privilege_info(prefix, name)
    kinds = [one["resource_type"] for one in privilege["resource_types"] if one["resource_type"]]
    formats = [get_arn_format(kind, privilege["service_resources"]) for kind in kinds]
    # AWS's own public parameters carry no account in their ARN
    owned = resource.replace("::parameter/", ":*:parameter/")
    return any(parliament.is_arn_match("", arn, one) for arn in formats for one in (resource, owned))


def statements(document: Document) -> list[Document]:
    """The statements of a document."""
    return listed(document["Statement"])


def listed(value: Any) -> list[Any]:
    """IAM takes one or several wherever it takes several."""
    return list(value) if isinstance(value, list | tuple) else [value]

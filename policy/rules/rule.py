"""What a rule is: a function from a resource, or from all of them, to the sentences that say what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

Schema = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource as the program declares it: `inputs` have the provider's names (camelCase)."""

    urn: str
    type: str
    name: str
    inputs: Mapping[str, Any]

    @property
    def stack(self) -> str:
        """The stack's name, which every URN carries."""
        return self.urn.removeprefix("urn:pulumi:").split("::")[0]


@dataclass(frozen=True, kw_only=True)
class Scope:
    """For what a rule asks: the environment that the stack belongs to, and the rule's own configuration."""

    environment: str
    config: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Violation:
    """A sentence about the resource with this URN."""

    urn: str
    words: str


ResourceCheck = Callable[[Resource, Scope], Iterable[str]]
StackCheck = Callable[[Sequence[Resource], Scope], Iterable[Violation]]


@dataclass(frozen=True, kw_only=True)
class ResourceRule:
    """Reads one resource at a time and stops before that one is made.

    `config` is a JSON schema per property; each has a `default`, and `environments` is understood by the pack itself.
    """

    name: str
    description: str
    check: ResourceCheck
    config: Mapping[str, Schema] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class StackRule:
    """Reads all resources of the stack together, at the end of a preview or an update."""

    name: str
    description: str
    check: StackCheck
    config: Mapping[str, Schema] = field(default_factory=dict)


Rule = ResourceRule | StackRule

#: A property of every rule that asks for more in one environment than in another.
ENVIRONMENTS: Final[Mapping[str, Schema]] = {
    "environments": {
        "type": "object",
        "description": "Environment to the stack names it has, with * for any letters; the stack tag `environment` wins.",
        "additionalProperties": {"type": "array", "items": {"type": "string"}},
        "default": {"production": ["prod", "prod-*", "production", "production-*"]},
    }
}


def defaults(rule: Rule) -> dict[str, Any]:
    """A rule's configuration where nobody configures it."""
    return {name: schema["default"] for name, schema in rule.config.items()}

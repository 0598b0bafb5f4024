"""Which environment a stack belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

#: The environment of a stack that belongs to none that is named.
DEFAULT: Final = "default"
#: The stack tag that says it outright: `pulumi stack tag set environment production`.
TAG: Final = "environment"


def environment_of(stack: str, tags: Mapping[str, str], environments: Mapping[str, Sequence[str]]) -> str:
    """What the stack's tag says, else the first environment (by name) with a pattern that fits the stack's name."""
    if TAG in tags:
        return tags[TAG]
    fitting = (name for name in sorted(environments) if any(fnmatchcase(stack, one) for one in environments[name]))
    return next(fitting, DEFAULT)


def for_environment(values: Mapping[str, Any], environment: str) -> Any:
    """The environment's own value, else the one of `default`, else None."""
    return values.get(environment, values.get(DEFAULT))

"""Services that an account has once and for everybody: adopted where they are on, and never turned off."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import pulumi

Found = TypeVar("Found")

#: `pulumi destroy` forgets the resource and leaves it running: others in the account rely on it.
KEPT: Final[Mapping[str, Any]] = {"retain_on_delete": True}


def found(look: Callable[[], Found]) -> Found | None:
    """What a look into the account finds, or None where AWS says that there is nothing.

    Providers report an absent service as a failure of the look, in words that differ from version to version. A look
    that fails for another reason can do no harm: AWS refuses a second one of such a service itself.
    """
    try:
        return look()
    except Exception as problem:
        pulumi.log.debug(f"taken for absent: {problem}")
        return None

"""What every settings class shares, and the field types with words of their own for a wrong value."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictStr
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from ..quantities import mebibytes, millicores
from .mistakes import shown

_WHOLE: Final = re.compile(r"-?[0-9]{1,20}")
#: What Kubernetes and AWS keep counts in: 32 bits.
_MOST: Final = 2**31 - 1
_DNS_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


class Model(BaseModel):
    """Frozen, camelCase in the stack file, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)


def refused(problem: str, remedy: str) -> PydanticCustomError:
    """The error that carries our own words to the reader."""
    return PydanticCustomError("refused", "{problem}", {"problem": problem, "remedy": remedy})


def whole_number(value: Any) -> int:
    """4 and "4" are 4 (`pulumi config set` stores the string); true, 4.5 and "four" are not."""
    number = _whole(value)
    if number is None:
        raise refused(f"{shown(value)} is not a whole number", "write a whole number such as 4")
    return _countable(number)


def _whole(value: Any) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(value) if isinstance(value, str) and _WHOLE.fullmatch(value) else None


def _countable(number: int) -> int:
    if abs(number) > _MOST:
        raise refused(f"{shown(number)} is more than Kubernetes can count", f"write at most {_MOST}")
    return number


def _replicas(value: Any) -> int:
    number = _whole(value)
    if number is None:
        raise refused(f"{shown(value)} is not a number of slices", "write a whole number from 1 (1 = whole GPUs)")
    if number < 1:
        raise refused(f"{number} slices per GPU cannot be", "write a whole number from 1 (1 = whole GPUs)")
    return _countable(number)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        raise refused("is empty", "write a text, or remove the key")
    if isinstance(value, dict | list):
        raise refused(f"{shown(value)} is not text", "write one text")
    raise refused(f"{shown(value)} is not text", f'write it in quotes: "{shown(value)}"')


def _cpu(value: Any) -> str:
    number = _whole(value)
    return _quantity(value if number is None else str(_countable(number)), millicores, "500m or 2")


def _memory(value: Any) -> str:
    return _quantity(value, mebibytes, "512Mi or 2Gi")


def _quantity(value: Any, read: Any, example: str) -> str:
    try:
        read(_text(value))
    except ValueError as reason:
        raise refused(str(reason), f"write it like {example}") from None
    return value


def dns_label(value: str) -> str:
    """A name Kubernetes accepts for a namespace or a label value. Raises the refusal otherwise."""
    if len(value) > 63 or not _DNS_LABEL.fullmatch(value):
        raise refused(
            f"{shown(value)} is not a Kubernetes name", "use lower-case letters, digits and dashes, at most 63"
        )
    return value


Text = Annotated[StrictStr, BeforeValidator(_text)]
Flag = StrictBool
WholeNumber = Annotated[int, BeforeValidator(whole_number)]
Count = Annotated[int, BeforeValidator(whole_number), Field(ge=0)]
Positive = Annotated[int, BeforeValidator(whole_number), Field(ge=1)]
Replicas = Annotated[int, BeforeValidator(_replicas)]
Cpu = Annotated[StrictStr, BeforeValidator(_cpu, json_schema_input_type=int | str)]
Memory = Annotated[StrictStr, BeforeValidator(_memory)]
DnsLabel = Annotated[Text, AfterValidator(dns_label)]

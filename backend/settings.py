"""What may be said of the state's bucket and of CI, with words for what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from gpu_slices.settings import Mistake, SettingsError
from gpu_slices.settings.base import Flag, Model, Positive, Text, refused
from gpu_slices.settings.mistakes import did_you_mean

#: S3's limits of a bucket's name, and beginnings and ends that it keeps for itself.
SHORTEST, LONGEST = 3, 63
_RESERVED_STARTS: Final = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_ENDS: Final = ("-s3alias", "--ol-s3", "--x-s3", "--table-s3", "-an")
_LETTERS: Final = re.compile(r"[a-z0-9-]*")
_REPOSITORY: Final = re.compile(r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+")


def _bucket(value: str) -> str:
    """A name that S3 takes, without dots: TLS certificates do not cover them. Empty means: the program's own choice."""
    problem = next(_problems(value), None) if value else None
    if problem:
        raise refused(f"{value!r} is no bucket name: {problem[0]}", problem[1])
    return value


def _problems(name: str) -> Iterator[tuple[str, str]]:
    if not SHORTEST <= len(name) <= LONGEST:
        yield f"it has {len(name)} characters", f"use {SHORTEST} to {LONGEST}"
    if not _LETTERS.fullmatch(name):
        yield "it has other signs than lower-case letters, digits and dashes", "use only these, and no dots"
    if name.startswith("-") or name.endswith("-"):
        yield "it begins or ends with a dash", "begin and end with a letter or digit"
    if name.startswith(_RESERVED_STARTS) or name.endswith(_RESERVED_ENDS):
        yield "AWS keeps names that begin or end so for itself", "choose another beginning or end"


def _repository(value: str) -> str:
    if _REPOSITORY.fullmatch(value):
        return value
    raise refused(f"{value!r} is no repository of GitHub", "write it as OWNER/NAME")


def _environment(value: str) -> str:
    if value and not set(value) & set("*?:"):
        return value
    raise refused(f"{value!r} is no environment's name", "name it as GitHub does, without *, ? or :")


class GitHub(Model):
    """The repository whose workflows take the roles."""

    repository: Annotated[Text, AfterValidator(_repository)]
    #: Jobs in these may change the cloud; none may without one.
    environments: tuple[Annotated[Text, AfterValidator(_environment)], ...] = ()


class Settings(Model):
    """All keys of the project, as in Pulumi.yaml."""

    bucket_name: Annotated[Text, AfterValidator(_bucket)] = ""
    keep_versions_days: Positive = 90
    protect: Flag = True
    github: GitHub | None = None
    regions: tuple[Text, ...] = ()


def parse(raw: Mapping[str, Any]) -> Settings:
    """The settings. Raises SettingsError with every mistake; an empty `github` is the same as none."""
    stated = {key: value for key, value in raw.items() if (key, value) != ("github", {})}
    try:
        return Settings.model_validate(stated)
    except ValidationError as error:
        raise SettingsError(_mistake(detail) for detail in error.errors(include_url=False)) from None


def _mistake(detail: ErrorDetails) -> Mistake:
    *parents, key = (str(part) for part in detail["loc"])
    path = ".".join((*parents, key))
    if detail["type"] == PydanticCustomError.__name__ or "problem" in detail.get("ctx", {}):
        return Mistake(path=path, problem=detail["ctx"]["problem"], remedy=detail["ctx"]["remedy"])  # type: ignore[typeddict-item]
    if detail["type"] == "extra_forbidden":
        known = _keys(GitHub if parents else Settings)
        return Mistake(path=path, problem="there is no such key", remedy=did_you_mean(key, known))
    if detail["type"] == "missing":
        return Mistake(path=path, problem="is missing", remedy="write it")
    return Mistake(path=path, problem=detail["msg"][0].lower() + detail["msg"][1:], remedy="see backend/Pulumi.yaml")


def _keys(model: type[Model]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]

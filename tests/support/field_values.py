"""Values for every field of the settings, found by asking the field itself: a new key is tried without a line here."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any, Literal, Union

import yaml
from hypothesis import strategies as st
from pydantic import BaseModel, PydanticUserError, TypeAdapter, ValidationError

from gpu_slices.settings.model import Settings
from tests.support.stacks import STACK_FILES

#: Names that keys of free text refer to one another by: few, so that they often meet.
NAMES = ("l40s", "burst", "v100", "team", "gpu-demo", "cifar10")
#: Texts that some field or other accepts and no stack file that ships has.
TEXTS = (
    *("us-east-1", "ap-northeast-1", "us-west-2b", "us-east-1c", "10.4.0.0/20", "203.0.113.0/24", "t3.xlarge"),
    *("p4d.24xlarge", "p5.48xlarge", "g4dn.xlarge", "g6.12xlarge", "p4d", "g6", "512Mi", "1.5Gi", "250m", "0.5"),
    *("30s", "90m", "Never", "8h", "10%", "@daily", "0 8 * * mon-fri", "al2023@v20260917", "1.35.2-20260917"),
    *("arn:aws:iam::123456789012:role/Admin", "arn:aws:kms:us-west-2:123456789012:key/1234abcd", "1.14.0", "1.13.2"),
    *("vpc-0123456789abcdef0", "subnet-0123456789abcdef0", "subnet-0fedcba9876543210", "cr-0123456789abcdef0"),
    *("arn:aws:sns:us-east-1:123456789012:alerts",),
    *("you@example.com", "https://example.com/hook", "2026-12-01T00:00:00Z", "deadbeef" * 5, "v1.20.4-eksbuild.2"),
    f"sha256:{'0' * 64}",
)
NUMBERS = (
    *(0, 1, 2, 3, 4, 5, 7, 8, 10, 14, 16, 20, 30, 48, 50, 60, 80, 100, 125, 150, 365, 500, 750, 1000, 4096),
    *(0.5, 1.5),
)
_LIKE = re.compile(r"\b(?:like|of|one of:|write|as) (.+)$")


@cache
def shipped() -> tuple[dict[str, Any], ...]:
    """The settings of every stack file that ships, as they stand there."""
    configs = [yaml.safe_load(path.read_text())["config"] for path in STACK_FILES]
    return tuple({key.removeprefix("gpu-slices:"): value for key, value in config.items()} for config in configs)


@cache
def plain_values() -> tuple[Any, ...]:
    """Every text, number and flag of the stack files, and those above."""
    found = [*TEXTS, *NAMES, *NUMBERS, True, False, *(str(number) for number in NUMBERS[:8])]
    found += [leaf for config in shipped() for leaf in _leaves(config)]
    return tuple({(type(value), value): value for value in found}.values())


def _leaves(tree: Any) -> Iterator[Any]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield key
            yield from _leaves(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _leaves(value)
    elif tree is not None:
        yield tree


@cache
def _seen_under(key: str) -> tuple[str, ...]:
    """Texts that stack files have below a key of this name."""
    return tuple({text: None for config in shipped() for text in _texts_under(config, key)})


def _texts_under(tree: Any, key: str) -> Iterator[str]:
    if isinstance(tree, list):
        for value in tree:
            yield from _texts_under(value, key)
    elif isinstance(tree, dict):
        for name, value in tree.items():
            below = value if isinstance(value, list) else [value]
            yield from (text for text in below if name == key and isinstance(text, str))
            yield from _texts_under(value, key)


def fields(model: type[BaseModel]) -> dict[str, Any]:
    """Key as written in a stack file → the field's whole type."""
    return {
        field.alias or name: Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
        for name, field in model.model_fields.items()
    }


@cache
def model_strategy(model: type[BaseModel], most: int = 4) -> st.SearchStrategy[dict[str, Any]]:
    """A mapping with all required keys of a model and a few of the others."""
    own = fields(model)
    required = {field.alias or name for name, field in model.model_fields.items() if field.is_required()}
    others = sorted(set(own) - required)

    @st.composite
    def draw_keys(draw: st.DrawFn) -> dict[str, Any]:
        chosen = draw(st.lists(st.sampled_from(others), max_size=most, unique=True)) if others else []
        return {key: draw(field_strategy(own[key], key)) for key in [*sorted(required), *chosen]}

    return draw_keys()


_STRATEGIES: dict[tuple[str, str], st.SearchStrategy[Any]] = {}


def field_strategy(annotation: Any, key: str) -> st.SearchStrategy[Any]:
    """Values that a field of this type and name accepts by itself; rules over several keys may still refuse them."""
    known = key, repr(annotation)
    if known not in _STRATEGIES:
        _STRATEGIES[known] = _make(annotation, key)
    return _STRATEGIES[known]


def _make(annotation: Any, key: str) -> st.SearchStrategy[Any]:
    bare = _bare(annotation)
    origin, inner = typing.get_origin(bare), typing.get_args(bare)
    if isinstance(bare, type) and issubclass(bare, BaseModel):
        return model_strategy(bare)
    if origin in (Union, types.UnionType):
        return st.one_of([st.none() if one is type(None) else field_strategy(one, key) for one in inner])
    if origin is tuple:
        return st.lists(field_strategy(inner[0], key), min_size=_least(annotation), max_size=3, unique_by=repr)
    if origin is dict:
        return st.dictionaries(field_strategy(inner[0], ""), field_strategy(inner[1], key), max_size=2)
    if origin is Literal:
        return st.sampled_from(inner)
    return st.sampled_from(accepted(annotation, key) or (None,))


def _bare(annotation: Any) -> Any:
    while typing.get_origin(annotation) is Annotated:
        annotation = typing.get_args(annotation)[0]
    return annotation


def _least(annotation: Any) -> int:
    metadata = getattr(annotation, "__metadata__", ())
    sizes = [
        one.min_length for part in metadata for one in getattr(part, "metadata", [part]) if hasattr(one, "min_length")
    ]
    return max(sizes, default=0)


def accepted(annotation: Any, key: str = "") -> tuple[Any, ...]:
    """The plain values that a type accepts, and what its refusals recommend; of free text only names and what fits the key."""
    try:
        adapter = TypeAdapter(annotation)
    except PydanticUserError:
        return ()
    texts = sum(isinstance(value, str) for value in plain_values())
    good = [value for value in (*plain_values(), *_recommended(adapter)) if _takes(adapter, value)]
    if sum(isinstance(value, str) for value in good) < texts:
        return tuple(good)
    return (*NAMES, *_seen_under(key))


def _takes(adapter: TypeAdapter[Any], value: Any) -> bool:
    try:
        adapter.validate_python(value)
    except ValidationError:
        return False
    return True


def _recommended(adapter: TypeAdapter[Any]) -> Iterator[str]:
    """Examples from the words with which wrong values are refused: `write it like 30s, 5m or 336h`."""
    for wrong in ("?!", -1, "unheard-of"):
        try:
            adapter.validate_python(wrong)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                found = _LIKE.search(str(detail.get("ctx", {}).get("remedy", "")))
                yield from (re.split(r",? or |, |; ", found[1].replace('"', "").rstrip("?")) if found else ())


def leaf_types(model: type[BaseModel] = Settings, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every plain field below a model: path as documented (`gpuNodeGroups.NAME.replicas`) and its type."""
    for key, annotation in fields(model).items():
        yield from _below(annotation, f"{path}.{key}".removeprefix("."))


def _below(annotation: Any, path: str) -> Iterator[tuple[str, Any]]:
    bare = _bare(annotation)
    origin, inner = typing.get_origin(bare), typing.get_args(bare)
    if isinstance(bare, type) and issubclass(bare, BaseModel):
        yield from leaf_types(bare, path)
    elif origin in (Union, types.UnionType):
        for one in inner:
            if one is not type(None):
                yield from _below(one, path)
    elif origin is tuple:
        yield from _below(inner[0], path)
    elif origin is dict:
        yield f"{path}.", inner[0]
        yield from _below(inner[1], f"{path}.NAME")
    elif origin is not Literal:
        yield path, annotation

"""From raw configuration to settings, or to every mistake at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from .adopted_cluster import DECIDED_BY_THE_CLUSTER, AdoptedCluster
from .checks import CHECKS
from .mistakes import Mistake, SettingsError, did_you_mean, shown
from .model import REGION_KEY, Settings
from .schema import known_keys

Path = tuple[str | int, ...]

#: Parts of a pydantic location that name no key: union tags and "this is about the key itself".
_NOT_KEYS: Final = frozenset({"[key]"})
_UNION_TAGS: Final = frozenset(
    {("network", "new"), ("network", "existing"), ("cluster", "new"), ("cluster", "adopted")}
)
#: Keys with words of their own for why they cannot stand beside others.
_OUT_OF_PLACE: Final[Mapping[Path, tuple[str, str]]] = {
    ("cluster", key): words for key, words in DECIDED_BY_THE_CLUSTER.items()
}
#: Stand in for a required key that is missing or wrong, so that everything beside it is still checked.
_STAND_INS: Final[Mapping[tuple[str, str], Any]] = {
    ("", REGION_KEY): "us-west-2",
    ("existingGpuNodes", "instanceType"): "g6e.2xlarge",
    ("existingGpuNodes", "nodes"): 1,
    ("gpuNodeGroups", "instanceType"): "g6e.2xlarge",
}

_MISSING: Final = "is missing"


def parse(raw: Mapping[str, Any], *, stack: str) -> Settings:
    """Settings of a stack from its `gpu-slices:` keys (without the namespace) and `aws:region`.

    Raises SettingsError with every mistake. A key that is wrong by itself is set aside and the rest is still
    checked, rules over several keys included.
    """
    mistakes, set_aside, settings = _key_by_key(raw)
    for check, reads in CHECKS.items():
        if not any(path.startswith(reads) for path in set_aside):
            mistakes |= {found for found in check(settings) if not _below(found.path, set_aside)}
    if mistakes:
        raise SettingsError(mistakes)
    if isinstance(settings.cluster, AdoptedCluster) or settings.cluster.name:
        return settings
    named = settings.cluster.model_copy(update={"name": f"gpu-slices-{stack}"})
    return settings.model_copy(update={"cluster": named})


def _key_by_key(raw: Mapping[str, Any]) -> tuple[set[Mistake], set[str], Settings]:
    """Mistakes of single keys, the paths set aside for them, and settings made of what remains."""
    mistakes: set[Mistake] = set()
    set_aside: set[str] = set()
    remaining = deepcopy(dict(raw))
    while True:
        try:
            return mistakes, set_aside, Settings.model_validate(remaining)
        except ValidationError as error:
            details = [(detail, _keys(detail["loc"])) for detail in error.errors(include_url=False)]
            fresh = [
                (detail, path)
                for detail, path in details
                if written(path) not in set_aside and not _only_for_its_items(detail, path, details)
            ]
            found = {_mistake(detail, path) for detail, path in fresh}
            mistakes |= {one for one in found if not _misspelt(one, found)}
            for path in [path for _, path in details]:
                gone = _to_set_aside(path, set_aside)
                set_aside.add(written(gone))
                remaining = _without(remaining, gone, _stand_in(gone))


def _keys(location: Path) -> Path:
    return tuple(
        part
        for index, part in enumerate(location)
        if part not in _NOT_KEYS and (location[index - 1], part) not in _UNION_TAGS
    )


def _mistake(detail: ErrorDetails, path: Path) -> Mistake:
    problem, remedy = _words(detail, path)
    return Mistake(path=written(path), problem=problem, remedy=remedy)


def _only_for_its_items(detail: ErrorDetails, path: Path, others: list[tuple[ErrorDetails, Path]]) -> bool:
    """Whether a list counts as too short only because its items are wrong, which is said already."""
    return detail["type"] == "too_short" and any(other[: len(path)] == path != other for _, other in others)


def _misspelt(mistake: Mistake, others: set[Mistake]) -> bool:
    """Whether a missing key is there under a name so like it that the other mistake already says so."""
    parent, _, key = mistake.path.rpartition(".")
    hint = f'did you mean "{key}"?'
    return mistake.problem == _MISSING and any(
        other.remedy == hint and other.path.rpartition(".")[0] == parent for other in others
    )


def _words(detail: ErrorDetails, path: Path) -> tuple[str, str]:
    context = detail.get("ctx", {})
    match detail["type"]:
        case "refused":
            return context["problem"], context["remedy"]
        case "missing":
            return _MISSING, "write it"
        case "extra_forbidden":
            known = known_keys(path[:-1])
            if path in _OUT_OF_PLACE:
                return _OUT_OF_PLACE[path]
            if path[-1] in known:
                return "cannot stand beside the keys around it", "remove it or them"
            return "there is no such key", did_you_mean(str(path[-1]), known)
        case "literal_error":
            return f"{shown(detail['input'])} is not one of the choices", f"write {context['expected']}"
        case "bool_type":
            return f"{shown(detail['input'])} is neither true nor false", "write true or false, without quotes"
        case "model_type" | "model_attributes_type" | "dict_type":
            keys = known_keys(path)
            return (
                f"{shown(detail['input'])} is not a mapping",
                f"write keys below it: {', '.join(keys)}" if keys else "write `name: …` lines below it",
            )
        case "tuple_type":
            return f"{shown(detail['input'])} is not a list", "write it as a list: [one, two]"
        case "greater_than_equal":
            return f"{shown(detail['input'])} is too small", f"write at least {context['ge']}"
        case "less_than_equal":
            return f"{shown(detail['input'])} is too large", f"write at most {context['le']}"
        case "string_pattern_mismatch":
            return f"{shown(detail['input'])} has the wrong form", f"write it like {context['pattern'].strip('^$')}"
        case "string_type":
            return f"{shown(detail['input'])} is not text", f'write it in quotes: "{shown(detail["input"])}"'
        case "invalid_key":
            return f"the key {shown(detail['input'])} is not text", f'write it in quotes: "{shown(detail["input"])}"'
        case "too_short":
            return "too few are named", f"name at least {context['min_length']}"
        case _:
            return detail["msg"][0].lower() + detail["msg"][1:], "see the key's description in Pulumi.yaml"


def written(path: Path) -> str:
    """A path as a person writes it: `network.zones[1]`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def _to_set_aside(path: Path, before: set[str]) -> Path:
    """The key at `path`, or what it lies in when setting it aside did not help: it is required there."""
    while len(path) > 1 and written(path) in before:
        path = path[:-1]
    return path


def _stand_in(path: Path) -> Any:
    return _STAND_INS.get(("" if len(path) == 1 else str(path[0]), str(path[-1])))


def _without(value: dict[str, Any], path: Path, stand_in: Any) -> dict[str, Any]:
    """A copy in which the key at `path` is not set, or stood in for; a wrong list item takes its list with it."""
    head, rest = path[0], path[1:]
    inner = value.get(str(head))
    if rest and isinstance(inner, dict):
        return {**value, str(head): _without(inner, rest, stand_in)}
    others = {key: kept for key, kept in value.items() if str(key) != str(head)}
    return others if rest or stand_in is None else {**others, str(head): stand_in}


def _below(path: str, set_aside: set[str]) -> bool:
    """Whether a mistake at `path` may only be the echo of a key that was set aside."""
    return any(path == other or path.startswith((f"{other}.", f"{other}[")) for other in _with_lists(set_aside))


def _with_lists(paths: set[str]) -> Iterator[str]:
    for path in paths:
        yield path
        yield path.partition("[")[0]

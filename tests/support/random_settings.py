"""Settings as people write them: right, nearly right, and wrong in every way that YAML allows."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from gpu_slices.settings.model import Settings
from rehearsal.project import with_value
from tests.support.field_values import field_strategy, fields, model_strategy, shipped
from tests.support.stacks import STACK_FILES, karpenter_settings, raw_settings

Path = tuple[str | int, ...]

#: What stands in a stack file by mistake: every kind of value that a YAML reader returns, and extremes of each.
WRONG = (
    *(None, True, False, 0, -1, 10**20, 4.5, -0.0, math.inf, math.nan, "", " ", "four", "4.5", "1e3", "-1", "٣"),
    *("latest", "*", "../etc", "a" * 300, "ünïcödé", "two\nlines", "{}", "[]", "${HOME}", "~", "null", "yes"),
    *([], {}, [None], [[]], {"": ""}, {"a": {"b": [1]}}, {"secure": "AAAB"}, [{"a": 1}]),
    *({1: 2}, {None: 1}, {True: "x"}),
    *(datetime.date(2026, 1, 1), datetime.datetime(2026, 1, 1, 1, 1, 1), b"bytes", {"x", "y"}),
)


def paths(tree: Any, path: Path = ()) -> Iterator[Path]:
    """Every key and list item below a tree, parents first."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from paths(value, (*path, key))


def changed(tree: Any, path: Path, change: Any) -> Any:
    """A copy in which `change(old)` stands at a path."""
    head, rest = path[0], path[1:]
    copy = dict(tree) if isinstance(tree, dict) else list(tree)
    copy[head] = changed(copy[head], rest, change) if rest else change(copy[head])
    return copy


def renamed(tree: Any, path: Path, name: Any) -> Any:
    """A copy in which a key has another name, or is gone where the name is None."""

    def rename(parent: Any) -> Any:
        if isinstance(parent, list):
            return [value for index, value in enumerate(parent) if index != path[-1]]
        kept = {key: value for key, value in parent.items() if key != path[-1]}
        return kept if name is None else {**kept, name: parent[path[-1]]}

    return changed(tree, path[:-1], rename) if path[:-1] else rename(tree)


@st.composite
def _misspelt(draw: st.DrawFn, word: str) -> str:
    at = draw(st.integers(0, len(word)))
    return draw(st.sampled_from([word[:at] + word[at + 1 :], word[:at] + "x" + word[at:], word.lower(), word.upper()]))


@st.composite
def edited(draw: st.DrawFn, base: dict[str, Any]) -> dict[str, Any]:
    """A stack's settings with up to three keys, or parts of them, that the settings' own fields call right."""
    known = fields(Settings)
    for _ in range(draw(st.integers(0, 3))):
        key = draw(st.sampled_from(sorted(known)))
        value = draw(field_strategy(known[key], key))
        old = base.get(key)
        merge = isinstance(value, dict) and isinstance(old, dict)
        base = with_value(base, [key], {**old, **value} if merge else value)
    return base


valid_biased = st.one_of(
    st.sampled_from(shipped()).flatmap(edited),
    karpenter_settings.flatmap(edited).map(lambda raw: {"aws:region": "us-west-2", **raw}),
    raw_settings.flatmap(edited).map(lambda raw: {"aws:region": "us-west-2", **raw}),
    model_strategy(Settings),
)


@st.composite
def spoilt(draw: st.DrawFn) -> dict[str, Any]:
    """The same with one to four mistakes: wrong values, misspelt, missing and unheard-of keys."""
    raw: Any = draw(valid_biased)
    for _ in range(draw(st.integers(1, 4))):
        places = list(paths(raw))
        if not places:
            break
        path = draw(st.sampled_from(places))
        match draw(st.sampled_from(["value", "value", "spelling", "missing", "unheard-of"])):
            case "value":
                wrong = draw(st.sampled_from(WRONG))
                raw = changed(raw, path, lambda _, wrong=wrong: wrong)
            case "spelling" if isinstance(path[-1], str) and path[-1]:
                raw = renamed(raw, path, draw(_misspelt(path[-1])))
            case "missing":
                raw = renamed(raw, path, None)
            case _:
                wrong = draw(st.sampled_from(WRONG))
                add = lambda old, wrong=wrong: {**old, "unheard": wrong} if isinstance(old, dict) else [old, wrong]  # noqa: E731
                raw = changed(raw, path, add)
    return raw


#: As a stack file's reader hands them over: top-level keys are text.
any_settings = st.one_of(valid_biased, spoilt()).map(lambda raw: {str(key): value for key, value in raw.items()})


@st.composite
def _slipped(draw: st.DrawFn, text: str) -> str:
    """A text with up to five slips: a character more, less or another, a line gone, doubled or indented differently."""
    for _ in range(draw(st.integers(1, 5))):
        lines = text.splitlines()
        row = draw(st.integers(0, len(lines) - 1))
        line = lines[row]
        column = draw(st.integers(0, len(line)))
        character = draw(st.sampled_from(SLIPS))
        lines[row : row + 1] = draw(
            st.sampled_from(
                [
                    [line[:column] + character + line[column:]],
                    [line[:column] + line[column + 1 :]],
                    [],
                    [line, line],
                    ["  " + line],
                    [line.removeprefix("  ")],
                    [line.partition(":")[0] + ": " + draw(st.sampled_from(SLIP_VALUES))],
                ]
            )
        )
        text = "\n".join(lines) or "\n"
    return text


#: What a finger hits, and what YAML reads as something other than text.
SLIPS = (*" :-{}[],'\"#&*!|>%@`\t0\\~?=.\x00\ufeff", "é", "\u2028")
SLIP_VALUES = (
    *("2026-99-99", "12:30:45", "0o9", "1_000", "0x1F", ".inf", "9" * 5000),
    *("!!int x", "&a [*a]", "&a {x: *a}", "*b", "<<: 1", ""),
)

#: The text of stack files that ship, with slips.
stack_texts = st.sampled_from([path.read_text() for path in STACK_FILES]).flatmap(_slipped)


def tried(strategy: st.SearchStrategy[Any], examples: int, part: int = 0) -> Callable[[Callable[[Any], None]], None]:
    """Runs a check on that many seeded examples; a failure is shrunk to the smallest that fails."""

    def run(check: Callable[[Any], None]) -> None:
        @seed(20_261_125 + part)
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        )
        @given(strategy)
        def each(example: Any) -> None:
            check(example)

        each()

    return run

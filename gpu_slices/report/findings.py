"""Findings for people and for programs: what is fine, briefly, then what is wrong, with cause and remedy."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from xml.etree import ElementTree

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from ..checks.table import Finding, Outcome
from .terminal import as_text

_MARKS: Final[Mapping[Outcome, tuple[str, str]]] = {
    "failed": ("FAILED ", "bold red"),
    "warned": ("warning", "yellow"),
    "skipped": ("skipped", "dim"),
    "passed": ("ok     ", "green"),
}
#: Subjects that are named of one cause; a hundred nodes with the same trouble are one trouble.
_NAMED: Final = 3


def findings_text(
    findings: Sequence[Finding], title: str, *, plain: bool, counted: Sequence[Finding] | None = None
) -> str:
    """The findings as text, grouped by outcome, check and cause; the last line counts `counted`, else the same."""

    def show(console: Console) -> None:
        print_findings(findings, title, console)
        console.print(Text(summary(findings if counted is None else counted)))

    return as_text(show, plain=plain)


def print_findings(findings: Sequence[Finding], title: str, console: Console) -> None:
    """The findings onto a console that is there already; what is wrong comes last, where one looks."""
    console.print(Text(title, style="bold"))
    for outcome in ("passed", "skipped", "warned", "failed"):
        for group in _groups(one for one in findings if one.outcome == outcome):
            _print_group(group, console)


def summary(findings: Iterable[Finding]) -> str:
    """`12 checks passed, 1 failed`: counted by subject."""
    every = list(findings)
    counted = {outcome: sum(one.outcome == outcome for one in every) for outcome in _MARKS}
    parts = [f"{counted['passed']} passed"]
    parts += [f"{counted[outcome]} {outcome}" for outcome in ("failed", "warned", "skipped") if counted[outcome]]
    return ", ".join(parts)


def _print_group(group: list[Finding], console: Console) -> None:
    first = group[0]
    mark, style = _MARKS[first.outcome]
    if first.outcome == "passed":
        seen = f"{first.subject}: {first.seen}" if len(group) == 1 else f"{len(group)} x, {first.subject}: {first.seen}"
        console.print(
            Text.assemble((mark, style), f"  {first.check.name:<21}", seen), overflow="ellipsis", no_wrap=True
        )
        return
    console.print(Text.assemble((mark, style), f"  {first.check.name:<21}", _subjects(group)))
    lines = [f"seen    {first.seen}"] if first.seen else []
    if first.cause:
        lines += [f"cause   {first.cause.text}", f"remedy  {first.remedy}"]
    for line in lines:
        console.print(Padding(Text(line), (0, 0, 0, 9)))


def _subjects(group: list[Finding]) -> str:
    names = list(dict.fromkeys(one.subject for one in group))
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _groups(findings: Iterable[Finding]) -> list[list[Finding]]:
    groups: dict[tuple[str, str], list[Finding]] = {}
    for one in findings:
        groups.setdefault((one.check.name, one.cause.name if one.cause else ""), []).append(one)
    return list(groups.values())


def findings_json(findings: Iterable[Finding], **more: Any) -> str:
    """`findings`: check, subject, outcome, seen, cause, remedy; `failed`: whether one is; and what the caller adds."""
    every = list(findings)
    content = {
        **more,
        "failed": any(one.outcome == "failed" for one in every),
        "findings": [
            {
                "check": one.check.name,
                "subject": one.subject,
                "outcome": one.outcome,
                "seen": one.seen,
                "cause": one.cause.name if one.cause else None,
                "causeText": one.cause.text if one.cause else None,
                "remedy": one.remedy or None,
            }
            for one in every
        ],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def findings_junit(findings: Iterable[Finding], name: str) -> str:
    """JUnit XML: a test suite per check, a test case per subject; warnings pass, with their words in system-out."""
    suites: dict[str, list[Finding]] = {}
    for one in findings:
        suites.setdefault(one.check.name, []).append(one)
    root = ElementTree.Element("testsuites", name=name)
    for check, group in suites.items():
        counts = {kind: str(sum(one.outcome == kind for one in group)) for kind in ("failed", "skipped")}
        suite = ElementTree.SubElement(
            root, "testsuite", name=check, tests=str(len(group)), failures=counts["failed"], skipped=counts["skipped"]
        )
        for one in group:
            _case(suite, one)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ElementTree.Element, one: Finding) -> None:
    case = ElementTree.SubElement(suite, "testcase", classname=one.check.name, name=one.subject)
    words = f"cause: {one.cause.text}\nremedy: {one.remedy}" if one.cause else ""
    if one.outcome == "failed":
        failure = ElementTree.SubElement(case, "failure", message=one.seen, type=one.cause.name if one.cause else "")
        failure.text = words
    elif one.outcome == "skipped":
        ElementTree.SubElement(case, "skipped", message=one.seen)
    else:
        ElementTree.SubElement(case, "system-out").text = "\n".join(part for part in (one.seen, words) if part)

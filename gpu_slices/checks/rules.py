"""The table of everything that is judged of a live cluster, in the order in which a person would look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from . import karpenter_rules, node_rules, probe_rules, stack_rules, tenant_rules, workload_rules
from .table import Check, Finding
from .view import Rule, View

#: What must hold for slices to work; `verify` and `doctor` judge it.
PLATFORM: Final[tuple[Rule, ...]] = (
    *stack_rules.RULES,
    *karpenter_rules.RULES,
    *node_rules.RULES,
    *tenant_rules.RULES,
)
#: What people complain of while slices work; `doctor` looks, nothing of it makes the platform wrong.
COMPLAINTS: Final[tuple[Rule, ...]] = workload_rules.RULES

#: Rows that need pods of our own.
PROBED: Final[tuple[Check, ...]] = probe_rules.CHECKS


def judge(view: View, rules: Iterable[Rule]) -> Iterator[Finding]:
    """Every rule's findings, in the rules' order."""
    for rule in rules:
        yield from rule.judge(view)


def rows() -> tuple[Check, ...]:
    """The whole table of the live cluster."""
    return (*(rule.check for rule in (*PLATFORM, *COMPLAINTS)), *PROBED)

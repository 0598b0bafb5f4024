"""What a slice edit and a destroy must hold: one rule each, with what breaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from engine.operation import Change, Operation
from rehearsal.demo.words import CONFIG_MAP, decided, kind_of, replacing


@dataclass(frozen=True, kw_only=True)
class Promise:
    """One sentence and what broke it; empty when it was kept."""

    words: str
    broken_by: tuple[str, ...]

    @property
    def kept(self) -> bool:
        """Whether nothing broke it."""
        return not self.broken_by


Rule = Callable[[Change], bool]

#: What a node is made from: a change here is drift and replaces nodes.
_NODE_TEMPLATES: Final[Mapping[str, tuple[str, ...]]] = {
    "kubernetes:karpenter.sh/v1:NodePool": ("spec.template",),
    "kubernetes:karpenter.k8s.aws/v1:EC2NodeClass": ("spec",),
}


#: What carries the number, in the order in which it must arrive.
_RANKS: Final[Mapping[str, int]] = {
    CONFIG_MAP: 0,
    "kubernetes:helm.sh/v3:Release": 0,
    "kubernetes:karpenter.sh/v1alpha1:NodeOverlay": 1,
    "kubernetes:karpenter.sh/v1:NodePool": 2,
}


def _replaces(change: Change) -> bool:
    return replacing(change)


def _comes_or_goes(change: Change) -> bool:
    return change.op in ("create", "delete") and change.type != CONFIG_MAP


def _touches_aws(change: Change) -> bool:
    return change.type.startswith(("aws:", "eks:"))


def _touches_node_templates(change: Change) -> bool:
    prefixes = _NODE_TEMPLATES.get(change.type, ())
    return any(diff.path.startswith(prefixes) for diff in change.diffs)


_SLICE_EDIT: Final[tuple[tuple[str, Rule], ...]] = (
    ("the slice edit replaces no cluster, node group, node or release", _replaces),
    ("the slice edit changes nothing in AWS", _touches_aws),
    ("the slice edit changes nothing that nodes are made from", _touches_node_templates),
    ("the slice edit creates and deletes at most config maps", _comes_or_goes),
)


def slice_edit_promises(preview: Operation) -> tuple[Promise, ...]:
    """What the preview of a slice edit must hold; without an engine nothing is promised about replacements."""
    return tuple(
        Promise(words=words, broken_by=tuple(_names(change for change in preview.changes if rule(change))))
        for words, rule in _SLICE_EDIT
        if decided(preview) or rule is not _replaces
    )


def same_as_previewed(preview: Operation, up: Operation) -> Promise:
    """`up` takes exactly the steps that preview announced."""
    announced, taken = (frozenset((c.op, c.urn) for c in operation.changes) for operation in (preview, up))
    odd = [change for change in (*preview.changes, *up.changes) if (change.op, change.urn) in announced ^ taken]
    return Promise(words="up took the steps that preview had shown", broken_by=tuple(_names(odd)))


def in_order(up: Operation) -> Promise:
    """The plugin's config, then overlays, then limits: raised overlays before slices exist would launch nodes in vain."""
    steps = [(_RANKS[change.type], change) for change in up.changes if change.type in _RANKS and change.op != "delete"]
    early = [
        later
        for rank, later in steps
        if any(first < rank and (one.finished or later.started) >= later.started for first, one in steps)
    ]
    return Promise(words="up changed the plugin's config, then overlays, then limits", broken_by=tuple(_names(early)))


def nothing_left(state: Sequence[str], account: Sequence[str]) -> Promise:
    """What destroy left in the state and in the account."""
    return Promise(words="destroy left nothing behind", broken_by=tuple(sorted({*state, *account})))


def _names(changes: Iterator[Change] | Sequence[Change]) -> Iterator[str]:
    for change in changes:
        yield f"{change.op} {kind_of(change.type)} {change.name}"

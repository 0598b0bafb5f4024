"""What of a Pulumi state would help an intruder and is not in one of its secret envelopes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

#: The engine's mark of a special value; that of a secret has a ciphertext beside it.
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"

#: What lets somebody in, wherever it stands.
CREDENTIALS = {
    "AWS access key": re.compile(r"\b(AKIA|ASIA)[0-9A-Z]{16}\b"),
    "EKS token": re.compile(r"k8s-aws-v1\.[\w-]{20,}"),
    "JSON web token": re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\."),
    "private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "kubeconfig credential": re.compile(r"\b(client-key-data|id-token|password|token)\"?: ?\"?[\w+/=.-]{8,}"),
    "Hugging Face token": re.compile(r"\bhf_[A-Za-z0-9]{20,}"),
}
#: Where a cluster is and whom to trust: no credential, but kept secret all the same.
_KUBECONFIG = re.compile(r"certificate-authority-data")


def leaks(resources: Iterable[Mapping[str, Any]], *, shown: frozenset[str] = frozenset()) -> list[str]:
    """`name.path: what` of every secret that lies open. `shown` names resources whose kubeconfig may, without credential."""
    found: list[str] = []
    for resource in resources:
        name = resource["urn"].rsplit("::", 1)[-1]
        for part in ("inputs", "outputs"):
            for path, text in _open_texts(resource.get(part) or {}):
                found += [f"{name}.{part}{path}: {word}" for word, like in CREDENTIALS.items() if like.search(text)]
                if _KUBECONFIG.search(text + path) and name not in shown:
                    found.append(f"{name}.{part}{path}: kubeconfig")
    return found


def _open_texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        if value.get(_SIGNATURE) == _SECRET:
            assert set(value) == {_SIGNATURE, "ciphertext"}, f"{path} is marked as a secret and stored in clear"
            return
        for key, inner in value.items():
            yield from _open_texts(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _open_texts(inner, f"{path}[{index}]")

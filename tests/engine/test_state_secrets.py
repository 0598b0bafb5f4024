"""Nothing that helps an intruder lies open in a stack's state, whichever stack file it is of."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.lifecycle import LIVES, Life, life
from tests.support.state_secrets import leaks

pytestmark = pytest.mark.engine

#: pulumi_eks makes these for itself and says nothing of secrets; their kubeconfig asks the `aws` program for a token.
PACKAGED = frozenset({"platform-cluster-eks", "platform-cluster-eks-eks-k8s"})


@pytest.fixture(scope="module", params=LIVES)
def lived(request: pytest.FixtureRequest) -> Life:
    return life(request.param)


def test_no_secret_lies_open_in_the_state(lived: Life):
    assert leaks(lived.stored, shown=PACKAGED) == []


def test_the_clusters_kubeconfig_is_in_the_state_and_sealed(lived: Life):
    (provider,) = [one for one in lived.stored if one["urn"].endswith("::platform-cluster-kubernetes")]
    assert set(provider["inputs"]["kubeconfig"]) > {"ciphertext"}


def one(**inputs: Any) -> list[dict[str, Any]]:
    return [{"urn": "urn:pulumi:s::p::t::thing", "inputs": inputs}]


@pytest.mark.parametrize(
    ("inputs", "what"),
    [
        ({"kubeconfig": '{"clusters": [{"cluster": {"certificate-authority-data": "LS0="}}]}'}, "kubeconfig"),
        ({"env": [{"value": "AKIAIOSFODNN7EXAMPLE"}]}, "env[0].value: AWS access key"),
        ({"user": {"token": "k8s-aws-v1.aHR0cHM6Ly9zdHMudXMtd2VzdC0y"}}, "user.token: EKS token"),
        ({"config": "users:\n- user:\n    token: 0123456789abcdef\n"}, "kubeconfig credential"),
        ({"pem": "-----BEGIN RSA PRIVATE KEY-----"}, "private key"),
    ],
)
def test_what_lies_open_is_found(inputs: dict[str, Any], what: str):
    assert any(what in found for found in leaks(one(**inputs)))


def test_what_is_sealed_is_not_a_leak():
    sealed = {
        "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
        "ciphertext": "v1:AKIAIOSFODNN7EXAMPLE",
    }
    assert leaks(one(key=sealed)) == []

"""Keys, certificates, tokens and kubeconfigs of one control plane. All are made here and die with its folder."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# User -> groups. The first two names carry their permissions in Kubernetes' own RBAC defaults.
USERS: dict[str, tuple[str, ...]] = {
    "system:kube-controller-manager": (),
    "system:kube-scheduler": (),
    "admin": ("system:masters",),
    "karpenter": ("system:masters",),
    "kwok": ("system:masters",),
    "rehearsal-doubles": ("system:masters",),
}
SERVER_NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
LOOPBACK = "127.0.0.1"
LIFETIME = datetime.timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Where the files lie, and each user's token."""

    folder: Path
    tokens: Mapping[str, str]

    @property
    def authority(self) -> Path:
        """Certificate that clients trust."""
        return self.folder / "ca.crt"

    @property
    def certificate(self) -> Path:
        """The API server's certificate."""
        return self.folder / "apiserver.crt"

    @property
    def key(self) -> Path:
        """The API server's private key."""
        return self.folder / "apiserver.key"

    @property
    def service_account_key(self) -> Path:
        """Private key that signs service account tokens."""
        return self.folder / "service-accounts.key"

    @property
    def token_file(self) -> Path:
        """For kube-apiserver --token-auth-file."""
        return self.folder / "tokens.csv"

    def kubeconfig(self, user: str) -> Path:
        """Return where `user`'s kubeconfig lies (or will, see `write_kubeconfig`)."""
        return self.folder / f"{user.replace(':', '-')}.kubeconfig"


def create(folder: Path) -> Credentials:
    """Make every key, certificate and token under `folder` (P-256 throughout: milliseconds instead of RSA's seconds)."""
    folder.mkdir(mode=0o700)
    credentials = Credentials(folder=folder, tokens={user: secrets.token_urlsafe(24) for user in USERS})
    authority_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = _certificate("gpu-slices rehearsal", authority_key, issuer=None, issuer_key=authority_key)
    server = _certificate("kube-apiserver", server_key, issuer=authority, issuer_key=authority_key)
    _write(credentials.authority, authority.public_bytes(serialization.Encoding.PEM))
    _write(credentials.certificate, server.public_bytes(serialization.Encoding.PEM))
    _write(credentials.key, _pem(server_key))
    _write(credentials.service_account_key, _pem(ec.generate_private_key(ec.SECP256R1())))
    lines = (f'{credentials.tokens[user]},{user},{user},"{",".join(groups)}"' for user, groups in USERS.items())
    _write(credentials.token_file, "\n".join(lines).encode() + b"\n")
    return credentials


def write_kubeconfig(credentials: Credentials, user: str, server: str, *, path: Path | None = None) -> Path:
    """Write `user`'s kubeconfig for the API server at `server` (https://...), self-contained; return its path."""
    target = path or credentials.kubeconfig(user)
    name = "gpu-slices-rehearsal"

    authority = base64.b64encode(credentials.authority.read_bytes()).decode()
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": {"server": server, "certificate-authority-data": authority}}],
        "users": [{"name": user, "user": {"token": credentials.tokens[user]}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user}}],
    }
    _write(target, json.dumps(config, indent=1).encode())
    return target


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    *,
    issuer: x509.Certificate | None,
    issuer_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .add_extension(_key_usage(authority=issuer is None), critical=True)
    )
    if issuer:
        names = [*map(x509.DNSName, SERVER_NAMES), x509.IPAddress(ipaddress.ip_address(LOOPBACK))]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    # kube-apiserver finds the public half of a service account key in this format, not in PKCS#8.
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)

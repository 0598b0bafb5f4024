"""The lines that backend/ prints, typed: the real CLI keeps a stack in S3 and encrypts its secrets with KMS.

AWS is played by moto's proxy on this machine, so that the CLI asks the very hosts that it would ask.
"""

from __future__ import annotations

import json
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import moto.moto_proxy
import pulumi
import pytest
from botocore.config import Config

from backend.plan import KEY_ALIAS, login_line, stack_init_line, state_url
from engine import EngineError, Stack, provide

BUCKET, REGION = "gpu-slices-state-test", "us-west-2"
CERTIFICATE = str(Path(moto.moto_proxy.__file__).parent / "ca.crt")
KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}

pytestmark = [pytest.mark.engine, pytest.mark.full]


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """A pretended AWS: `env` leads the CLI there; `log` has a line per request."""

    proxy: str
    env: Mapping[str, str]
    log: Path

    def client(self, service: str) -> Any:
        config = Config(proxies={"https": self.proxy})
        return boto3.client(service, region_name=REGION, config=config, verify=CERTIFICATE, **KEYS)

    def objects(self) -> dict[str, str]:
        s3 = self.client("s3")
        found = s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return {one["Key"]: s3.get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read().decode() for one in found}


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path / "requests.log"
    argv = [str(Path(sys.executable).parent / "moto_proxy"), "-H", "127.0.0.1", "-p", str(port)]
    with log.open("w") as out, subprocess.Popen(argv, stdout=out, stderr=subprocess.STDOUT) as process:
        try:
            _wait_for(port)
            proxy = f"http://127.0.0.1:{port}"
            env = {
                "HTTPS_PROXY": proxy,
                "SSL_CERT_FILE": CERTIFICATE,
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                "PULUMI_HOME": str(tmp_path / "home"),
                "PULUMI_SKIP_UPDATE_CHECK": "true",
            }
            made = Cloud(proxy=proxy, env=env, log=log)
            place = {"LocationConstraint": REGION}
            made.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
            key = made.client("kms").create_key()["KeyMetadata"]["KeyId"]
            made.client("kms").create_alias(AliasName=KEY_ALIAS, TargetKeyId=key)
            yield made
        finally:
            process.terminate()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("moto's proxy does not answer")


def test_the_printed_lines_keep_a_stack_in_the_bucket_and_its_secrets_under_the_key(cloud: Cloud, tmp_path: Path):
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: state\nruntime: python\n")

    def typed(line: str) -> str:
        program, *arguments = shlex.split(line)
        assert program == "pulumi"
        done = subprocess.run(
            [provide(), *arguments], cwd=folder, env=dict(cloud.env), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    typed(login_line(BUCKET, REGION))
    typed(stack_init_line(REGION).replace("STACK", "dev"))
    typed("pulumi config set --secret token open-sesame")
    assert "secretsprovider: awskms://alias/gpu-slices-state" in (folder / "Pulumi.dev.yaml").read_text()

    env = {**cloud.env, "PULUMI_BACKEND_URL": state_url(BUCKET, REGION)}
    stack = Stack("dev", folder=folder, program=_program, env=env)
    stack.up()
    objects = cloud.objects()
    state = json.loads(objects[".pulumi/stacks/state/dev.json"])
    assert state["checkpoint"]["latest"]["secrets_providers"]["type"] == "cloud"
    assert not any("open-sesame" in text for text in objects.values())
    assert not any(key.startswith(".pulumi/locks/") for key in objects), "the lock goes with the update"

    asked = len(cloud.log.read_text().splitlines())
    stack.preview()
    assert typed("pulumi config get token").strip() == "open-sesame"
    reading = [line for line in cloud.log.read_text().splitlines()[asked:] if f"https://{BUCKET}." in line]
    assert reading
    assert not any(verb in line for line in reading for verb in ("PUT", "DELETE")), (
        "a preview writes nothing and locks nothing"
    )

    lock = {"pid": 1, "username": "somebody", "hostname": "elsewhere", "timestamp": "2026-01-01T00:00:00Z"}
    cloud.client("s3").put_object(
        Bucket=BUCKET, Key=".pulumi/locks/organization/state/dev/1.json", Body=json.dumps(lock).encode()
    )
    with pytest.raises(EngineError, match="created by somebody@elsewhere"):
        stack.up()


def _program() -> None:
    pulumi.export("token", pulumi.Config().require_secret("token"))

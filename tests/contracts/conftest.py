"""A real server process that speaks S3."""

import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from datacube.store.objects import ObjectStore
from datacube.store.url import open_store

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """Address of a process of its own that speaks S3, with a bucket."""
    command = [sys.executable, "-m", "tests.bucket"]
    with subprocess.Popen(
        command,
        text=True,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.stdin.close()


def s3_environment(url: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
    }


@pytest.fixture
def s3_store(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """An empty store in its bucket."""
    for name, value in s3_environment(s3_server).items():
        monkeypatch.setenv(name, value)
    return open_store(f"s3://bucket/{uuid.uuid4().hex}/cubes")

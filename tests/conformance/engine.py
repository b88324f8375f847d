"""TEAM Engine: fetched by Maven, run as a process of its own."""

import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterable
from pathlib import Path

from tests.conformance.suites import Suite, checkouts

VERSION = "6.0.0-RC2"
COORDINATES = (
    f"org.opengis.cite.teamengine:teamengine-core:{VERSION}",
    f"org.opengis.cite.teamengine:teamengine-spi:{VERSION}",
    f"org.opengis.cite.teamengine:teamengine-resources:{VERSION}",
    "org.opengis.cite:schema-utils:1.8",
)
ENTRY_POINTS = re.compile(r"/(CtlController|TestRunArguments|WCS20|WCS11|WMS13|WMTS10)\.java$")
"""Classes of the suites that need the engine's web part, which the console does without."""

PATIENCE = 1800.0  # seconds for one suite


class Engine:
    """The engine with its libraries in a folder.

    Parameters
    ----------
    folder : Path
        Kept between runs.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.libraries = folder / "lib"
        self.resources = folder / "resources"

    def fetch(self, libraries: Iterable[str]) -> None:
        """Bring the engine and what suites need beside it from Maven Central, once.

        Parameters
        ----------
        libraries : Maven coordinates
        """
        wanted = sorted({*COORDINATES, *libraries})
        stamp = self.folder / "coordinates.txt"
        if stamp.is_file() and stamp.read_text(encoding="utf-8").split() == wanted:
            return
        shutil.rmtree(self.libraries, ignore_errors=True)
        self.libraries.mkdir(parents=True)
        project = self.folder / "pom.xml"
        project.write_text(_project(wanted), encoding="utf-8")
        subprocess.run(
            [
                *("mvn", "-B", "-q", "-f", str(project)),
                *("dependency:copy-dependencies", f"-DoutputDirectory={self.libraries}"),
            ],
            check=True,
        )
        # The engine takes its own scripts for files, which they are not inside an archive.
        with zipfile.ZipFile(self.libraries / f"teamengine-resources-{VERSION}.jar") as archive:
            archive.extractall(self.resources)
        stamp.write_text("\n".join(wanted), encoding="utf-8")

    def compile(self, suite: Suite) -> Path:
        """Folder of the suite's helper classes."""
        classes = self.folder / "classes" / suite.name
        classes.mkdir(parents=True, exist_ok=True)
        sources = [
            str(path)
            for helper in suite.helpers
            for path in _java(checkouts() / helper)
            if not ENTRY_POINTS.search(path.as_posix())
        ]
        if sources:
            command = ["javac", "-nowarn", "-cp", f"{self.libraries}/*", "-d", str(classes)]
            subprocess.run([*command, *sources], check=True)
        return classes

    def run(self, suite: Suite, server: str, proxy: int) -> str:
        """Run a suite; what the engine wrote.

        Parameters
        ----------
        suite : Suite
        server : URL of its root, without a slash at its end
        proxy : int, port of the stand-in for the web on this machine
        """
        logs = self.folder / "logs"
        logs.mkdir(exist_ok=True)
        shutil.rmtree(logs / suite.name, ignore_errors=True)
        path = [
            str(self.resources),
            f"{self.libraries}/*",
            str(suite.folder / "src" / "main" / "resources"),
            str(self.compile(suite)),
        ]
        values = {suite.address_key: server + suite.address, **suite.parameters}
        command = [
            *("java", "-Xmx1g", f"-DTE_BASE={self.folder / 'base'}"),
            *("-Dhttp.proxyHost=127.0.0.1", f"-Dhttp.proxyPort={proxy}"),
            "-Dhttp.nonProxyHosts=",
            "-Djava.protocol.handler.pkgs=com.occamlab.te.util.protocols",
            *("-cp", ":".join(path), "com.occamlab.te.Test"),
            *(f"-source={suite.source}", f"-logdir={logs}", f"-session={suite.name}"),
            *(f"-test={suite.test}", *(f"@{key}={value}" for key, value in values.items())),
        ]
        (self.folder / "base").mkdir(exist_ok=True)
        written = logs / f"{suite.name}.txt"
        with written.open("wb") as log:
            subprocess.run(
                command, stdout=log, stderr=subprocess.STDOUT, timeout=PATIENCE, check=False
            )
        return written.read_text(encoding="utf-8", errors="replace")


def _java(place: Path) -> list[Path]:
    return sorted(place.rglob("*.java")) if place.is_dir() else [place]


def _project(coordinates: list[str]) -> str:
    parts = [one.split(":") for one in coordinates]
    dependencies = "".join(
        f"<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>"
        f"<version>{version}</version></dependency>"
        for group, artifact, version in parts
    )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>datacube</groupId><artifactId>conformance</artifactId><version>1</version>"
        f"<dependencies>{dependencies}</dependencies></project>"
    )

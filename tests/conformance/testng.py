"""A suite of Java classes, which TestNG runs without the engine."""

import shutil
import subprocess
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from tests.conformance.engine import PATIENCE, Engine
from tests.conformance.results import Failure, Outcome
from tests.conformance.suites import checkouts

_JAVA, _RESOURCES = "src/main/java", "src/main/resources"
_SECURE, _PLAIN = b"https://schemas.opengis.net", b"http://schemas.opengis.net"
_LAST_WORDS = 2000
_VERDICTS = {"PASS": "Passed", "FAIL": "Failed", "SKIP": "Skipped"}


@dataclass(frozen=True, slots=True)
class JavaSuite:
    """One suite that is a program of its own.

    Parameters
    ----------
    name : str, on the command line and in the table
    title : str
    repository, tag : str, of its sources
    program : str, its class with a ``main``
    address : str, of what is tested below the server's root
    address_key : str, property that takes it
    properties : tuple of (str, str), the others
    libraries : tuple of str, Maven coordinates
    store : str, of those that :func:`~tests.conformance.site.make_stores` writes
    config : str, file of the server's configuration beside this one
    module : str, what is run as the server
    helpers : tuple of str, folders below ``DATACUBE_CITE`` that are needed beside it
    """

    name: str
    title: str
    repository: str
    tag: str
    program: str
    address: str
    address_key: str
    properties: tuple[tuple[str, str], ...]
    libraries: tuple[str, ...]
    store: str
    config: str
    module: str
    helpers: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """Checkout of the suite: a folder of its name below ``DATACUBE_CITE``."""
        return checkouts() / self.repository

    @property
    def source(self) -> Path:
        """The program."""
        return self.folder / _JAVA / f"{self.program.replace('.', '/')}.java"


def run_java(engine: Engine, suite: JavaSuite, server: str, proxy: int) -> Outcome:
    """Compile a suite and run it.

    Schemas are asked for without encryption, so that the stand-in for the web has them.

    Parameters
    ----------
    engine : Engine, whose folder has the libraries
    server : URL of its root, without a slash at its end
    proxy : int, port of the stand-in

    Raises
    ------
    RuntimeError
        The program has ended without a report; the message has its last words.
    """
    classes, logs = _compiled(engine, suite), engine.folder / "logs" / suite.name
    shutil.rmtree(logs, ignore_errors=True)
    logs.mkdir(parents=True)
    asked = logs / "properties.xml"
    asked.write_text(_properties(suite, server), encoding="utf-8")
    command = [
        *("java", "-Xmx1g", "-Dhttp.proxyHost=127.0.0.1", f"-Dhttp.proxyPort={proxy}"),
        *("-Dhttp.nonProxyHosts=127.0.0.1", "-cp", f"{classes}:{engine.libraries}/*"),
        *(suite.program, "-o", str(logs), str(asked)),
    ]
    return read_results(_report(command, logs, suite.name))


def _report(command: Sequence[str], logs: Path, name: str) -> str:
    """What a suite's program reports; its last words are raised where it reports nothing.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _report(["sh", "-c", "echo no such class; exit 3"], Path(folder), "maps")
    Traceback (most recent call last):
    RuntimeError: maps ended with 3 and without results; its last words: no such class
    """
    console = logs / "console.txt"
    with console.open("wb") as log:
        ended = subprocess.run(
            command, stdout=log, stderr=subprocess.STDOUT, timeout=PATIENCE, check=False
        )
    found = next(logs.rglob("testng-results.xml"), None)
    if found is None:
        words = console.read_text(encoding="utf-8", errors="replace").strip()[-_LAST_WORDS:]
        raise RuntimeError(
            f"{name} ended with {ended.returncode} and without results; its last words: {words}"
        )
    return found.read_text(encoding="utf-8")


def read_results(text: str) -> Outcome:
    """Verdicts of TestNG's report.

    >>> outcome = read_results(
    ...     '<testng-results><test-method name="a" status="PASS"/>'
    ...     '<test-method name="setup" status="PASS" is-config="true"/>'
    ...     '<test-method name="b" status="FAIL"><exception><message> no such thing'
    ...     '</message></exception></test-method></testng-results>'
    ... )
    >>> outcome.counts["Passed"], outcome.failures
    (1, (Failure(name='b', why='no such thing'),))
    """
    counts: Counter[str] = Counter()
    failures: list[Failure] = []
    for one in etree.fromstring(text.encode()).iter("test-method"):
        verdict = _VERDICTS.get(one.get("status", ""), "Failed")
        if one.get("is-config") == "true" and verdict == "Passed":
            continue
        counts[verdict] += 1
        if verdict == "Failed":
            why = (one.findtext(".//message") or "").strip()
            failures.append(Failure(one.get("name", ""), why))
    return Outcome(counts, tuple(failures))


def _compiled(engine: Engine, suite: JavaSuite) -> Path:
    """Folder of the suite's classes and what lies with them."""
    sources, classes = (engine.folder / one / suite.name for one in ("sources", "classes"))
    for folder in (sources, classes):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(suite.folder / _JAVA, sources)
    shutil.copytree(suite.folder / _RESOURCES, classes)
    found = sorted(sources.rglob("*.java"))
    for one in found:
        one.write_bytes(one.read_bytes().replace(_SECURE, _PLAIN))
    path = f"{engine.libraries}/*"
    command = ["javac", "-nowarn", "-XDsuppressNotes", "-cp", path, "-d", str(classes)]
    subprocess.run([*command, *map(str, found)], check=True)
    return classes


def _properties(suite: JavaSuite, server: str) -> str:
    root = etree.Element("properties", version="1.0")
    for key, value in ((suite.address_key, server + suite.address), *suite.properties):
        etree.SubElement(root, "entry", key=key).text = value
    return etree.tostring(root, encoding="unicode")

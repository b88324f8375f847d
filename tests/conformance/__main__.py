"""Run the suites and print what passed and what did not."""

import argparse
import shutil
import sys
import time
from pathlib import Path
from typing import assert_never

import yaml
from rich.console import Console
from rich.table import Table

from tests.conformance.engine import Engine
from tests.conformance.processes import PROCESSES
from tests.conformance.results import Outcome, read_log
from tests.conformance.site import make_stores, site
from tests.conformance.suites import FOLDER, SUITES, Suite, checkouts
from tests.conformance.testng import JavaSuite, run_java
from tests.conformance.web import stand_in

type AnySuite = Suite | JavaSuite

CACHE = Path(".cite")
KNOWN = Path(__file__).parent / "known.yaml"

ALL: tuple[AnySuite, ...] = (*SUITES, PROCESSES)
console = Console(soft_wrap=True)


def main() -> int:
    """Exit code: 0 when every suite ran and failed only where a reason is known."""
    arguments = _parser().parse_args()
    suites = [one for one in ALL if not arguments.suite or one.name in arguments.suite]
    missing = _missing(suites)
    if missing:
        console.print("\n".join(missing), style="red")
        return 1
    engine, java = Engine(CACHE.resolve()), Engine((CACHE / "java").resolve())
    console.print("Fetching TEAM Engine")
    for one, kind in ((engine, Suite), (java, JavaSuite)):
        if some := [suite for suite in suites if isinstance(suite, kind)]:
            one.fetch(library for suite in some for library in suite.libraries)
    make_stores(CACHE / "stores")
    outcomes = {}
    for suite in suites:
        begin = time.monotonic()
        console.print(f"Running {suite.title}", end=" ")
        outcomes[suite.name] = _run(engine if isinstance(suite, Suite) else java, suite)
        console.print(f"{time.monotonic() - begin:.0f} s")
    return _report(suites, outcomes)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    names = ", ".join(one.name for one in ALL)
    parser.add_argument("suite", nargs="*", help=f"of {names}; all where none is named")
    return parser


def _missing(suites: list[AnySuite]) -> list[str]:
    """What has to be installed or fetched first, a line each."""
    lines = [
        f"{program} is missing (Debian: apt-get install {package})"
        for program, package in (("java", "default-jdk-headless"), ("mvn", "maven"))
        if shutil.which(program) is None
    ]
    return (
        lines
        + [
            f"the sources of {one.repository} {one.tag} are not in {one.folder}; "
            f"{FOLDER} names the folder that holds the checkouts of the OGC's suites"
            for one in suites
            if not one.source.exists()
        ]
        + [
            f"{checkouts() / helper} is missing, which {one.title} needs"
            for one in suites
            for helper in one.helpers
            if not (checkouts() / helper).exists()
        ]
    )


def _run(engine: Engine, suite: AnySuite) -> Outcome:
    store, logs = CACHE / "stores" / suite.store, CACHE / "server" / suite.name
    with stand_in() as (proxy, missed), site(store, logs, suite) as url:
        match suite:
            case Suite():
                outcome = read_log(engine.run(suite, url, proxy))
            case JavaSuite():
                outcome = run_java(engine, suite, url, proxy)
            case _:
                assert_never(suite)
    for one in sorted(missed):
        console.print(f"   not in the folder of schemas: {one}", style="dim")
    return outcome


def _report(suites: list[AnySuite], outcomes: dict[str, Outcome]) -> int:
    known = yaml.safe_load(KNOWN.read_text(encoding="utf-8")) or {}
    table = Table("suite", "passed", "failed", "of these known", "skipped")
    unknown = 0
    for suite in suites:
        outcome = outcomes[suite.name]
        reasons = known.get(suite.name, {})
        accepted = [one for one in outcome.failures if one.name in reasons]
        unknown += len(outcome.failures) - len(accepted)
        unknown += not outcome.counts["Passed"]
        counts = (outcome.counts[one] for one in ("Passed", "Failed"))
        table.add_row(
            suite.title, *map(str, counts), str(len(accepted)), str(outcome.counts["Skipped"])
        )
        for one in outcome.failures:
            console.print(
                f"\n{suite.title}: {one.name}", style="yellow" if one in accepted else "red"
            )
            console.print(reasons.get(one.name, one.why), markup=False, highlight=False)
    console.print(table)
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())

"""What the engine's log says: each test, its verdict and why it failed."""

import re
from collections import Counter
from dataclasses import dataclass

_TESTING = re.compile(r"^\s*Testing (?P<name>\S+) type (?P<kind>\w+)")
_VERDICT = re.compile(
    r"^\s*Test (?P<name>\S+) (?P<verdict>Passed|Failed|Skipped|Warning|Best)(?P<rest>.*)$"
)
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Failure:
    """A test that failed by itself, not by one that it called.

    Parameters
    ----------
    name : str
    why : str
        What the engine wrote between the test's beginning and its verdict.
    """

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """A suite's verdicts.

    Parameters
    ----------
    counts : Counter of str, by verdict; those inherited from a called test are not counted
    failures : tuple of Failure
    """

    counts: Counter[str]
    failures: tuple[Failure, ...]


def read_log(text: str) -> Outcome:
    """Verdicts of a console log of the engine.

    >>> log = '''Testing a:b type Mandatory in Test Mode
    ...    [FAILURE] no such thing
    ... Test a:b Failed
    ... Test a:all Failed - Inherited'''
    >>> outcome = read_log(log)
    >>> outcome.counts["Failed"], outcome.failures[0].name, outcome.failures[0].why
    (1, 'a:b', '[FAILURE] no such thing')
    """
    counts: Counter[str] = Counter()
    failures: list[Failure] = []
    said: list[str] = []
    for line in _COLOURS.sub("", text).splitlines():
        if _TESTING.match(line):
            said = []
        elif verdict := _VERDICT.match(line):
            if "Inherited" in verdict["rest"]:
                continue
            counts[verdict["verdict"]] += 1
            if verdict["verdict"] == "Failed":
                failures.append(Failure(verdict["name"], "\n".join(said[-12:])))
            said = []
        elif line.strip(" *"):
            said.append(line.strip())
    return Outcome(counts, tuple(failures))

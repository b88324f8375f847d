"""Which jobs a list has: the parameters of ``/jobs`` (OGC 18-062r2, 11.2)."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from math import inf

from datacube.errors import InvalidTime
from datacube.jobs.record import Job
from datacube.model.time import TimeRange
from services.ogcapi.parameters import decode_datetime
from services.ows.kvp import Kvp, comma_list, number, positive, word

LIST_PARAMETERS = frozenset(
    {"limit", "status", "processid", "type", "datetime", "minduration", "maxduration"}
)
MOST_LISTED = 1000
_STATES = ("accepted", "running", "successful", "failed", "dismissed")


@dataclass(frozen=True, slots=True)
class Choice:
    """Which jobs are wanted, and how many.

    Parameters
    ----------
    states, processes : frozenset of str; any where empty
    created : (float, float), first and last instant, seconds since 1970
    lasted : (float, float), optional; from how many seconds to how many
    most : int
    """

    states: frozenset[str]
    processes: frozenset[str]
    created: tuple[float, float]
    lasted: tuple[float, float] | None
    most: int

    def of(self, jobs: Iterable[Job]) -> list[Job]:
        """Those that are wanted, in the same order."""
        return list(islice(filter(self._wants, jobs), self.most))

    def _wants(self, job: Job) -> bool:
        if self.states and job.state not in self.states:
            return False
        if self.processes and job.wish.process not in self.processes:
            return False
        first, last = self.created
        return first <= job.created <= last and self._lasted(job)

    def _lasted(self, job: Job) -> bool:
        if self.lasted is None:
            return True
        if job.started is None:  # nobody can say how long
            return False
        least, most = self.lasted
        return least <= (job.finished or time.time()) - job.started <= most


def decode_choice(parameters: Kvp) -> Choice:
    """What the parameters of a request say.

    Raises
    ------
    DatacubeError
        One cannot be read.
    """
    parameters.many("type", _each(word("process")))
    states = parameters.many("status", _each(word(*_STATES)))
    processes = parameters.many("processID", comma_list)
    least, most = (parameters.optional(f"{end}Duration", _seconds, None) for end in ("min", "max"))
    return Choice(
        frozenset(name for names in states for name in names),
        frozenset(name for names in processes for name in names),
        _created(parameters),
        None if least is most is None else (least or 0.0, inf if most is None else most),
        min(parameters.optional("limit", positive, MOST_LISTED), MOST_LISTED),
    )


def _each(parse: Callable[[str], str]) -> Callable[[str], tuple[str, ...]]:
    return lambda text: tuple(parse(part) for part in comma_list(text))


def _seconds(text: str) -> float:
    value = number(text)
    if value < 0:
        raise ValueError(f"'{text}' is below zero")
    return value


def _created(parameters: Kvp) -> tuple[float, float]:
    match decode_datetime(parameters):
        case None:
            return -inf, inf
        case "latest":
            raise InvalidTime("datetime is a time or an interval of them", subject="datetime")
        case TimeRange() as times:
            first, last = times.span("standard")
        case moment:
            first, last = moment.span("standard")
    # a millisecond is written, of which a job has fractions
    return -inf if first is None else first / 1000, inf if last is None else (last + 1) / 1000

"""The workers of a dask.distributed scheduler as hands of an ingest.

Every unit is one task (:mod:`datacube.ingest.units`); this process hands them out, takes in what
was done, and commits. A task of a worker that dies is done again by another one. When an ingest is
given up, nobody may still be writing where the next one will: it waits for what is under way, and
never gives back a slot of which it cannot know.
"""

import logging
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, override
from uuid import uuid4

import distributed
import numpy as np
from distributed.comm import CommClosedError
from distributed.scheduler import KilledWorker

from datacube.errors import StorageError
from datacube.ingest.filling import Filling, Job, blocks, windows_of
from datacube.ingest.readers import default_readers
from datacube.ingest.report import BytesRead
from datacube.ingest.source import Granule
from datacube.ingest.units import Order, Unit, Workshop
from datacube.store.objects import ObjectStore
from datacube.store.slicechunks import Piece, SlicePlace
from datacube.store.writer import SliceWriter

_PLUGIN = "datacube-workshop"
_ANSWER = 10.0
_LOOK = 20.0
PATIENCE = 60.0
"""Seconds without any worker after which an ingest is given up."""

_LOST = (KilledWorker, CancelledError, CommClosedError, OSError)
_log = logging.getLogger(__name__)


class Cluster:
    """Workers that reach the sources and the store by the same names as this process.

    Parameters
    ----------
    address : str
        Of the scheduler, ``tcp://host:8786``.

    Raises
    ------
    StorageError
        No scheduler answers there, or it has no workers.
    """

    def __init__(self, address: str) -> None:
        try:
            self._client = distributed.Client(address, timeout=_ANSWER, set_as_default=False)
        except (OSError, ValueError) as error:
            words = " ".join(str(error).split())[:200]
            raise StorageError(
                f"the scheduler {address} does not answer: {words}", subject="scheduler"
            ) from error
        try:
            self._client.wait_for_workers(1, timeout=_ANSWER)
            self._client.register_plugin(_Plugin(), name=_PLUGIN)
        except (TimeoutError, OSError) as error:
            self._client.close()
            raise StorageError(
                f"the scheduler {address} has no workers", subject="scheduler"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave; the workers stay."""
        self._client.close()

    @contextmanager
    def filling(self, store: ObjectStore, granule: Granule, job: Job) -> Iterator[Filling]:
        """See :class:`~datacube.ingest.filling.Hands`."""
        order = Order(
            str(Path(store.url).absolute()) if store.is_local else store.url,
            job.source if "://" in job.source else str(Path(job.source).expanduser().absolute()),
            job.options,
            job.recipe,
            granule.id,
            granule.cube_id,
            granule.over,
        )
        filling = _Filling(self._client, order, granule, job)
        try:
            yield filling
            filling.finish()
        except BaseException as error:
            filling.give_up()
            if isinstance(error, _LOST):
                words = " ".join(str(error).split())[:200] or type(error).__name__
                raise StorageError(f"the cluster failed: {words}", subject="scheduler") from error
            raise


@dataclass(frozen=True, eq=False)
class _Task:
    writer: SliceWriter
    future: Any
    bytes: int
    last: bool


class _Filling:
    def __init__(
        self, client: distributed.Client, order: Order, granule: Granule, job: Job
    ) -> None:
        self._client = client
        self._granule = granule
        self._job = job
        self._stop = f"datacube-{uuid4().hex}"
        self._order = order
        self._tasks: deque[_Task] = deque()

    def fill(self, writer: SliceWriter, position: int) -> None:
        """Hand out the units of a slice; wait while too many are under way."""
        units = [
            Unit(position, *one) for one in windows_of(self._granule, position, writer, blocks)
        ]
        fields = self._granule.description.range_type
        for number, unit in enumerate(units, 1):
            # everything in the task itself: what workers keep for each other dies with them
            place = writer.elsewhere(unit.field)
            future = self._client.submit(
                _do, self._stop, self._order, place, unit, pure=False, retries=2
            )
            row0, row1, column0, column1 = unit.window
            size = np.dtype(fields.field(unit.field).dtype).itemsize
            size *= (row1 - row0) * (column1 - column0)
            self._tasks.append(_Task(writer, future, size, number == len(units)))
        most = 4 * max(2, sum(self._client.nthreads().values()))
        while len(self._tasks) > most:
            self._settle()

    def finish(self) -> None:
        """See :class:`~datacube.ingest.filling.Filling`."""
        while self._tasks:
            self._settle()

    def give_up(self) -> None:
        """Stop, and see that nobody writes any more; slots of which that is not sure stay ours."""
        if not self._tasks:
            return
        futures = [one.future for one in self._tasks]
        try:
            with self._client.as_current():
                distributed.Event(self._stop).set()
                distributed.wait(futures, timeout=PATIENCE)
        except (*_LOST, TimeoutError, RuntimeError) as error:
            _log.warning("units may still be under way on the cluster: %s", error)
            for task in self._tasks:
                task.writer.strand()
            return
        for task in self._tasks:
            with suppress(Exception):  # what failed has left nothing to take
                task.writer.take(task.future.result(timeout=_ANSWER))

    def _settle(self) -> None:
        """Take in the unit that was handed out first."""
        task = self._tasks[0]
        task.writer.take(self._result(task.future))
        self._tasks.popleft()
        self._job.report(BytesRead(self._job.source, self._granule.cube_id, task.bytes))
        if task.last:
            task.writer.close()

    def _result(self, future: Any) -> Piece:
        alone = None
        while True:
            try:
                piece: Piece = future.result(timeout=_LOOK)
            except TimeoutError:
                for writer in {id(one.writer): one.writer for one in self._tasks}.values():
                    writer.renew()
                there = bool(self._client.nthreads())
                alone = None if there else alone or time.monotonic()
                if alone is not None and time.monotonic() - alone > PATIENCE:
                    raise StorageError("the cluster has no workers", subject="scheduler") from None
            else:
                return piece


class _Plugin(distributed.WorkerPlugin):  # type: ignore[misc]
    """The workshop of a worker."""

    workshop: Workshop

    @override
    def setup(self, worker: distributed.Worker) -> None:
        self.workshop = Workshop(default_readers())

    @override
    def teardown(self, worker: distributed.Worker) -> None:
        self.workshop.close()


def _do(stop: str, order: Order, place: SlicePlace, unit: Unit) -> Piece | None:
    if distributed.Event(stop).is_set():
        return None
    workshop: Workshop = distributed.get_worker().plugins[_PLUGIN].workshop
    return workshop.do(order, place, unit)

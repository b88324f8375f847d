"""The documents that say what a cube is: head and version.

``manifest/head.json`` names one version document; that maps each logical time to a physical
slot and each slot to a slice document; that holds length and CRC-32C of every chunk. It lists the
segments of the series copy in the same way. Only the head is ever replaced, everything else is
written once under a name with its digest.
"""

import gzip
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from typing import Any

import numpy as np

from datacube.errors import StorageError
from datacube.model.axis import TimeAxis
from datacube.model.coverage import CoverageDescription
from datacube.store.document import dump_description, load_description
from datacube.store.positions import ReadGrids
from datacube.store.records import Deletion, SeriesRecord
from datacube.store.slices import Slice, load_slices
from datacube.store.statistics import Summary
from datacube.store.tables import FORMAT, check_digest

OTHER_STORAGE = 3
"""Format of a head that only says what holds the cube; programs of format 2 refuse it."""


@dataclass(frozen=True, slots=True)
class Head:
    """Which version a cube is at.

    Parameters
    ----------
    version : int
    manifest : str
        Name of the version's document.
    storage : str
        Empty for a plain cube; else what holds the cube beside this document.

    Examples
    --------
    >>> head = Head(7, "manifest/versions/00000007-0123456789ab.json.gz")
    >>> Head.load(head.dump(), "sst") == head
    True
    """

    version: int
    manifest: str
    storage: str = ""

    def dump(self) -> bytes:
        """The head's bytes."""
        if self.storage:
            return json.dumps({"format": OTHER_STORAGE, "storage": self.storage}).encode()
        document = {"format": FORMAT, "version": self.version, "manifest": self.manifest}
        return json.dumps(document).encode()

    @staticmethod
    def load(data: bytes, cube_id: str) -> "Head":
        """Read a head.

        Raises
        ------
        StorageError
            It is damaged, or a newer program has written it.
        """
        try:
            document = json.loads(data)
            written = int(document["format"])
            head = Head(
                int(document.get("version", 0)),
                str(document.get("manifest", "")),
                str(document.get("storage", "")),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise StorageError(
                f"the head of cube '{cube_id}' is damaged", subject=cube_id
            ) from error
        if head.storage != "icechunk":
            check_format(written, cube_id)
        return head


def check_format(written: int, cube_id: str) -> None:
    """Refuse what a newer program has written.

    Raises
    ------
    StorageError
        The format is newer than this program knows.
    """
    if written > FORMAT:
        raise StorageError(
            f"cube '{cube_id}' was written by a newer datacube (format {written}); "
            f"this program knows format {FORMAT}: upgrade it",
            subject=cube_id,
        )


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """Which granule a slice was made of.

    Parameters
    ----------
    id : str
        Stable name of the granule; the same granule is not ingested twice.
    product, uri, checksum, ingested : str
        Kind of product, where it was read, its digest, ISO 8601 time of ingest.
    attributes : mapping of str to str
    """

    id: str
    product: str = ""
    uri: str = ""
    checksum: str = ""
    ingested: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)

    def dump(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "id": self.id,
            "product": self.product,
            "uri": self.uri,
            "checksum": self.checksum,
            "ingested": self.ingested,
            "attributes": dict(self.attributes),
        }


@dataclass(frozen=True, eq=False)
class Version:
    """A committed state of a cube.

    Parameters
    ----------
    number : int
    parent : str
        Name of the version document before, or empty.
    committed : str
        ISO 8601 time of the commit.
    message : str
    template : CoverageDescription
        What the cube is, its time axis empty.
    arrays : field -> Zarr metadata for each level
        With a length of 0 along time.
    slices : sequence of Slice
        In order of time.
    sources : source id -> (record, ticks of its slices)
    next_slot : int
        First physical slot that no version has used.
    plain : int
        So many slots of the layout, in order, the plain Zarr path shows.
    layout : int
        Which key encoding new slices and the plain Zarr path have.
    attributes : mapping
        Further attributes of the Zarr group.
    series : SeriesRecord, optional
        None where no series copy is kept.
    statistics : field -> Summary
        Over all slices that were written with one.
    deletions : tuple of Deletion
        In the order in which they were made.
    """

    number: int
    parent: str
    committed: str
    message: str
    template: CoverageDescription
    arrays: Mapping[str, tuple[Mapping[str, Any], ...]]
    slices: Sequence[Slice] = ()
    sources: Mapping[str, tuple[SourceRecord, tuple[int | None, ...]]] = field(default_factory=dict)
    next_slot: int = 0
    plain: int = 0
    attributes: Mapping[str, Any] = field(default_factory=dict)
    series: SeriesRecord | None = None
    statistics: Mapping[str, Summary] = field(default_factory=dict)
    layout: int = 0
    deletions: tuple[Deletion, ...] = ()

    @property
    def timed(self) -> bool:
        """Whether the cube has a time axis."""
        return self.template.domain.time is not None

    @property
    def in_order(self) -> bool:
        """Whether the slots are in the order of time, so that the plain group shows them all."""
        return all(
            one.slot == index and one.layout == self.layout for index, one in enumerate(self.slices)
        )

    @cached_property
    def granules(self) -> Mapping[int | None, tuple[SourceRecord, ...]]:
        """Sources by time."""
        found: dict[int | None, list[SourceRecord]] = {}
        for record, times in self.sources.values():
            for ticks in times:
                found.setdefault(ticks, []).append(record)
        return {ticks: tuple(records) for ticks, records in found.items()}

    def description(self, snapshot: str = "") -> CoverageDescription:
        """What the cube is at this version, with its times."""
        time = self.template.domain.time
        if time is None:
            return replace(self.template, snapshot=snapshot)
        rows = [(one.ticks, one.bounds) for one in self.slices]
        ticks = np.array([tick for tick, _ in rows], np.int64)
        pairs = [pair for _, pair in rows]
        known = [pair for pair in pairs if pair is not None]
        bounds = np.array(known, np.int64) if pairs and len(known) == len(pairs) else None
        axis = TimeAxis(time.name, ticks, time.calendar, bounds, time.title)
        domain = replace(self.template.domain, axes=(axis, *self.template.domain.axes[1:]))
        return replace(self.template, domain=domain, snapshot=snapshot)

    def dump(self) -> tuple[str, bytes]:
        """Name (below the cube's folder) and bytes of the document."""
        document: dict[str, Any] = {
            "format": FORMAT,
            "version": self.number,
            "parent": self.parent,
            "committed": self.committed,
            "message": self.message,
            "description": dump_description(self.template),
            "arrays": {name: list(levels) for name, levels in self.arrays.items()},
            "slices": {
                "ticks": [one.ticks for one in self.slices],
                "slots": [one.slot for one in self.slices],
                "names": [one.name for one in self.slices],
                "bounds": [one.bounds for one in self.slices],
                "layouts": [one.layout for one in self.slices],
            },
            "sources": [
                {**record.dump(), "ticks": list(ticks)} for record, ticks in self.sources.values()
            ],
            "next_slot": self.next_slot,
            "plain": self.plain,
            "layout": self.layout,
            "deletions": [one.dump() for one in self.deletions],
            "attributes": dict(self.attributes),
            "statistics": {name: one.dump() for name, one in self.statistics.items()},
        }
        if self.series is not None:
            document["series"] = self.series.dump()
        data = json.dumps(document, separators=(",", ":")).encode()
        digest = sha256(data).hexdigest()[:12]
        packed = gzip.compress(data, 6, mtime=0)
        return f"manifest/versions/{self.number:08d}-{digest}.json.gz", packed

    @staticmethod
    def load(
        packed: bytes, name: str, cube_id: str, read_grids: ReadGrids | None = None
    ) -> "Version":
        """Read a version document and check it against the digest in its name.

        Raises
        ------
        StorageError
            It is damaged, or a newer program has written it.
        """
        try:
            data = gzip.decompress(packed)
            check_digest(data, name.removesuffix(".json.gz"))
            document = json.loads(data)
            check_format(int(document["format"]), cube_id)
            return _load_version(document, read_grids)
        except (ValueError, KeyError, TypeError, OSError, EOFError, zlib.error) as error:
            raise StorageError(
                f"the version document {name} of cube '{cube_id}' is damaged: {error}",
                subject=cube_id,
            ) from error


def _load_version(document: Mapping[str, Any], read_grids: ReadGrids | None) -> Version:
    sources = {}
    for entry in document["sources"]:
        record = SourceRecord(**{key: value for key, value in entry.items() if key != "ticks"})
        sources[record.id] = (record, tuple(entry["ticks"]))
    return Version(
        number=int(document["version"]),
        parent=str(document["parent"]),
        committed=str(document["committed"]),
        message=str(document["message"]),
        template=load_description(document["description"], read_grids),
        arrays={name: tuple(levels) for name, levels in document["arrays"].items()},
        slices=load_slices(document["slices"]),
        sources=sources,
        next_slot=int(document["next_slot"]),
        plain=int(document["plain"]),
        attributes=document["attributes"],
        series=SeriesRecord.load(document["series"]) if "series" in document else None,
        statistics={
            name: Summary.load(entry) for name, entry in document.get("statistics", {}).items()
        },
        layout=int(document.get("layout", 0)),
        deletions=tuple(Deletion.load(entry) for entry in document.get("deletions", ())),
    )


def head_key(cube_id: str) -> str:
    """Key of the head."""
    return f"{cube_id}/manifest/head.json"


def now() -> str:
    """The time of a commit: ISO 8601 with milliseconds, UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")

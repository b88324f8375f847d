"""NetCDF-4 files that differ in nothing but numbers: one of them is written, the others filled in.

To define a file takes the library longer than to put the values of a large picture there. What it
writes is kept instead: all but the values of the fields, with the places of the coordinates in it,
and of the two texts that say of which part of the coverage it is. They are found by marks that
stand there when it is written. The texts end in zeros, which readers leave out, so that files whose
texts differ a little in length are of one kind; the checksum of the block that holds one is renewed
(HDF5 file format specification: object headers, III.G: direct blocks of fractal heaps).
"""

import os
import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import count
from math import prod

import netCDF4
import numpy as np

from datacube.formats import cf, lookup3
from datacube.formats.netcdf import (
    LIBRARY,
    Stored,
    define,
    global_attributes,
    guess,
    written_part,
)
from datacube.model.coverage import CoverageDescription
from datacube.model.grid import RectifiedGrid

_TRANSFORM = "GeoTransform"
_MARK = 16  # bytes; what is shorter has no place of its own
_MOST = 1 << 18  # bytes of coordinates
_ROOM = 64  # bytes of which texts take whole ones
_HEADERS, _HEAP = (b"OHDR", b"OCHK"), b"FHDB"
_BLOCKS = re.compile(b"OHDR|OCHK|FHDB|FRHP|BTHD|BTLF|GCOL")
_HEAP_CHECKSUM, _HEAP_BYTES = 18, tuple(512 << power for power in range(8))


@dataclass(frozen=True, slots=True)
class Kind:
    """What files have in common, and what one of them is written from.

    Parameters
    ----------
    name : hashable
        Everything that a file says, but for the numbers that have a place in it.
    description : CoverageDescription, on a rectified grid
    kinds : field -> dtype and fill value
    options : of the encoder
    coordinates : those of the description
    """

    name: Hashable
    description: CoverageDescription = field(compare=False)
    kinds: Mapping[str, Stored] = field(compare=False)
    options: Mapping[str, str] = field(compare=False)
    coordinates: tuple[cf.Variable, ...] = field(compare=False)

    @staticmethod
    def of(
        description: CoverageDescription,
        kinds: Mapping[str, Stored],
        options: Mapping[str, str],
    ) -> "Kind | None":
        """That of a file; None of one that is compressed, or has many coordinates.

        None too where the library has another type for the words than for most.
        """
        plain = options.get("compression") != "deflate"
        if not (plain and isinstance(description.domain.grid, RectifiedGrid)):
            return None
        coordinates = cf.coordinates(description.domain)
        words = global_attributes(description, options)
        history = words.pop("history")
        if sum(one.values.nbytes for one in coordinates) > _MOST or not history.isascii():
            return None
        fields = description.range_type.fields
        transform = str(coordinates[-1].attributes[_TRANSFORM])
        name = (
            tuple(words.items()),
            tuple(len(_padded(text)) for text in (history, transform)),
            description.domain.shape,
            tuple((one, kinds[one.name][0].str, repr(kinds[one.name][1])) for one in fields),
            tuple(map(_name, coordinates)),
        )
        options = {**options, "history": history}
        return Kind(name, description, kinds, options, coordinates)

    @property
    def texts(self) -> tuple[str, str]:
        """The history, and the transform, which the last of the coordinates has."""
        return self.options["history"], str(self.coordinates[-1].attributes[_TRANSFORM])

    def marked(self) -> "Kind":
        """The same with numbers and texts that occur nowhere else."""
        history, transform = (os.urandom(len(_padded(one)) // 2).hex() for one in self.texts)
        *others, mapping = map(_marked, self.coordinates)
        mapping = replace(mapping, attributes={**mapping.attributes, _TRANSFORM: transform})
        options = {**self.options, "history": history}
        return replace(self, options=options, coordinates=(*others, mapping))


@dataclass(frozen=True, slots=True)
class _Place:
    """Some bytes of a segment."""

    segment: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class _Text:
    """Where a text stands, in a block with a checksum.

    Parameters
    ----------
    place : _Place
    checksum : int, where its four bytes begin
    known, stop : int, up to where the block is the same in every file, and where the sum ends
    state : of the checksum after what is known
    """

    place: _Place
    checksum: int
    known: int
    stop: int
    state: lookup3.State


@dataclass(frozen=True, slots=True)
class Template:
    """A file without the values of its fields.

    Parameters
    ----------
    segments : what lies before those of each field, in order, and behind the last
    places : coordinate -> where its numbers lie
    texts : where those of a kind stand, in their order
    """

    segments: tuple[bytes, ...]
    places: Mapping[str, _Place]
    texts: tuple[_Text, ...]

    def filled(self, kind: "Kind") -> list[bytearray]:
        """The segments of a file of the kind."""
        segments = [bytearray(one) for one in self.segments]
        for one in kind.coordinates:
            if (place := self.places.get(one.name)) is not None:
                segments[place.segment][place.start : place.stop] = one.values.tobytes()
        for where, text in zip(self.texts, kind.texts, strict=True):
            segment = segments[where.place.segment]
            segment[where.place.start : where.place.stop] = _padded(text)
            checksum = lookup3.finished(where.state, segment[where.known : where.stop])
            segment[where.checksum : where.checksum + 4] = checksum.to_bytes(4, "little")
        return segments


def known_template(kind: Kind) -> Template | None:
    """What the library writes for files of a kind; None of the first, for most have no second.

    None too where a place cannot be told.
    """
    return template(kind) if next(_files(kind.name)) else None


@lru_cache(maxsize=1024)
def _files(name: Hashable) -> Iterator[int]:
    """Counts the files of a kind."""
    del name
    return count()


@lru_cache(maxsize=32)
def template(kind: Kind) -> Template | None:
    """What the library writes for files of a kind; None where a place cannot be told."""
    cells = prod(kind.description.domain.shape)
    marked = kind.marked()
    marks = {name: os.urandom(_MARK) for name in kind.kinds}
    image = _written(marked, marks)
    edges = [0]
    for name, (dtype, _) in kind.kinds.items():
        found = re.compile(re.escape(marks[name])).search(image, edges[-1])
        if found is None:
            return None
        edges += [found.start(), found.start() + cells * dtype.itemsize]
    edges.append(len(image))
    pairs = zip(edges[::2], edges[1::2], strict=True)
    segments = tuple(bytes(image[start:stop]) for start, stop in pairs)
    numbers = {one.name: one.values.tobytes() for one in marked.coordinates if _has_place(one)}
    places = {name: _place(segments, mark) for name, mark in numbers.items()}
    texts = [_text_in(segments, text.encode()) for text in marked.texts]
    known = {name: place for name, place in places.items() if place is not None}
    checked = tuple(one for one in texts if one is not None)
    if len(known) < len(places) or len({one.checksum for one in checked}) < len(texts):
        return None
    return Template(segments, known, checked)


def _has_place(one: cf.Variable) -> bool:
    """Whether the numbers of a coordinate can be told from others in a file."""
    return one.values.dtype != object and one.values.nbytes >= _MARK


def _padded(text: str) -> bytes:
    """A text with zeros up to a length that others have too."""
    data = text.encode()
    return data.ljust(-(-len(data) // _ROOM) * _ROOM, b"\0")


def _name(one: cf.Variable) -> Hashable:
    """What files have in common of a coordinate."""
    numbers = one.values.shape if _has_place(one) else repr(one.values.tolist())
    said = ((name, _said(value)) for name, value in one.attributes.items() if name != _TRANSFORM)
    return one.name, one.dims, one.values.dtype.str, numbers, tuple(said)


def _said(value: cf.Value) -> Hashable:
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    return value if isinstance(value, str) else (type(value), repr(value))


def _marked(one: cf.Variable) -> cf.Variable:
    if not _has_place(one):
        return one
    values = np.frombuffer(os.urandom(one.values.nbytes), one.values.dtype)
    return replace(one, values=values.reshape(one.values.shape))


def _written(kind: Kind, marks: Mapping[str, bytes]) -> memoryview:
    """A file; the first values of each field are a mark, all others anything."""
    description = kind.description
    first = (0,) * (len(description.domain.shape) - 1)
    with LIBRARY:
        file = netCDF4.Dataset("coverage.nc", mode="w", format="NETCDF4", memory=guess(description))
        try:
            define(file, description, kind.kinds, kind.options, kind.coordinates)
            for name, (dtype, _) in kind.kinds.items():
                mark = np.frombuffer(marks[name], dtype)[: description.domain.shape[-1]]
                file[name][(*first, slice(len(mark)))] = mark
        except BaseException:
            file.close()
            raise
        return written_part(file.close())


def _place(segments: Sequence[bytes], mark: bytes) -> _Place | None:
    """Where a mark stands in some segment."""
    for number, segment in enumerate(segments):
        if (start := segment.find(mark)) >= 0:
            return _Place(number, start, start + len(mark))
    return None


def _text_in(segments: Sequence[bytes], mark: bytes) -> _Text | None:
    """Where a text stands; None where its block cannot be told by its checksum."""
    place = _place(segments, mark)
    if place is None:
        return None
    segment = segments[place.segment]
    for start, stop, checksum in _blocks(segment, place):
        data = bytearray(segment[start:stop])
        if start < checksum < stop:
            data[checksum - start : checksum - start + 4] = bytes(4)
        if lookup3.lookup3(data) == int.from_bytes(segment[checksum : checksum + 4], "little"):
            known = (place.start - start) // lookup3.ROUND * lookup3.ROUND
            state = lookup3.folded(lookup3.begun(len(data)), data[:known])
            return _Text(place, checksum, start + known, stop, state)
    return None


def _blocks(segment: bytes, place: _Place) -> Iterator[tuple[int, int, int]]:
    """What the block around a place may be: where it begins and ends, and where its checksum is.

    That of a header is behind it, that of a heap within it.
    """
    start = max(segment.rfind(one, 0, place.start) for one in (*_HEADERS, _HEAP))
    if start < 0:
        return
    if segment[start : start + 4] == _HEAP:
        for size in _HEAP_BYTES:
            if start + size >= place.stop:
                yield start, start + size, start + _HEAP_CHECKSUM
        return
    for following in _BLOCKS.finditer(segment, place.stop):
        stop = following.start() - 4
        yield start, stop, stop

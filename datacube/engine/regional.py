"""Steps of one region: from map chunks, from the series copy where it is cheaper, or computed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import batched
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datacube.engine.read import fetch_rows, split_place
from datacube.engine.series import series_window
from datacube.engine.steps import StepReader
from datacube.engine.waiting import check_wanted
from datacube.slicing.cells import ReadPlan
from datacube.slicing.regions import Region
from datacube.store.cube import CubeStore
from datacube.store.timeseries import read_series

type Place = tuple[int, ...]
type Stack = tuple[NDArray[Any], NDArray[np.bool_] | None]

_TOGETHER = 4  # chunks of this machine's disk that are read together
_TOGETHER_REMOTE = 16
_CHUNK_BYTES = 400_000  # decoded in the time that fetching any chunk takes
_SLOWER = 2  # how many times as long a decoded byte of the series copy takes
_SERIES_BYTES = 32 << 20  # of a region over the times of one segment


@dataclass(frozen=True, eq=False)
class RegionReader:
    """Reads steps of regions.

    Parameters
    ----------
    steps : StepReader, what is wanted, where
    stored : bool
        Whether values are given as stored, without valid: nil and NaN say it.
    """

    steps: StepReader
    stored: bool

    @property
    def plan(self) -> ReadPlan | None:
        """Whose chunks the regions are parts of; None where nothing is read."""
        return next(iter(self.steps.plans.values()), None)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the steps."""
        field = self.steps.wanted.field
        return np.dtype(field.dtype) if self.stored else self.physical_dtype

    @property
    def physical_dtype(self) -> np.dtype[Any]:
        """The dtype of a step's physical values."""
        wanted = self.steps.wanted
        return wanted.field.physical_dtype if wanted.tree is None else np.dtype(wanted.field.dtype)

    def read(self, region: Region, places: Sequence[Place], *, series: bool) -> Iterator[Stack]:
        """Values, (steps, y, x), and valid of the same shape or None.

        Parameters
        ----------
        region : Region of the plan
        places : the steps
        series : bool, whether they may come from the series copy, in another order

        Raises
        ------
        StorageError
            A chunk cannot be read.
        """
        if not self.stored:
            return self._computed(region, places)
        times = self.in_series(region, places) if series else None
        return self._chunks(region, places) if times is None else self._series(region, times)

    def cut(self, region: Region) -> StepReader:
        """What reads the same at the cells of a region."""
        assert self.plan is not None  # noqa: S101  regions come from it
        return replace(self.steps, cells=region.index_map(self.plan.chunk_shape), target=None)

    def _computed(self, region: Region, places: Sequence[Place]) -> Iterator[Stack]:
        reader = self.cut(region)
        for place in places:
            values, valid = reader.physical(place)
            yield values[None], valid[None]

    def _chunks(self, region: Region, places: Sequence[Place]) -> Iterator[Stack]:
        store, field, level = self.steps.cube.store, self.steps.wanted.field.name, self.steps.level
        lead = store.chunk_shape(field, level)[:-2]
        together = max(_TOGETHER_REMOTE if store.remote else _TOGETHER, prod(lead))
        for some in batched(places, together):
            where = [split_place(place, lead) for place in some]
            wanted = list(dict.fromkeys((*chunk, *region.chunk) for chunk, _ in where))
            chunks = fetch_rows(self.steps.context.pool, store, field, level, wanted, region.span)
            for chunk, within in where:
                yield region.cut(chunks[*chunk, *region.chunk][within])[None], None

    def in_series(
        self, region: Region, places: Sequence[Place]
    ) -> dict[Place, tuple[int, int]] | None:
        """Times, first and one past the last, at each other place; None for map chunks."""
        store, field = self.steps.cube.store, self.steps.wanted.field
        if self.steps.level or not isinstance(store, CubeStore) or store.series(field.name) is None:
            return None
        found: dict[Place, list[int]] = {}
        for time, *others in places:
            found.setdefault(tuple(others), []).append(time)
        spans = {others: (min(times), max(times) + 1) for others, times in found.items()}
        if any(len(found[others]) != stop - start for others, (start, stop) in spans.items()):
            return None
        return spans if all(self._is_cheaper(region, span) for span in spans.values()) else None

    def _is_cheaper(self, region: Region, span: tuple[int, int]) -> bool:
        store, field = self.steps.cube.store, self.steps.wanted.field
        copy = store.series(field.name)
        shape = store.chunk_shape(field.name, 0)
        cells = region.index_map((shape[-2], shape[-1]))
        window = series_window(store, field, 0, cells, range(*span))
        if window is None or copy is None:
            return False
        itemsize = np.dtype(field.dtype).itemsize
        series = _SLOWER * window.nbytes + window.chunks * _CHUNK_BYTES
        maps = (span[1] - span[0]) * (prod(shape) * itemsize + _CHUNK_BYTES)
        if copy.chunk_shape[0] * region.cells * itemsize > _SERIES_BYTES:
            return False
        return series < maps

    def _series(self, region: Region, spans: dict[Place, tuple[int, int]]) -> Iterator[Stack]:
        store, field = self.steps.cube.store, self.steps.wanted.field
        assert isinstance(store, CubeStore)  # noqa: S101  it has a series copy
        copy = store.series(field.name)
        assert copy is not None  # noqa: S101  it is the one that is cheaper
        shape = store.chunk_shape(field.name, 0)
        cells = region.index_map((shape[-2], shape[-1]))
        rows, columns = (
            slice(int(one[0]), int(one[-1]) + 1) for one in (cells.rows, cells.columns)
        )
        for others, (start, stop) in spans.items():
            for _, first, last in copy.parts(start, stop):
                for begin in range(first, last, copy.chunk_shape[0]):
                    check_wanted()
                    times = slice(begin, min(begin + copy.chunk_shape[0], last))
                    yield read_series(store, field.name, others, rows, columns, times), None

"""Values as stored or in their unit, whatever a format writes by itself."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Literal, assert_never

import numpy as np

from datacube.model.block import Block
from datacube.model.coverage import Coverage, CoverageDescription
from datacube.model.fields import Field, RangeType
from datacube.model.stream import CoverageStream, Part

type Stated = Literal["raw", "physical"]
STATED: tuple[Stated, ...] = ("raw", "physical")


def stated_field(one: Field, how: Stated) -> Field:
    """The field of such values: stored numbers without a unit, or physical ones unpacked.

    Examples
    --------
    >>> packed = Field("sst", "int16", "K", nil=-32768, scale=0.01, offset=273.15)
    >>> stated_field(packed, "physical").dtype, stated_field(packed, "raw").uom
    ('float64', '1')
    """
    match how:
        case "raw":
            return replace(one, scale=1.0, offset=0.0, uom="1") if one.packed else one
        case "physical":
            dtype = one.physical_dtype
            if not one.packed and dtype == np.dtype(one.dtype):
                return one
            return replace(one, dtype=dtype.name, nil=None, scale=1.0, offset=0.0, categories=())
        case _:
            assert_never(how)


def stated_fields(description: CoverageDescription, how: Stated) -> tuple[Field, ...]:
    """The fields of such values of a coverage."""
    return tuple(stated_field(one, how) for one in description.range_type.fields)


def stated(coverage: Coverage, how: Stated) -> Coverage:
    """A coverage of such values."""
    blocks = {name: _block(one, how) for name, one in coverage.blocks.items()}
    return Coverage(_description(coverage.description, how), blocks, coverage.notes)


def stated_stream(coverage: CoverageStream, how: Stated) -> CoverageStream:
    """A stream of such values."""

    def read(parts: Iterable[Part]) -> Iterator[Block]:
        return (_block(one, how) for one in coverage.read(parts))

    return replace(coverage, description=_description(coverage.description, how), read=read)


def _description(description: CoverageDescription, how: Stated) -> CoverageDescription:
    return replace(description, range_type=RangeType(stated_fields(description, how)))


def _block(block: Block, how: Stated) -> Block:
    field = stated_field(block.field, how)
    if field.dtype == block.field.dtype:
        mask = block.mask if field.nil == block.field.nil else block.valid
        return replace(block, field=field, mask=mask)
    data = block.physical().astype(field.dtype, copy=False)
    return Block(field, block.domain, data, block.valid)

"""Coverage -> NumPy's .npy (NEP 1): physical values, NaN where there is no data.

The array is (field, axes…, y, x); without the first dimension where there is one field.
"""

import io
from collections.abc import Iterator, Mapping
from math import prod

import numpy as np

from datacube.formats.pieces import Piece, Streamed, cut, gathered
from datacube.model.coverage import Coverage
from datacube.model.stream import CoverageStream, stream_of


def encode(coverage: Coverage, options: Mapping[str, str]) -> Iterator[Piece]:
    """The file in pieces: the header, then the values of each field.

    Parameters
    ----------
    coverage : Coverage
    options : not used
    """
    return stream(stream_of(coverage), options).pieces


def stream(coverage: CoverageStream, options: Mapping[str, str]) -> Streamed:  # noqa: ARG001
    """The same while the coverage is read; its length is exact.

    Parameters
    ----------
    coverage : CoverageStream
    options : not used
    """
    fields = coverage.description.range_type.fields
    dtype = np.result_type(*(field.physical_dtype for field in fields)).newbyteorder("<")
    shape = coverage.description.domain.shape
    whole = shape if len(fields) == 1 else (len(fields), *shape)
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": dtype.str, "fortran_order": False, "shape": whole}
    )
    head = header.getvalue()
    values = (
        piece
        for block in coverage.by_field()
        for piece in cut(block.physical().astype(dtype, copy=False))
    )
    return Streamed(gathered(head, values), len(head) + prod(whole) * dtype.itemsize)

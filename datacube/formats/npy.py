"""Coverage -> NumPy's .npy (NEP 1): physical values, NaN where there is no data.

The array is (field, axes…, y, x); without the first dimension where there is one field.
"""

import io
from collections.abc import Iterator, Mapping

import numpy as np

from datacube.model.coverage import Coverage


def encode(coverage: Coverage, options: Mapping[str, str]) -> Iterator[bytes]:  # noqa: ARG001
    """The file in pieces: the header, then the values of each field.

    Parameters
    ----------
    coverage : Coverage
    options : not used
    """
    blocks = tuple(coverage.blocks.values())
    dtype = np.result_type(*(block.field.physical_dtype for block in blocks)).newbyteorder("<")
    shape = coverage.description.domain.shape
    whole = shape if len(blocks) == 1 else (len(blocks), *shape)
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": dtype.str, "fortran_order": False, "shape": whole}
    )
    yield header.getvalue()
    for block in blocks:
        yield block.physical().astype(dtype, copy=False).tobytes()

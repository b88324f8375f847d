"""Fields in simple packing, decoded here: bit for bit what ecCodes makes of them."""

import os
from pathlib import Path

import numpy as np
import pytest

from datacube.errors import SourceError
from datacube.ingest.pipeline import ingest
from datacube.ingest.readers.gribchild import GribChild, GribDecoder
from datacube.ingest.readers.gribsimple import simple_packing
from datacube.store.cube import open_cube
from datacube.store.url import open_store
from tests.unit.ingest.test_grib import PLANE, make, message

PACKINGS = [
    message(level=850, bits=16),
    message(level=700, bits=16, decimals=3),
    message(level=500, bits=8, decimals=-1),
    message(level=400, bits=8, step=6),
    message(level=300, bits=16, leftward=True),
    message(level=250, bits=16, south_up=True, alternate=True),
    message(level=200, bits=16, columns=True),
]


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    return make(tmp_path_factory.mktemp("grib") / "a.grib2", *PACKINGS)


def test_the_numbers_are_those_of_eccodes(packed):
    child = GribChild(packed)
    try:
        with GribDecoder(packed) as decoder:
            found = decoder.index["messages"]
            assert len(found) == len(PACKINGS)
            for one in found:
                place = tuple(one["place"])
                values, known = decoder.plane(place, one["grid"]), child.plane(place)
                assert (values.shape, values.dtype) == (known.shape, known.dtype)
                assert values.tobytes() == known.tobytes()
    finally:
        child.close()


def test_what_is_packed_otherwise_is_left_to_eccodes(tmp_path):
    path = make(
        tmp_path / "a.grib2",
        message(level=850, bits=16),
        message(level=700, bits=24),
        message(level=500, bits=16, missing=True),
        message(level=300, bits=0),
    )
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with GribDecoder(path) as decoder:
            places = [tuple(one["place"]) for one in decoder.index["messages"]]
        found = [simple_packing(descriptor, place) is not None for place in places]
        assert found == [True, False, False, False]
        assert simple_packing(descriptor, (places[0][0], 1)) is None
        assert simple_packing(descriptor, (path.stat().st_size, 0)) is None
    finally:
        os.close(descriptor)


def test_a_file_that_got_shorter_is_damaged(tmp_path):
    path = make(tmp_path / "a.grib2", message(bits=16))
    with GribDecoder(path) as decoder:
        (one,) = decoder.index["messages"]
        os.truncate(path, path.stat().st_size - 20)
        with pytest.raises(SourceError, match="ends within a message"):
            decoder.plane(tuple(one["place"]), one["grid"])


SECTIONS = {3: 37, 5: 143, 7: 170}  # first bytes of a message of one field on latitudes


def with_number(path, section, octet, number, size=4):
    """One whole number of a file of one message is replaced; its place."""
    data = bytearray(path.read_bytes())
    at = SECTIONS[section]
    assert data[at + 4] == section
    data[at + octet - 1 : at + octet - 1 + size] = number.to_bytes(size, "big")
    path.write_bytes(data)
    return 0, 0


def test_a_grid_of_other_numbers_than_the_field_has_is_damaged(tmp_path):
    path = make(tmp_path / "a.grib2", message(bits=16))
    place = with_number(path, 3, 31, 7)
    with GribDecoder(path) as decoder:
        (one,) = decoder.index["messages"]
        with pytest.raises(SourceError, match=r"damaged GRIB .*into shape \(4,7\)"):
            decoder.plane(place, one["grid"])


@pytest.mark.parametrize(
    ("octet", "number", "size"),
    [(12, 0x7FC00000, 4), (12, 0x7F800000, 4), (16, 2000, 2), (16, 130, 2), (18, 0x8000 | 400, 2)],
)
def test_scales_beyond_the_numbers_that_there_are_are_left_to_eccodes(
    tmp_path, octet, number, size
):
    path = make(tmp_path / "a.grib2", message(bits=16))
    place = with_number(path, 5, octet, number, size)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        assert simple_packing(descriptor, place) is None
    finally:
        os.close(descriptor)


def test_data_longer_than_their_message_is_left_to_eccodes(tmp_path):
    path = make(tmp_path / "a.grib2", message(bits=16))
    count = 1 << 30
    for section, octet, number in ((3, 7, count), (5, 6, count), (7, 1, 2 * count + 5)):
        place = with_number(path, section, octet, number)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        assert simple_packing(descriptor, place) is None
    finally:
        os.close(descriptor)


def test_both_kinds_of_fields_of_a_file_are_in_its_cube(tmp_path: Path):
    path = make(
        tmp_path / "t_20200101.grib2",
        *(message(step=step, bits=bits) for step, bits in [(0, 16), (6, 24)]),
    )
    assert ingest([str(path)], store=str(tmp_path / "store"), cube="t").exit_code == 0
    cube = open_cube(open_store(str(tmp_path / "store")), "t")
    for place, step in enumerate((0, 6)):
        values = cube.chunk("t", 0, (place, 0, 0, 0)).reshape(4, 5)
        np.testing.assert_allclose(values, PLANE + 500 + 1000 * step, atol=1e-3)

"""NetCDF-4 filled into what was written before is the file that the library writes."""

import io

import h5py
import netCDF4
import numpy as np
import pytest

from datacube.formats import netcdf
from datacube.formats.lookup3 import begun, finished, folded, lookup3
from datacube.formats.netcdf_forward import forward
from datacube.formats.netcdf_template import template
from datacube.formats.pieces import cut
from datacube.model.axis import IndexAxis, IrregularAxis
from datacube.model.fields import Category, Field
from tests.unit.formats.coverages import closed_form, days, in_bands, make_coverage, whole

PACKED = Field("sst", "int16", "K", -32768, 0.01, 273.15, "Sea surface", "sea_surface_temperature")
CLASSES = Field("kind", "uint8", categories=(Category(0, "sea"), Category(1, "land ice")))
LEVELS = IrregularAxis("level", np.array([1.0, 4.0]), "m", bounds=np.array([[0, 2], [2, 6.0]]))
COVERAGES = {
    "packed": make_coverage(PACKED, size=(40, 30), invalid=[(2, 3), (29, 39)]),
    "fields of several types": make_coverage(
        PACKED, Field("u", "float32"), Field("d", "float64"), CLASSES, size=(19, 7)
    ),
    "axes": make_coverage(Field("u", "float32"), axes=(days(1, 2, 5), LEVELS), size=(25, 12)),
    "names": make_coverage(PACKED, axes=(IndexAxis("run", 2, labels=("a1", "b")),), size=(9, 5)),
    "a step": make_coverage(PACKED, axes=(days(18262),), size=(16, 9)),
    "half floats": make_coverage(Field("h", "float16"), size=(8, 4)),
    "metres": make_coverage(
        PACKED, crs="EPSG:32632", origin=(500_000, 5_000_000), step=(10, -10), size=(20, 30)
    ),
}


def read(content):
    """Everything that a file says, and its values as they lie."""
    with netCDF4.Dataset("x.nc", memory=content) as file:
        file.set_auto_maskandscale(False)
        yield {name: len(one) for name, one in file.dimensions.items()}, _texts(file)
        for name, variable in file.variables.items():
            yield (
                name,
                variable.dtype,
                variable.dimensions,
                _texts(variable),
                variable[...].tolist(),
            )


def _texts(one):
    return {name: np.asarray(one.getncattr(name)).tolist() for name in one.ncattrs()}


def same(content, expected):
    """Compare what two files hold; NaN is NaN."""
    for found, wanted in zip(read(content), read(expected), strict=True):
        np.testing.assert_equal(found, wanted)


@pytest.mark.parametrize("name", COVERAGES)
def test_the_file_is_the_one_that_the_library_writes(name):
    coverage, options = COVERAGES[name], {"history": "GetCoverage of a part"}
    forward(in_bands(coverage, 3, gaps=False), options)
    made = forward(in_bands(coverage, 3, gaps=False), options)
    content = b"".join(made.pieces)
    assert len(content) == made.length
    same(content, whole(netcdf.encode(coverage, options)))


def test_other_places_and_words_take_the_same_template():
    first = {"crs": "EPSG:4326", "size": (64, 32), "axes": (days(3),)}
    files = [forward(in_bands(make_coverage(PACKED, **first), 8), {"history": "of one"})]
    files.append(forward(in_bands(make_coverage(PACKED, **first), 8), {"history": "of one"}))
    assert files[0] is None  # most files are the only one of their kind
    whole(files[1].pieces)
    known = template.cache_info().misses
    for left, history in ((-120.5, "of another"), (3.141592653589793, "of yet another one")):
        other = make_coverage(PACKED, **first, origin=(left, 70.0), step=(0.1, -0.3))
        content = whole(forward(in_bands(other, 8), {"history": history}).pieces)
        same(content, whole(netcdf.encode(other, {"history": history})))
        with h5py.File(io.BytesIO(content)) as file:  # checks every sum that it meets
            assert file.attrs["history"].decode() == history
            np.testing.assert_array_equal(
                file["lon"][:2], other.description.domain.grid.x_centres()[:2]
            )
            assert file["spatial_ref"].attrs["GeoTransform"].decode().split()[0] == repr(left)
    assert template.cache_info().misses == known


@pytest.mark.parametrize(
    ("coverage", "options", "gaps"),
    [
        (COVERAGES["packed"], {"compression": "deflate"}, False),
        (make_coverage(Field("v", "int16")), {}, True),
        (COVERAGES["packed"], {"history": "Grönland"}, False),
        (make_coverage(PACKED, size=(3, 2)), {}, False),
        (make_coverage(PACKED, size=(20_000, 2)), {}, False),
    ],
    ids=["compressed", "a nil value from the values", "Unicode", "tiny", "long"],
)
def test_what_cannot_be_known_is_left_to_the_library(coverage, options, gaps):
    for _ in range(2):
        assert forward(in_bands(coverage, 2, gaps=gaps), options) is None


def test_values_in_a_bytearray_are_given_as_they_lie():
    memory = bytearray(24)
    values = np.ndarray((3, 4), "int16", memory)
    values[...] = closed_form((3, 4))
    assert next(cut(values)) is memory
    assert b"".join(cut(values[1:])) == closed_form((3, 4))[1:].astype("int16").tobytes()
    assert b"".join(cut(values.T)) == values.T.tobytes()


def test_the_checksum_of_what_comes_first_may_be_kept():
    data = bytes(range(100))
    state = folded(begun(100), data[:48])
    assert finished(state, data[48:]) == lookup3(data)
    assert lookup3(data[:12]) == finished(begun(12), data[:12])

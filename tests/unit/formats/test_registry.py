import pytest

from datacube.errors import InvalidFormat
from datacube.formats.registry import Encoder, builtin, encoders
from datacube.model.domain import DomainSet
from tests.unit.formats.coverages import days, make_coverage


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("image/tiff", "image/tiff"),
        ("IMAGE/TIFF;application=geotiff", "image/tiff"),
        ("GeoTIFF", "image/tiff"),
        ("image/geotiff", "image/tiff"),
        ("application/x-netcdf", "application/netcdf"),
        ("netcdf", "application/netcdf"),
        ("covjson", "application/prs.coverage+json"),
    ],
)
def test_names(name, media_type):
    assert encoders().find(name).media_type == media_type


def test_an_unknown_name_is_refused_with_the_offer():
    with pytest.raises(InvalidFormat, match=r"offered are image/tiff, application/netcdf") as error:
        encoders().find("image/nonsense")
    assert error.value.subject == "format"


def test_native_is_a_picture_in_two_dimensions_and_netcdf_in_more():
    flat = make_coverage().description.domain
    assert encoders().native(flat).extension == "tif"
    assert encoders().native(DomainSet(flat.grid, (days(1),))).extension == "tif"
    assert encoders().native(DomainSet(flat.grid, (days(1, 2),))).extension == "nc"


def test_register_makes_a_new_registry():
    own = Encoder("text/plain", "txt", "text", lambda _coverage, _options: b"!")
    more = builtin().register(own)
    assert more.find("text/plain").encode(make_coverage()) == b"!"
    assert len(more.entries) == len(builtin().entries) + 1


@pytest.mark.parametrize("media_type", builtin().media_types)
def test_every_encoder_writes_the_same_bytes_twice(media_type):
    encoder = builtin().find(media_type)

    def content():
        made = encoder.encode(make_coverage())
        return made if isinstance(made, bytes) else b"".join(made)

    # HDF5 writes the second at which its root group was made
    assert any(content() == content() for _ in range(3))
    assert content()

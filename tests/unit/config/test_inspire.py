"""What a server says of INSPIRE and a cube of its records and levels, read from files."""

import pytest

from datacube.config.load import load_config
from datacube.config.metadata import InspireSettings, MetadataLink, Wording
from datacube.config.settings import LevelPolicy
from datacube.errors import ConfigError

CONTACT = "contact: {organization: Nobody, email: n@example.org}\n"
DAY = "  date: 2026-01-31\n"


def load(folder, text, cube=""):
    path = folder / "server.yaml"
    path.write_text(text, encoding="utf-8")
    (folder / "cubes").mkdir(exist_ok=True)
    (folder / "cubes" / "sst.yaml").write_text(cube, encoding="utf-8")
    return load_config(path, {})


def test_nothing_by_default(tmp_path):
    assert load(tmp_path, "title: A server").server.inspire is None


def test_a_record(tmp_path):
    url = "https://example.org/csw?id=1"
    languages = "  languages: {ger: {title: Daten}, eng: {title: unused}}\n"
    text = f"inspire:\n{DAY}{languages}  metadata_url: {url}\n  metadata_format: text/xml\n"
    assert load(tmp_path, text).server.inspire == InspireSettings(
        languages={"ger": Wording("Daten")},
        metadata_url=url,
        media_type="text/xml",
        date="2026-01-31",
    )


def test_no_record(tmp_path):
    text = f"{CONTACT}inspire:\n{DAY}  language: ger\n  conformity: conformant\n"
    inspire = load(tmp_path, text).server.inspire
    assert inspire == InspireSettings(language="ger", date="2026-01-31", conformity="conformant")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (f"inspire:\n{DAY}", "contact"),
        (f"contact: {{organization: Nobody, email: nobody}}\ninspire:\n{DAY}", "email"),
        (f"{CONTACT}inspire: {{}}\n", "date"),
        (f"{CONTACT}inspire:\n  date: someday\n", "date"),
        (f"{CONTACT}inspire:\n{DAY}  language: english\n", "language"),
        (f"{CONTACT}inspire:\n{DAY}  languages: {{xyz: {{}}}}\n", "xyz"),
        (f"inspire:\n{DAY}  metadata_url: record.xml\n", "metadata_url"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, text, word):
    with pytest.raises(ConfigError) as raised:
        load(tmp_path, text)
    assert word in str(raised.value)


def test_records_and_levels_of_a_cube(tmp_path):
    cube = (
        "metadata:\n  - {url: 'https://example.org/a.xml'}\n"
        "  - {url: 'https://example.org/b', standard: 'FGDC:1998', format: text/html}\n"
        "dimensions: {elevation: {nearest: false, several: true, default: [0, 425], crs: CRS:88}}\n"
    )
    settings = load(tmp_path, "title: A server", cube).cubes["sst"]
    assert settings.metadata == (
        MetadataLink("https://example.org/a.xml"),
        MetadataLink("https://example.org/b", "FGDC:1998", "text/html"),
    )
    assert settings.levels == LevelPolicy(False, True, (0.0, 425.0), "CRS:88")

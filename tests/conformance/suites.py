"""The suites: which scripts, which test, which parameters."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = "DATACUBE_CITE"


@dataclass(frozen=True, slots=True)
class Suite:
    """One executable test suite.

    Parameters
    ----------
    name : str, on the command line and in the table
    title : str
    repository, tag : str, of its sources
    script : str, in ``src/main/scripts/ctl``
    test : str, the one that calls all others
    address : str, of the capabilities below the server's root
    address_key : str, parameter that takes it
    parameters : mapping of str to str, the others
    libraries : tuple of str, Maven coordinates of what its helper classes need
    helpers : bool, whether its Java classes are called by the scripts
    """

    name: str
    title: str
    repository: str
    tag: str
    script: str
    test: str
    address: str
    address_key: str = "capabilities-url"
    parameters: Mapping[str, str] = field(default_factory=dict)
    libraries: tuple[str, ...] = ()
    helpers: bool = False

    @property
    def folder(self) -> Path:
        """Checkout of the suite: a folder of its name below ``DATACUBE_CITE``."""
        return Path(os.environ.get(FOLDER) or "../cite").resolve() / self.repository

    @property
    def source(self) -> Path:
        """The script that is run."""
        return self.folder / "src" / "main" / "scripts" / "ctl" / self.script


SUITES = (
    Suite(
        "wms13",
        "WMS 1.3.0",
        "ets-wms13",
        "1.34",
        "main-auto.xml",
        "main:main-auto",
        "/wms?service=WMS&request=GetCapabilities",
        parameters={
            "updatesequence": "auto",
            "high-updatesequence": "",
            "low-updatesequence": "",
            "basic": "no",
            "queryable": "no",
            "raster_elevation": "no",
            "vector_elevation": "no",
            "time": "no",
            "recommended": "recommended",
        },
    ),
    Suite(
        "wmts10",
        "WMTS 1.0.0",
        "ets-wmts10",
        "1.11",
        "wmts-auto.xml",
        "wmts:main",
        "/wmts?service=WMTS&request=GetCapabilities",
        parameters={
            "fail-early": "off",
            "include-CommonOperations-tests": "on",
            "include-GetCapabilities-tests": "on",
            "include-GetTile-tests": "on",
            "include-GetFeatureInfo-tests": "on",
            "include-kvp-get-encoding": "on",
            "include-restful-encoding": "off",
        },
    ),
    Suite(
        "wcs20",
        "WCS 2.0.1",
        "ets-wcs20",
        "1.22",
        "wcs2suite-auto.xml",
        "wcs2:main",
        "/wcs?service=WCS&request=GetCapabilities&acceptversions=2.0.1",
        address_key="url",
        parameters={
            "core": "core",
            "ext_post": "",
            "ext_proc": "",
            "ext_scal": "scaling",
            "ext_int": "interpolation",
            "ext_rsub": "range subsetting",
            "ext_crs": "crs",
            "profile_eowcs": "",
        },
        libraries=("org.locationtech.jts:jts-core:1.19.0", "org.locationtech.proj4j:proj4j:1.3.0"),
        helpers=True,
    ),
)

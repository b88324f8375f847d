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
    script : str, in ``src/main/scripts/ctl``; empty for all of them
    test : str, the one that calls all others
    address : str, of the capabilities below the server's root
    address_key : str, parameter that takes it
    parameters : mapping of str to str, the others
    libraries : tuple of str, Maven coordinates of what its helper classes need
    store : str, of those that :func:`~tests.conformance.site.make_stores` writes
    config : str, file of the server's configuration beside this one
    helpers : tuple of str, folders and files below ``DATACUBE_CITE`` whose Java the scripts call
    module : str, what is run as the server
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
    store: str = "maps"
    config: str = "server.yaml"
    helpers: tuple[str, ...] = ()
    module: str = "services"

    @property
    def folder(self) -> Path:
        """Checkout of the suite: a folder of its name below ``DATACUBE_CITE``."""
        return checkouts() / self.repository

    @property
    def source(self) -> Path:
        """The script that is run."""
        return self.folder / "src" / "main" / "scripts" / "ctl" / self.script


def checkouts() -> Path:
    """The folder that holds the checkouts."""
    return Path(os.environ.get(FOLDER) or "../cite").resolve()


_PROFILES = ("basic", "queryable", "time", "raster_elevation", "vector_elevation")
_WMS13 = {
    "updatesequence": "auto",
    "high-updatesequence": "",
    "low-updatesequence": "",
    **dict.fromkeys((*_PROFILES, "recommended"), "no"),
}

_WMS11 = {
    "updatesequence": "auto",
    "low-updatesequence": "",
    "high-updatesequence": "",
    "recommended": "true",
    "getfeatureinfo": "true",
    "feesconstraints": "true",
    "bboxconstraints": "strict",
}
_WMS11_HELPERS = (
    "cite1-utils/src/main/java/org/opengis/cite",
    "cite1-utils/src/main/java/org/opengroup/ts/handlers/extensions/ogc",
    "cite1-utils/src/main/java/com/occamlab/ctlfns/JaxenFunction.java",
    "cite1-utils/src/main/java/com/occamlab/te/parsers/CustomTransformer.java",
    "cite1-utils/src/main/java/com/occamlab/te/parsers/HeadersParser.java",
)
_JAXEN = ("jaxen:jaxen:1.0-FCS", "saxpath:saxpath:1.0-FCS")
_EARLIER, _LATER = "1000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"
"""Values of updateSequence below and above every one of the server's."""

_WCS20 = dict.fromkeys(
    ("core", "ext_post", "ext_proc", "ext_scal", "ext_int", "ext_rsub", "ext_crs", "profile_eowcs"),
    "",
)
_WCS20_LIBRARIES = (
    "org.locationtech.jts:jts-core:1.19.0",
    "org.locationtech.proj4j:proj4j:1.3.0",
)

SUITES = (
    Suite(
        "wms13",
        "WMS 1.3.0",
        "ets-wms13",
        "1.34",
        "main-auto.xml",
        "main:main-auto",
        "/wms?service=WMS&request=GetCapabilities",
        parameters={**_WMS13, "recommended": "recommended"},
    ),
    Suite(
        "wms13-profiles",
        "WMS 1.3.0, all profiles",
        "ets-wms13",
        "1.34",
        "main-auto.xml",
        "main:main-auto",
        "/wms?service=WMS&request=GetCapabilities",
        parameters={**_WMS13, **{name: name for name in _PROFILES}},
        store="profiles",
        config="profiles.yaml",
    ),
    Suite(
        "wms11",
        "WMS 1.1.1",
        "ets-wms11",
        "1.23",
        "main-auto.xml",
        "wms:main_wms_auto",
        "/wms?service=WMS&version=1.1.1&request=GetCapabilities",
        parameters={**_WMS11, "profile": "no"},
        libraries=_JAXEN,
        helpers=_WMS11_HELPERS,
    ),
    Suite(
        "wms11-profiles",
        "WMS 1.1.1, basic and queryable",
        "ets-wms11",
        "1.23",
        "main-auto.xml",
        "wms:main_wms_auto",
        "/wms?service=WMS&version=1.1.1&request=GetCapabilities",
        parameters={**_WMS11, "profile": "queryable"},
        store="profiles",
        config="profiles.yaml",
        libraries=_JAXEN,
        helpers=_WMS11_HELPERS,
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
        libraries=("com.twelvemonkeys.imageio:imageio-webp:3.12.0",),
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
            **_WCS20,
            "core": "core",
            "ext_post": "post",
            "ext_scal": "scaling",
            "ext_int": "interpolation",
            "ext_rsub": "range subsetting",
            "ext_crs": "crs",
        },
        libraries=_WCS20_LIBRARIES,
        store="coverages",
        helpers=("ets-wcs20/src/main/java",),
    ),
    Suite(
        "wcs20-eo",
        "WCS 2.0.1, Earth observation",
        "ets-wcs20",
        "1.22",
        "wcs2suite-auto.xml",
        "wcs2:main",
        "/wcs?service=WCS&request=GetCapabilities&acceptversions=2.0.1",
        address_key="url",
        parameters={**_WCS20, "profile_eowcs": "eowcs"},
        libraries=_WCS20_LIBRARIES,
        store="granules",
        helpers=("ets-wcs20/src/main/java",),
    ),
    Suite(
        "wcs11",
        "WCS 1.1.1",
        "ets-wcs11",
        "1.18",
        "wcs-auto.xml",
        "wcs:Main-auto",
        "/wcs?service=WCS&request=GetCapabilities&AcceptVersions=1.1.1",
        address_key="url",
        parameters={"MaximalValue": _LATER, "MinimalValue": _EARLIER, "BogusValue": "bogus"},
        store="series",
    ),
    Suite(
        "wcs10",
        "WCS 1.0.0",
        "ets-wcs10",
        "1.20",
        "",
        "wcs1-0-0:main-all",
        "/wcs?service=WCS&version=1.0.0&request=GetCapabilities",
        address_key="VAR_WCS_CAPABILITIES_URL",
        parameters={
            "VAR_WCS_FORMAT_1_HEADER": "image/tiff",
            "VAR_HIGH_UPDATESEQUENCE": _LATER,
            "VAR_LOW_UPDATESEQUENCE": _EARLIER,
            "VAR_WCS_COVERAGE_1_RESX": "5",
            "VAR_WCS_COVERAGE_1_RESY": "5",
            "xml": "xml",
            "haveparameter": "haveparameter",
            "VAR_MULTIFILE_FORMATS": "",
        },
        store="series",
        config="wcs10.yaml",
        libraries=_JAXEN,
        helpers=(
            "cite1-utils/src/main/java/org/opengis/cite/functions",
            "cite1-utils/src/main/java/com/occamlab/ctlfns/JaxenFunction.java",
            "cite1-utils/src/main/java/com/occamlab/te/parsers/HeadersParser.java",
        ),
    ),
)

"""From an error to the report of each protocol; the tables are in :mod:`services.ows.codes`.

WMS reports go out with status 200 and the exact type ``text/xml`` (QGIS hides the text of others);
413 and 503 keep their status. No report may be cached.
"""

import json

from datacube.errors import DatacubeError, StorageError, TooManyJobs
from services.ows import codes
from services.ows.caching import NO_STORE
from services.ows.codes import Code, Table, code_of
from services.ows.transport import Response
from services.ows.xml import OGC, OWS11, OWS20, XSI, Maker, serialise

_SCHEMAS = "http://schemas.opengis.net"
_KEPT = frozenset({401, 403, 413, 429, 503})
_PLAIN = Maker("", {})
_WMS111_DOCTYPE = (
    f'<!DOCTYPE ServiceExceptionReport SYSTEM "{_SCHEMAS}/wms/1.1.1/WMS_exception_1_1_1.dtd">'
)
WMS111_EXCEPTION = "application/vnd.ogc.se_xml"
_OGC = Maker(OGC, {None: OGC, "xsi": XSI})
_OWS = {
    OWS11: Maker(OWS11, {"ows": OWS11, "xsi": XSI}),
    OWS20: Maker(OWS20, {"ows": OWS20, "xsi": XSI}),
}


def wms130_report(error: DatacubeError, *, strict: bool = False) -> Response:
    """ServiceExceptionReport of WMS 1.3.0.

    Parameters
    ----------
    strict : bool
        Send 4xx and 5xx where the code has one, instead of 200.
    """
    code = code_of(error, codes.WMS130)
    status = code.status if strict or code.status in _KEPT else 200
    body = service_exceptions(
        "1.3.0", f"{_SCHEMAS}/wms/1.3.0/exceptions_1_3_0.xsd", error.message, code.code
    )
    return Response(status, "text/xml", body, _headers(error))


def wms111_report(error: DatacubeError, *, strict: bool = False) -> Response:
    """ServiceExceptionReport of WMS 1.1.1, which has a DTD and no namespace."""
    code = code_of(error, codes.WMS111)
    status = code.status if strict or code.status in _KEPT else 200
    root = _PLAIN(
        "ServiceExceptionReport",
        _PLAIN("ServiceException", error.message, code=code.code or None),
        version="1.1.1",
    )
    body = serialise(root, doctype=_WMS111_DOCTYPE)
    return Response(status, WMS111_EXCEPTION, body, _headers(error))


def json_report(error: DatacubeError, version: str, report: Response) -> Response:
    """The same refusal as a report of WMS, in JSON as several servers write it.

    Parameters
    ----------
    report : Response, whose status and headers it has
    """
    code = code_of(error, codes.WMS130).code or "NoApplicableCode"
    found = {"code": code, "locator": error.subject or "noLocator", "text": error.message}
    body = json.dumps({"version": version, "exceptions": [found]}, ensure_ascii=False)
    return Response(
        report.status, "application/json", body.encode("utf-8", "replace"), report.headers
    )


def wcs100_report(error: DatacubeError, *, strict: bool = False) -> Response:
    """ServiceExceptionReport of WCS 1.0.0."""
    code = code_of(error, codes.WCS100)
    status = code.status if strict or code.status in _KEPT else 200
    body = service_exceptions(
        "1.2.0", f"{_SCHEMAS}/wcs/1.0.0/OGC-exception.xsd", error.message, code.code
    )
    return Response(status, WMS111_EXCEPTION, body, _headers(error))


def ows11_report(
    error: DatacubeError, version: str = "1.1.0", *, table: Table = codes.WCS11
) -> Response:
    """ExceptionReport of OWS Common 1.1: WMTS 1.0.0, WCS 1.1."""
    return _ows_response(OWS11, version, error, code_of(error, table))


def wmts100_report(error: DatacubeError) -> Response:
    """ExceptionReport of WMTS 1.0.0."""
    return ows11_report(error, "1.1.0", table=codes.WMTS100)


def ows20_report(error: DatacubeError, *, table: Table = codes.WCS201) -> Response:
    """ExceptionReport of OWS Common 2.0: WCS 2.0.1."""
    return _ows_response(OWS20, "2.0.0", error, code_of(error, table))


def problem_json(error: DatacubeError) -> Response:
    """Problem details (RFC 9457) of the OGC APIs."""
    code = code_of(error, codes.OGCAPI)
    problem = {
        "type": code.uri,
        "title": code.code,
        "status": code.status,
        "detail": error.message,
        "code": code.code,
        "description": error.message,
    }
    body = json.dumps(problem, ensure_ascii=False).encode("utf-8", "replace")
    return Response(code.status, "application/problem+json", body, _headers(error))


def internal_error(error_id: str) -> DatacubeError:
    """What a client learns of an unexpected exception: that it is in the log under a name."""
    return DatacubeError(
        f"the server failed unexpectedly; its log has the details under {error_id}"
    )


def service_exceptions(version: str, schema: str, text: str, code: str) -> bytes:
    """ServiceExceptionReport document."""
    return serialise(
        _OGC(
            "ServiceExceptionReport",
            _OGC("ServiceException", text, code=code or None),
            version=version,
            xsi_schemaLocation=f"{OGC} {schema}",
        )
    )


def exception_report(
    namespace: str, version: str, text: str, code: str, locator: str | None
) -> bytes:
    """ExceptionReport document of OWS Common 1.1 or 2.0."""
    ows = _OWS[namespace]
    schema = namespace.removeprefix("http://www.opengis.net/ows/")
    folder = "1.1.0" if schema == "1.1" else schema
    return serialise(
        ows(
            "ExceptionReport",
            ows(
                "Exception",
                ows("ExceptionText", text),
                exceptionCode=code,
                locator=locator,
            ),
            version=version,
            xml_lang="en",
            xsi_schemaLocation=f"{namespace} {_SCHEMAS}/ows/{folder}/owsExceptionReport.xsd",
        )
    )


def _ows_response(namespace: str, version: str, error: DatacubeError, code: Code) -> Response:
    body = exception_report(namespace, version, error.message, code.code, code.locator_of(error))
    return Response(code.status, "application/xml", body, _headers(error))


def _headers(error: DatacubeError) -> tuple[tuple[str, str], ...]:
    if isinstance(error, StorageError):
        return (NO_STORE, ("Retry-After", "5"))
    if isinstance(error, TooManyJobs):
        return (NO_STORE, ("Retry-After", "60"))
    return (NO_STORE,)

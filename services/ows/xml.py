"""XML documents: element builders with fixed prefixes, and serialising.

Prefixes are part of the interface for some clients: QGIS, GDAL and ArcGIS match raw tag names.
"""

import re
from collections.abc import Mapping

from lxml import etree

from datacube.model.markup import Element

XLINK = "http://www.w3.org/1999/xlink"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
OGC = "http://www.opengis.net/ogc"
OWS10 = "http://www.opengis.net/ows"
OWS11 = "http://www.opengis.net/ows/1.1"
OWS20 = "http://www.opengis.net/ows/2.0"
XML = "http://www.w3.org/XML/1998/namespace"

__all__ = [
    "OGC",
    "OWS10",
    "OWS11",
    "OWS20",
    "XLINK",
    "XML",
    "XSI",
    "Child",
    "Element",
    "Maker",
    "add",
    "clean",
    "serialise",
]

type Child = Element | str | int | float | None

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Maker:
    r"""Makes elements of one namespace: ``WMS("Layer", WMS("Name", "sst"), queryable="1")``.

    Parameters
    ----------
    namespace : str
        Empty for elements without one.
    prefixes : mapping of prefix (None is the default namespace) to namespace
        Declared on the elements made; lxml drops what an ancestor declares already.

    Examples
    --------
    >>> ows = Maker(OWS11, {"ows": OWS11})
    >>> serialise(ows("Title", "Sea & sky"), declaration=False)
    b'<ows:Title xmlns:ows="http://www.opengis.net/ows/1.1">Sea &amp; sky</ows:Title>\n'
    """

    def __init__(self, namespace: str, prefixes: Mapping[str | None, str]) -> None:
        self.namespace = namespace
        self.prefixes = dict(prefixes)

    def name(self, local: str) -> str:
        """Name in Clark notation."""
        return f"{{{self.namespace}}}{local}" if self.namespace else local

    def __call__(self, local: str, *children: Child, **attributes: object) -> Element:
        """Element with children (elements, text, numbers; None is nothing) and attributes.

        An attribute that is None is left out; ``xlink_href`` is ``xlink:href``, ``xsi_…`` alike.
        """
        element = etree.Element(self.name(local), nsmap=self.prefixes)
        for key, value in attributes.items():
            if value is not None:
                element.set(_attribute(key), clean(str(value)))
        for child in children:
            add(element, child)
        return element


def add(element: Element, child: Child) -> None:
    """Append an element or text; nothing for None."""
    match child:
        case None:
            return
        case str() | int() | float():
            text = clean(child if isinstance(child, str) else repr(child))
            if len(element):
                element[-1].tail = (element[-1].tail or "") + text
            else:
                element.text = (element.text or "") + text
        case _:
            element.append(child)


def clean(text: str) -> str:
    """Text without the characters that XML 1.0 cannot hold (each becomes U+FFFD)."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def serialise(root: Element, *, declaration: bool = True, doctype: str | None = None) -> bytes:
    """The document in UTF-8, indented.

    Parameters
    ----------
    doctype : str, optional, ``<!DOCTYPE … >``
    """
    etree.cleanup_namespaces(root, keep_ns_prefixes=["xlink", "xsi", "wms"])
    return etree.tostring(
        root, encoding="UTF-8", xml_declaration=declaration, pretty_print=True, doctype=doctype
    )


def _attribute(key: str) -> str:
    prefix, _, local = key.partition("_")
    match prefix:
        case "xlink":
            return f"{{{XLINK}}}{local}"
        case "xsi":
            return f"{{{XSI}}}{local}"
        case "xml":
            return f"{{{XML}}}{local}"
        case _:
            return key

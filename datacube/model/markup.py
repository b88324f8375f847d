"""XML from outside, read without a DTD, entities or network."""

import re

from lxml import etree

from datacube.errors import InvalidParameter

type Element = etree._Element  # noqa: SLF001  lxml has no public name for it

LARGEST_DOCUMENT = 1_000_000  # bytes
_PLACE = re.compile(r", line \d+, column \d+")


class Misplaced(InvalidParameter):
    """What is wrong with a document, and the line that it stands on.

    Parameters
    ----------
    words : str
    line : int, from 1; 0 where it is not known
    subject : str, optional
    """

    def __init__(self, words: str, line: int, *, subject: str | None = None) -> None:
        super().__init__(f"line {line}: {words}" if line else words, subject=subject)
        self.words = words
        self.line = line


def parse(document: bytes) -> Element:
    """Root of a document from outside: no DTD, no entities, no network, at most 1 MB.

    Raises
    ------
    InvalidParameter
        It is no well-formed XML, has a DOCTYPE, or is too large.
    """
    if len(document) > LARGEST_DOCUMENT:
        raise InvalidParameter(
            f"the document has {len(document)} bytes; at most {LARGEST_DOCUMENT} are read"
        )
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError as error:
        what = _PLACE.sub("", error.msg or "")
        words = f"the document is not well-formed XML: {what}"
        raise Misplaced(words, error.lineno or 0) from error
    if root.getroottree().docinfo.doctype:
        raise InvalidParameter("the document has a DOCTYPE, which is not accepted")
    return root


def local_name(element: Element) -> str:
    """An element's name without its namespace.

    Examples
    --------
    >>> local_name(parse(b'<a:one xmlns:a="urn:a"/>'))
    'one'
    """
    return etree.QName(element).localname

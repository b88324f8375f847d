"""Requests in XML: read as the parameters that say the same, so that both bindings are one.

Elements are known by their local names, for the versions and extensions use many namespaces. An
element of an extension that is not known is a parameter of its own name.
"""

from collections.abc import Iterator

from datacube.errors import InvalidParameter
from datacube.model.markup import local_name, parse
from services.ows.transport import Request
from services.ows.xml import Element

type Pairs = Iterator[tuple[str, str]]


def is_xml(request: Request) -> bool:
    """Whether the body of a request is a document, whatever it is called."""
    return request.method == "POST" and request.body.lstrip()[:1] in {b"<", b"\xef"}


def document_of(request: Request) -> Element:
    """The root of the body; raises what :func:`~datacube.model.markup.parse` raises."""
    return parse(request.body.strip())


def words(element: Element | None) -> str:
    """Text of an element without blanks around it; empty where there is no element."""
    return "" if element is None else (element.text or "").strip()


def child(element: Element, *path: str) -> Element | None:
    """The first child of a name, and the first child of that."""
    found: Element | None = element
    for name in path:
        if found is None:
            return None
        found = next(children(found, name), None)
    return found


def children(element: Element, name: str) -> Iterator[Element]:
    """The children of a name, in order."""
    return (one for one in element if local_name(one) == name)


def attributes(root: Element, *names: str) -> Pairs:
    """Attributes of a root as parameters."""
    for name in names:
        if (value := root.get(name)) is not None:
            yield name, value


def listed(root: Element, path: tuple[str, str], name: str) -> Pairs:
    """A list such as ``Sections/Section`` as one parameter with commas."""
    outer = child(root, path[0])
    if outer is not None:
        yield name, ",".join(words(one) for one in children(outer, path[1]))


def capabilities_pairs(root: Element) -> Pairs:
    """GetCapabilities of OWS Common."""
    yield from attributes(root, "updateSequence")
    yield from listed(root, ("AcceptVersions", "Version"), "AcceptVersions")
    yield from listed(root, ("Sections", "Section"), "Sections")
    yield from listed(root, ("AcceptFormats", "OutputFormat"), "AcceptFormats")


def time_of(element: Element, names: tuple[str, str, str]) -> str:
    """A time position as it is; a period as ``begin/end`` or ``begin/end/resolution``.

    Parameters
    ----------
    element : Element
    names : of a period's begin, end and resolution
    """
    if local_name(element) == "timePosition":
        return words(element)
    begin, end, step = (words(child(element, name)) for name in names)
    return f"{begin}/{end}/{step}" if step else f"{begin}/{end}"


def unknown(root: Element) -> InvalidParameter:
    """The refusal of a document that is no request."""
    return InvalidParameter(
        f"the document is a {local_name(root)[:100]}; it can be GetCapabilities, DescribeCoverage "
        "or GetCoverage",
        subject="request",
    )

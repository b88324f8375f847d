"""Documents of SLD that styles of the configuration point to."""

from pathlib import Path

from datacube.config.document import Document, KeyPath
from datacube.config.styles import SldModel
from datacube.errors import DatacubeError
from datacube.model.markup import LARGEST_DOCUMENT, Misplaced
from datacube.model.symbolizer import RasterSymbolizer
from datacube.render.sld import read_sld


def read_symbolizer(
    document: Document, place: KeyPath, model: SldModel, root: Path, findings: list[str]
) -> RasterSymbolizer | None:
    """The description that a style points to; None where there are findings.

    Parameters
    ----------
    document : Document, the file that the style stands in
    place : where in it
    model : SldModel
    root : Path, the folder of the configuration, which the document lies in
    findings : list of str, ``file:line: what is wrong`` is added to it
    """
    at = (*place, "file")
    path = (document.path.parent / model.file).resolve()
    if not path.is_relative_to(root.resolve()):
        text = f"'{model.file[:100]}' lies outside the configuration's folder {root}"
        findings.append(document.finding(at, text))
        return None
    try:
        with path.open("rb") as file:
            body = file.read(LARGEST_DOCUMENT + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        text = f"the document '{model.file[:100]}' cannot be read: {reason}"
        findings.append(document.finding(at, text))
        return None
    shown = document.path.parent / model.file
    try:
        layers = read_sld(body, model.style)
    except Misplaced as error:
        findings.append(f"{shown}:{error.line or 1}: {error.words}")
        return None
    except DatacubeError as error:
        findings.append(f"{shown}:1: {error.message}")
        return None
    symbolizer = next((one.symbolizer for one in layers if one.symbolizer is not None), None)
    if symbolizer is None:
        findings.append(f"{shown}:1: the document describes no style; it only names some")
    return symbolizer

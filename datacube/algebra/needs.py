"""What a tree reads."""

from datacube.algebra.nodes import FieldRef, Node, walk


def needs(tree: Node) -> frozenset[str]:
    """Names of the fields of the asked cube that a tree reads, as they are written.

    Examples
    --------
    >>> from datacube.algebra.text import parse
    >>> sorted(needs(parse("(B08 - B04) / (B08 + B04) * dem.height")))
    ['B04', 'B08']
    """
    return frozenset(one.name for one in references(tree) if one.cube is None)


def references(tree: Node) -> frozenset[FieldRef]:
    """All fields that a tree reads, those of other cubes too.

    Examples
    --------
    >>> from datacube.algebra.text import parse
    >>> references(parse("dem.height + 1"))
    frozenset({FieldRef(name='height', cube='dem')})
    """
    return frozenset(node for node, _ in walk(tree) if isinstance(node, FieldRef))

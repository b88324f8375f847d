"""One Zarr group that others wrote -> its cubes, or the reasons why there is none."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from numpy.typing import NDArray

from datacube.errors import CoverageNotFound, DatacubeError, StorageError
from datacube.model.coverage import CoverageDescription
from datacube.model.domain import DomainSet
from datacube.model.fields import RangeType
from datacube.model.naming import part_ids
from datacube.store.cache import ChunkCache
from datacube.store.foreign_arrays import ArrayMeta, parse_array
from datacube.store.foreign_cube import ForeignCube, Lying
from datacube.store.foreign_fields import MALFORMED, ncname, words_of
from datacube.store.foreign_levels import levels_of, pyramids
from datacube.store.foreign_nodes import Documents, Node, read_documents
from datacube.store.foreign_objects import ForeignObjects
from datacube.store.foreign_parts import Part, parts_of
from datacube.store.foreign_reader import ArrayReader
from datacube.store.foreign_scope import Scope, clean
from datacube.store.objects import ObjectStore
from datacube.store.source import CubeSource

_TEXTS = {
    "title": ("title", "name"),
    "abstract": ("summary", "description", "abstract", "comment"),
    "attribution": ("attribution", "credit", "institution"),
    "licence": ("license", "licence"),
}


@dataclass(frozen=True, eq=False)
class ForeignGroup:
    """A Zarr group at one state.

    Parameters
    ----------
    folder : str
    digest : str, of its metadata; ``""`` where the folder holds none
    cubes : tuple of ForeignCube, the main one first
    reasons : tuple of str, what cannot be served and why
    """

    folder: str
    digest: str
    cubes: tuple[ForeignCube, ...] = ()
    reasons: tuple[str, ...] = ()


def open_group(
    store: ObjectStore,
    folder: str,
    cache: ChunkCache,
    known: ForeignGroup | None = None,
    *,
    name: str = "",
) -> ForeignGroup:
    """The cubes of a folder; none, with reasons, where it cannot be served.

    Parameters
    ----------
    store : ObjectStore
    folder : str
        Name of the folder; ``""`` for the store's root.
    cache : ChunkCache
    known : ForeignGroup, optional
        What was found before; given back while the metadata are the same.
    name : str, optional
        Id of the main cube; else made of the folder's name.
    """
    try:
        documents = read_documents(store, folder)
    except MALFORMED as error:
        reason = words_of(error)
        same = known is not None and known.reasons == (reason,)
        return known if same and known is not None else ForeignGroup(folder, "?", (), (reason,))
    digest = "" if documents is None else documents.digest
    if known is not None and known.digest == digest:
        return known
    if documents is None:
        return ForeignGroup(folder, "")
    try:
        return _Opening(store, folder, cache, documents, digest, name).group()
    except MALFORMED as error:
        return ForeignGroup(folder, digest, (), (words_of(error),))


def stem_of(folder: str) -> str:
    """A folder's name without its ending.

    Examples
    --------
    >>> stem_of("era5.v2.zarr"), stem_of("sst")
    ('era5.v2', 'sst')
    """
    for ending in (".zarr3", ".zarr2", ".zarr"):
        if folder.lower().endswith(ending) and len(folder) > len(ending):
            return folder[: -len(ending)]
    return folder


@dataclass(frozen=True, eq=False)
class _Opening:
    """One folder while it is being understood."""

    store: ObjectStore
    folder: str
    cache: ChunkCache
    documents: Documents
    digest: str
    name: str

    @property
    def root(self) -> str:
        return f"{self.folder}/" if self.folder else ""

    @property
    def home(self) -> str:
        return f"{self.store.url}|{self.folder}|{self.digest}"

    @property
    def state(self) -> str:
        """Names what is held, as the keys of the cache do: of a repository one snapshot alone."""
        return sha256(self.home.encode("utf-8", "surrogatepass")).hexdigest()[:12]

    def group(self) -> ForeignGroup:
        if self._ours():
            return ForeignGroup(self.folder, self.digest)
        nodes = self.documents.nodes()
        metas, reasons = _parse(nodes)
        parts: dict[str, list[Part]] = {}
        for scope in self._scopes(nodes, metas):
            parts[scope.path], why = parts_of(scope)
            reasons += why
        coarser = {
            stack.paths[0]: [parts.get(path, []) for path in stack.paths[1:]]
            for stack in pyramids(nodes).values()
        }
        hidden = {path for stack in pyramids(nodes).values() for path in stack.paths[1:]}
        shown = [part for path, some in parts.items() if path not in hidden for part in some]
        objects = ForeignObjects(self.store, self.root, self.documents.files, nodes, metas)
        cubes = tuple(self._cubes(sorted(shown, key=lambda one: one.rank), coarser, objects))
        if not cubes and not reasons and any(len(one.shape) > 1 for one in metas.values()):
            reasons.append("it holds no array of numbers on a plane")
        return ForeignGroup(self.folder, self.digest, cubes, tuple(reasons))

    def _ours(self) -> bool:
        """Whether it is a cube of ours that is just being made."""
        try:
            return "manifest" in self.store.list_prefixes(self.root)
        except StorageError:
            return False

    def _scopes(self, nodes: Mapping[str, Node], metas: Mapping[str, ArrayMeta]) -> Iterator[Scope]:
        for path, node in nodes.items():
            if node.is_array:
                continue
            above = [""] if path else []
            steps = path.split("/") if path else []
            above += ["/".join(steps[:count]) for count in range(1, len(steps))]
            visible: dict[str, ArrayMeta] = {}
            for one in (*above, path):
                visible |= _in(one, metas)
            attributes = tuple(
                nodes[one].attributes for one in (path, *above[::-1]) if one in nodes
            )
            yield Scope(path, _in(path, metas), visible, attributes, self._whole)

    def _whole(self, meta: ArrayMeta) -> NDArray[Any]:
        return self._reader(meta).whole()

    def _reader(self, meta: ArrayMeta) -> ArrayReader:
        return ArrayReader(self.store, self.root, meta, self.home, self.cache)

    def _cubes(
        self,
        parts: Sequence[Part],
        coarser: Mapping[str, Sequence[Sequence[Part]]],
        objects: ForeignObjects,
    ) -> Iterator[ForeignCube]:
        if not parts:
            return
        nodes = objects.nodes
        own_name = stem_of(self.folder or self.store.url.rstrip("/").rpartition("/")[2])
        base = ncname(self.name or own_name)
        ids = part_ids(base, [part.suffix(parts[0]) for part in parts])
        root = nodes[""].attributes if "" in nodes else {}
        for part, cube_id in zip(parts, ids, strict=True):
            levels, fields = levels_of(part, coarser.get(part.group, ()))
            own = nodes[part.group].attributes if part.group in nodes else {}
            texts = {key: _text(names, (own, root)) for key, names in _TEXTS.items()}
            description = CoverageDescription(
                cube_id,
                texts["title"] or cube_id,
                texts["abstract"],
                DomainSet(part.grid, part.axes),
                RangeType(tuple(one.field for one in part.fields)),
                levels,
                f"{cube_id}@{self.state}",
                texts["attribution"],
                texts["licence"],
            )
            lying = [
                [Lying(one, self._reader(one.meta), part.order) for one in level]
                for level in fields
            ]
            yield ForeignCube(
                description,
                lying,
                objects,
                self.cache,
                self.home,
                remote=not self.store.is_local,
                newest=self._newest,
            )

    def _newest(self, cube: ForeignCube) -> CubeSource:
        documents = read_documents(self.store, self.folder)
        if documents is not None and documents.digest == self.digest:
            return cube
        for one in open_group(self.store, self.folder, self.cache, name=self.name).cubes:
            if one.id == cube.id:
                return one
        raise CoverageNotFound(f"there is no cube '{cube.id}' any more", subject=cube.id)


def _parse(nodes: Mapping[str, Node]) -> tuple[dict[str, ArrayMeta], list[str]]:
    metas: dict[str, ArrayMeta] = {}
    reasons = []
    for path, node in nodes.items():
        if not node.is_array:
            continue
        try:
            metas[path] = parse_array(node)
        except DatacubeError as error:
            shape = node.document.get("shape")
            if not isinstance(shape, list) or len(shape) > 1:
                reasons.append(f"{path}: {words_of(error)}")
    return metas, reasons


def _in(group: str, metas: Mapping[str, ArrayMeta]) -> dict[str, ArrayMeta]:
    prefix = f"{group}/" if group else ""
    return {
        meta.name: meta
        for path, meta in metas.items()
        if path.startswith(prefix) and "/" not in path[len(prefix) :]
    }


def _text(names: Sequence[str], sources: Sequence[Mapping[str, Any]]) -> str:
    for attributes in sources:
        for name in names:
            said = attributes.get(name)
            if isinstance(said, str) and said.strip():
                return clean(said).strip()
    return ""

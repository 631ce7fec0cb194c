"""The remote nodes: Orthanc's modalities, with what a search needs to know of each.

They come from Orthanc's configuration, or were added here. When Orthanc ends, it forgets what was
added through its routes (unless "DicomModalitiesInDatabase" is set), so what was added here is kept
in the store and given to Orthanc at each start.
"""

from collections.abc import Callable
from typing import Annotated, Any, Protocol

from ..records.given import END, UNSET, Given, Meta, UnsetType
from ..store import Store, settings
from .node import Node, Orthanc, Quick

Known = dict[str, dict[str, Any]]  # Orthanc's modalities by name, with AET, Host and Port
_KIND = "node"
# A node's address; without one, the node is in Orthanc's configuration.
_ADDRESS = ("aet", "host", "port")
DEFAULTS: dict[str, Any] = {
    "title": "",
    "calling_aet": "",
    "destination": "",
    "modality_too": False,
    "seconds": 60,
}
NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
# PS3.5 6.2: AE has 16 characters of the default repertoire, no backslash, no control characters;
# leading and trailing spaces are insignificant.
_AE_TITLE = r"[!-\[\]-~]([ -\[\]-~]{0,14}[!-\[\]-~])?"
_TITLE_WORDS = {"words": "an AE title: 1 to 16 ASCII characters without a backslash"}
_Title = Annotated[str, Meta(pattern=f"^{_AE_TITLE}{END}", extra=_TITLE_WORDS)]
_TitleOrNone = Annotated[str, Meta(pattern=f"^({_AE_TITLE})?{END}", extra=_TITLE_WORDS)]
_Host = Annotated[
    str,
    Meta(
        pattern=rf"^[A-Za-z0-9:]([A-Za-z0-9.:-]{{0,251}}[A-Za-z0-9])?{END}",
        extra={"words": "a host name or IP address"},
    ),
]
_Name = Annotated[
    str,
    Meta(
        pattern=rf"^[^\x00-\x1f\x7f-\x9f]{{0,64}}{END}",
        extra={"words": "a line of up to 64 characters"},
    ),
]


class NodeFields(Given):
    """Fields of a node; those that are left out stay unchanged."""

    aet: Annotated[_Title | UnsetType, Meta(description="AE title of the node.")] = UNSET
    host: Annotated[_Host | UnsetType, Meta(description="Host name or IP address of the node.")] = (
        UNSET
    )
    # Orthanc does not accept port 65535.
    port: Annotated[
        Annotated[int, Meta(ge=1, le=65534)] | UnsetType, Meta(description="TCP port of the node.")
    ] = UNSET
    title: Annotated[_Name | UnsetType, Meta(description="Name of the node on pages.")] = UNSET
    calling_aet: Annotated[
        _TitleOrNone | UnsetType,
        Meta(
            description="Calling AE title that Orthanc uses with the node; empty for Orthanc's "
            "own AE title."
        ),
    ] = UNSET
    destination: Annotated[
        _TitleOrNone | UnsetType,
        Meta(
            description="AE title to which the node is to send; empty for Orthanc's own AE title."
        ),
    ] = UNSET
    modality_too: Annotated[
        bool | UnsetType, Meta(description="Whether study-level queries include Modality.")
    ] = UNSET
    seconds: Annotated[
        Annotated[int, Meta(ge=1, le=3600)] | UnsetType,
        Meta(description="Timeout for an answer, in seconds."),
    ] = UNSET


class Modalities(Quick, Protocol):
    """The host, as far as the nodes need it."""

    def modalities(self) -> Known: ...
    def put_modality(self, name: str, aet: str, host: str, port: int) -> None: ...
    def delete_modality(self, name: str) -> None: ...


class NoNode(Exception):
    """Raised when Orthanc knows no node with this name."""


class FromConfiguration(Exception):
    """Raised when a node's address is in Orthanc's configuration, and must be changed there."""


class Nodes:
    """The nodes and their changes. May be used from any thread."""

    def __init__(self, store: Store, host: Modalities, orthanc: Orthanc) -> None:
        self._store, self._host, self._orthanc = store, host, orthanc

    def restore(self) -> None:
        """Give Orthanc the nodes that were added here. Called once, when it has started."""
        for name, node in self._kept().items():
            if "aet" in node:
                self._host.put_modality(name, *(node[field] for field in _ADDRESS))

    def listed(self) -> list[dict[str, Any]]:
        """Return all nodes, sorted by name.

        Each has name, aet, host, port, the fields of DEFAULTS, and added: whether it was added
        here.
        """
        kept = self._kept()
        return [
            self._told(name, known, kept) for name, known in sorted(self._host.modalities().items())
        ]

    def one(self, name: str) -> dict[str, Any]:
        """Return the node with this name, as in `listed`. Raises NoNode."""
        known = self._host.modalities()
        if name not in known:
            raise NoNode(name)
        return self._told(name, known[name], self._kept())

    def put(self, name: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Add or change a node; fields that are not given stay as they are.

        Raises FromConfiguration if they give another address to a node of the configuration, and
        KeyError with the field that a new node lacks.
        """
        known, kept = self._host.modalities(), self._kept()
        before = self._told(name, known[name], kept) if name in known else None
        if before and not before["added"]:
            if any(fields.get(field, before[field]) != before[field] for field in _ADDRESS):
                raise FromConfiguration(name)
            row = {field: fields.get(field, before[field]) for field in DEFAULTS}
        else:
            old = before or DEFAULTS
            row = {
                field: fields[field] if field in fields else old[field]
                for field in (*_ADDRESS, *DEFAULTS)
            }
            row |= {field: int(row[field]) for field in ("port", "seconds")}
            self._host.put_modality(name, *(row[field] for field in _ADDRESS))
        settings.put(self._store, "", _KIND, name, row)
        return self.one(name)

    def remove(self, name: str) -> None:
        """Remove a node that was added here. Raises NoNode, FromConfiguration."""
        if not self.one(name)["added"]:
            raise FromConfiguration(name)
        self._host.delete_modality(name)
        settings.remove(self._store, "", _KIND, name)

    def node(self, name: str, doubt: Callable[[str], None] = lambda what: None) -> Node:
        """Return the node for queries. Raises NoNode."""
        told = self.one(name)
        return Node(self._orthanc, self._host, name, told["calling_aet"], told["seconds"], doubt)

    def _kept(self) -> dict[str, Any]:
        with self._store.reading() as connection:
            return settings.listed(connection, "", _KIND)

    def _told(self, name: str, known: dict[str, Any], kept: dict[str, Any]) -> dict[str, Any]:
        own = kept.get(name, {})
        return {
            "name": name,
            "aet": known.get("AET", ""),
            "host": known.get("Host", ""),
            "port": known.get("Port", 0),
            **{field: own.get(field, default) for field, default in DEFAULTS.items()},
            "added": "aet" in own,
        }

"""Finding objects in Orthanc that the store knows by their handles alone."""

from collections.abc import Callable, Iterable

from ..store import ObjectRow
from .orthanc_source import Source

_PAGE = 20_000


class Finder:
    """Finds objects by asking Orthanc for their SOP Instance UID and comparing handles.

    Orthanc has an index of these UIDs. May be called from any thread.
    """

    def __init__(self, source: Source, handle: Callable[[str], str]) -> None:
        self._source, self._handle = source, handle

    def found(self, rows: Iterable[ObjectRow]) -> dict[str, str]:
        """Return Orthanc's identifiers of these objects, by handle.

        rows: must have `handle` and `sop_instance_uid`. Objects that Orthanc does not hold are left
        out.
        """
        out: dict[str, str] = {}
        unnamed = set()
        for row in rows:
            if not row["sop_instance_uid"]:
                unnamed.add(row["handle"])
                continue
            for identifier in self._source.instances_of(row["sop_instance_uid"]):
                if self._handle(identifier) == row["handle"]:
                    out[row["handle"]] = identifier
        return out | self._of_all(unnamed) if unnamed else out

    def _of_all(self, handles: set[str]) -> dict[str, str]:
        """Return the same for objects of which not even the UID fitted into the store.

        This goes through everything that Orthanc holds, but is hardly ever necessary.
        """
        out: dict[str, str] = {}
        since = 0
        while True:
            page = self._source.instances(since, _PAGE)
            for identifier in page:
                handle = self._handle(identifier)
                if handle in handles:
                    out[handle] = identifier
            since += len(page)
            if len(page) < _PAGE or len(out) == len(handles):
                return out

"""Finding objects in Orthanc that the store knows by their handles alone."""

from collections.abc import Callable, Iterable

from ..store import ObjectRow
from .surroundings import Source

_PAGE = 20_000


class Finder:
    """Asks Orthanc for the objects of a SOP Instance UID, which it has an index of, and compares
    their handles. May be called from any thread."""

    def __init__(self, source: Source, handle: Callable[[str], str]) -> None:
        self._source, self._handle = source, handle

    def found(self, rows: Iterable[ObjectRow]) -> dict[str, str]:
        """Orthanc's identifiers by the handles of these objects (rows with `handle` and
        `sop_instance_uid`); those that Orthanc does not hold are not in it."""
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
        """The same where not even the UID fitted into the store: what Orthanc holds is gone
        through, which happens next to never."""
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

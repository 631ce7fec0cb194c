"""Deleting objects from Orthanc once their outcome is in the store, in chunks between other work.

That an object is to be deleted is recorded with its outcome, in one transaction; that it was
deleted, in a later one. Being killed between them leaves an object that is to be deleted but is
already gone, which does no harm.
"""

import logging
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from ..dicom import part10
from ..dicom.dataset import Dataset, Unreadable
from ..store import Batch, ObjectRow, Writer, disposal
from ..store.handles import LOST
from ..store.tasks import now
from .finding import Finder
from .surroundings import Options, Source

_LOG = logging.getLogger(__name__)
# Objects per transaction: some milliseconds each.
CHUNK = 100
# Seconds until objects that Orthanc would not delete are tried again.
PAUSE_S = 60.0


@dataclass
class Deleted:
    """The outcome of deleting a chunk, as handles.

    gone: no longer existed; kept: are not to be deleted after all; refused: Orthanc could not
    delete them.
    """

    deleted: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def note(self, connection: Any) -> None:
        """Record the result in the transaction of the connection."""
        disposal.set_in_orthanc(connection, disposal.DELETED, self.deleted + self.gone, now())
        disposal.set_in_orthanc(connection, None, self.kept)


def mark(rows: Iterable[ObjectRow], new: set[str], kinds: frozenset[str]) -> None:
    """Mark new objects that are to be deleted, if they are of these kinds.

    rows: rows whose outcome is decided; new: the handles of the new objects among them.
    """
    for row in rows:
        if row["handle"] in new:
            row["in_orthanc"] = (
                disposal.TO_DELETE if kinds and disposal.kind(row) in kinds else None
            )
            row["deleted_at"] = None


class Deletion:
    """The deletion of objects from Orthanc. Called on the worker's thread only."""

    def __init__(self, source: Source, finder: Finder, options: Callable[[], Options]) -> None:
        self._source = source
        self._finder = finder
        self._options = options
        self._after = ""
        self._refused = 0  # refused in the current pass
        self._next_pass = math.inf
        self._look = True  # there may be something new since the current pass began
        self._passing = False

    def look(self) -> None:
        """Look again, since there may be something new to delete."""
        self._look = True

    def step(self, writer: Writer) -> bool:
        """Delete a chunk of what the rules want deleted. Returns whether there was anything."""
        if not self._passing:
            if not self._look and time.monotonic() < self._next_pass:
                return False
            self._passing, self._look, self._after, self._refused, self._next_pass = (
                True,
                False,
                "",
                0,
                math.inf,
            )
        ids = disposal.waiting(writer.connection, self._after, CHUNK)
        if not ids:
            self._passing = False
            self._next_pass = time.monotonic() + PAUSE_S if self._refused else math.inf
            return False
        result = self.delete(writer, ids, lambda row: disposal.kind(row) is not None)
        writer.commit(Batch(more=result.note))
        self._after = ids[-1]
        self._refused += len(result.refused)
        if result.deleted:
            _LOG.info(
                "%d objects deleted from Orthanc, according to the settings", len(result.deleted)
            )
        return True

    def delete(
        self, writer: Writer, handles: list[str], may: Callable[[ObjectRow], bool]
    ) -> Deleted:
        """Delete these objects from Orthanc, except those for which `may` now returns False.

        The caller must still record the result.
        """
        out = Deleted()
        rows = {row["handle"]: row for row in writer.known_objects(handles, [])}
        held = self._finder.found(rows.values())
        details = self._source.details(list(held.values()))
        read = writer.series_read(
            {
                row["series_handle"]
                for row in rows.values()
                if row["rule"] == disposal.SAME_SERIES and row["series_handle"]
            }
        )
        for handle in handles:
            row, found = rows.get(handle), details.get(held.get(handle, ""))
            if row is None:
                continue
            lost = handle.startswith(LOST)  # nobody can tell which object of Orthanc it is
            of_unread_series = (
                row["rule"] == disposal.SAME_SERIES and row["series_handle"] not in read
            )
            if not may(row) or lost or of_unread_series:
                out.kept.append(handle)
            elif found is None:
                out.gone.append(handle)
            elif _other(row, found) or self._is_physics(found):
                # Another object has taken its place, which is still to be read; or the lists keep
                # it, whoever asks.
                out.kept.append(handle)
            else:
                self._delete(handle, found.instance, out)
        return out

    def _delete(self, handle: str, instance: str, out: Deleted) -> None:
        try:
            self._source.delete(instance)
            out.deleted.append(handle)
        except self._source.Gone:
            out.gone.append(handle)
        except Exception as error:  # noqa: BLE001  the others are deleted, and this one is tried again
            if not self._refused and not out.refused:
                _LOG.error("Orthanc did not delete an object; this will be retried", exc_info=error)
            out.refused.append(handle)

    def _is_physics(self, found: Any) -> bool:
        """Return whether an object belongs to a kept physics study.

        Objects that are ignored for their class are not inspected on arrival; their patient matters
        only here.
        """
        ignoring = self._options().ignoring
        if not ignoring.knows_physics:
            return False
        try:
            return ignoring.is_physics(_beginning(self._source.dicom(found.instance, found.size)))
        except self._source.Gone:
            return False
        except Unreadable:
            return True  # nobody can tell


def _other(row: ObjectRow, found: Any) -> bool:
    """Return whether Orthanc now has another object than the one that was read."""
    return row["size"] is not None and (row["received_at"], row["size"]) != (
        found.received_at,
        found.size,
    )


def _beginning(raw: bytes) -> Dataset:
    try:
        return part10.beginning(raw)
    except part10.OtherTransferSyntax:
        return part10.read_any(raw).dataset

"""What changes the effect of rejection notes after they were read: a setting, and their deletion
from Orthanc."""

import time
from collections import deque

from ..assemble import SAFETY
from ..store import Batch, ObjectRow, Store, Writer, disposal, rejections, tasks
from ..store.tasks import Task, now
from ..work.task_interface import Job, all_or_each
from . import assembly
from .finding import Finder

# Studies per transaction: new objects wait no longer than these take.
CHUNK = 25
# Seconds from the deletion of a note until it is decided what that means: whoever deletes many
# objects one by one may delete what the note rejects after it.
SETTLES_S = 10.0
# Notes that are looked for in Orthanc between other work.
_NOTES = 50


class DecideRejections(Job):
    """Rebuild the studies with objects that were rejected for patient safety, after the setting
    changed whether they count; done and total count studies.

    result: failed (studies left as they were).
    """

    kind = "decide-rejections"

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.result = {"failed": 0} | self.result
        self._studies: list[str] | None = None  # those still to come

    def do_step(self, writer: Writer) -> Batch | None:
        if self._studies is None:
            self._studies = rejections.studies_rejected_for(
                writer.connection, SAFETY, self.progress.get("after", "")
            )
            self.total = self.done + len(self._studies)
        chunk = self._studies[:CHUNK]
        if not chunk:
            return None
        self.result["failed"] += all_or_each(
            chunk, lambda studies: writer.commit(assembly.again(writer, studies))
        )
        del self._studies[: len(chunk)]
        self.done += len(chunk)
        self.progress = {"after": chunk[-1]}
        # The progress is committed separately: if that is lost, these studies are rebuilt again,
        # which changes nothing.
        return Batch()


def follow_setting(store: Store, writer: Writer, counts: bool) -> bool:
    """Apply the setting whether objects count that were rejected for patient safety.

    Returns whether a task was created that rebuilds studies.
    """
    if counts == assembly.counts_unsafe(writer):
        return False
    concerned = bool(rejections.studies_rejected_for(writer.connection, SAFETY))
    if concerned:
        # Before the setting is noted: a second task does no harm, a missing one would.
        tasks.create(store, DecideRejections.kind, "")
    writer.commit(Batch(state={assembly.COUNTS_UNSAFE: "yes" if counts else "no"}))
    return concerned


class Withdrawals:
    """Notices the rejection notes that are deleted from Orthanc.

    A note counts as withdrawn if an object that it rejects is still in Orthanc. Otherwise it keeps
    its effect: an Orthanc that recycles its space deletes a note with the objects, and their dose
    must not come back. No rule of deletion deletes notes.
    """

    def __init__(self, finder: Finder) -> None:
        self._finder = finder
        self._deleted: deque[str] = deque()
        self._waiting: dict[str, float] = {}  # when the deletion of a note was noticed, by handle
        self._looked = False

    def deleted(self, identifier: str) -> None:
        """Note that an instance was deleted from Orthanc. May be called from any thread."""
        self._deleted.append(identifier)

    def decide(self, writer: Writer) -> bool:
        """Decide what the deletion of some notes means. Returns whether there was anything."""
        moment = time.monotonic()
        handles = [writer.handle(self._deleted.popleft()) for _ in range(len(self._deleted))]
        if not writer.has_rejections:
            return False
        if not self._looked:  # some may have been deleted while nobody listened
            self._looked = True
            self._waiting |= dict.fromkeys(rejections.notes_in_orthanc(writer.connection), moment)
        if handles:
            found = rejections.notes_among(writer.connection, handles)
            self._waiting |= dict.fromkeys(found, moment)
        due = [note for note, at in self._waiting.items() if at <= moment - SETTLES_S][:_NOTES]
        if not due:
            return False
        self._decide(writer, writer.known_objects(due, []))
        for note in due:
            del self._waiting[note]
        return True

    def _decide(self, writer: Writer, notes: list[ObjectRow]) -> None:
        held = self._finder.found(notes)
        gone = [row for row in notes if row["handle"] not in held]
        withdrawn = [row for row in gone if self._rejects_something_held(writer, row)]
        rest = [row["handle"] for row in gone if row not in withdrawn]
        if rest:
            writer.commit(
                Batch(
                    more=lambda connection: disposal.set_in_orthanc(
                        connection, disposal.DELETED, rest, now()
                    )
                )
            )
        for row in withdrawn:
            writer.commit(assembly.withdrawn(writer, row))

    def _rejects_something_held(self, writer: Writer, note: ObjectRow) -> bool:
        rejected = writer.rejected_by([note["handle"]])
        known = writer.known_objects([], sorted(rejected))
        return any(self._finder.found([row]) for row in known)

"""Tasks that delete many objects.

They apply the rules to existing objects, or forget objects at somebody's request.
"""

from typing import Any, ClassVar

from ..store import Batch, ObjectRow, Writer, disposal
from ..store.tasks import Task
from ..work.task_interface import Job
from .deletion import CHUNK, Deletion


class _Deleting(Job):
    """A job that deletes objects; done and total count objects.

    result: deleted, gone (no longer in Orthanc), kept (not to be deleted after all), refused (by
    Orthanc).
    """

    def __init__(self, task: Task, deletion: Deletion) -> None:
        super().__init__(task)
        self._deletion = deletion
        self.result = {"deleted": 0, "gone": 0, "kept": 0, "refused": 0} | self.result
        self._ids: list[str] | None = None  # those still to come

    def do_step(self, writer: Writer) -> Batch | None:
        if self._ids is None:
            self._ids = self.chosen(writer, self.progress.get("after", ""))
            self.total = self.done + len(self._ids)
        chunk = self._ids[:CHUNK]
        if not chunk:
            return self.at_end(writer)
        found = self._deletion.delete(writer, chunk, self.may)
        for name in ("deleted", "gone", "kept", "refused"):
            self.result[name] += len(getattr(found, name))
        del self._ids[: len(chunk)]
        self.done += len(chunk)
        self.progress = self.progress | {"after": chunk[-1]}
        return Batch(more=found.note)

    def chosen(self, writer: Writer, after: str) -> list[str]:
        """Return the handles of the chosen objects, sorted, after `after`."""
        raise NotImplementedError

    def may(self, row: ObjectRow) -> bool:
        """Return whether a chosen object may still be deleted."""
        raise NotImplementedError

    def at_end(self, writer: Writer) -> Batch | None:
        """Return what is to be written once more at the end, then None."""
        return None


class ApplyRules(_Deleting):
    """Delete existing objects of some kinds (parameters) from Orthanc."""

    kind: ClassVar[str] = "delete-objects"

    def chosen(self, writer: Writer, after: str) -> list[str]:
        return disposal.of_kinds(writer.connection, self.parameters["kinds"], after)

    def may(self, row: ObjectRow) -> bool:
        return disposal.kind(row) in self.parameters["kinds"]


class ForgetObjects(_Deleting):
    """Delete failed or ignored objects from Orthanc, and forget them.

    parameters: outcome, rule, or sop_instance_uids. At the end, the rows of objects that are gone
    are deleted in one transaction. result also has `forgotten`.
    """

    kind: ClassVar[str] = "forget-objects"

    def chosen(self, writer: Writer, after: str) -> list[str]:
        return disposal.by_hand(writer.connection, **_selection(self.parameters), after=after)

    def may(self, row: ObjectRow) -> bool:
        return may_be_forgotten(row)

    def at_end(self, writer: Writer) -> Batch | None:
        if "forgotten" in self.result:
            return None
        ids = self.chosen(writer, "")
        self.result["forgotten"] = 0

        def forget(connection: Any) -> None:
            self.result["forgotten"] = disposal.forget_objects(connection, ids)

        return Batch(more=forget)


def may_be_forgotten(row: ObjectRow) -> bool:
    """Return whether people may delete an object.

    It must have failed or be ignored, and not belong to a physics study.
    """
    return row["outcome"] in ("failed", "ignored") and row["rule"] != disposal.PHYSICS


def _selection(parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        "outcome": parameters.get("outcome"),
        "rule": parameters.get("rule"),
        "uids": parameters.get("sop_instance_uids"),
    }

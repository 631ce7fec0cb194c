"""Tasks that delete many objects: the rules applied to what is there already, and objects that
people want to be forgotten.
"""

from typing import Any, ClassVar

from ..store import Batch, ObjectRow, Writer, disposal
from ..store.tasks import Task
from ..work.task import Job
from .deletion import CHUNK, Deletion


class _Deleting(Job):
    """done and total count objects; result: deleted, gone (were not in Orthanc any more), kept
    (were not to be deleted after all), refused (by Orthanc)."""

    def __init__(self, task: Task, deletion: Deletion) -> None:
        super().__init__(task)
        self._deletion = deletion
        self.result = {"deleted": 0, "gone": 0, "kept": 0, "refused": 0} | self.result
        self._ids: list[str] | None = None  # those to come

    def step(self, writer: Writer) -> Batch | None:
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
        """The objects, in order, from the one after this."""
        raise NotImplementedError

    def may(self, row: ObjectRow) -> bool:
        """Whether an object that was chosen may still be deleted."""
        raise NotImplementedError

    def at_end(self, writer: Writer) -> Batch | None:
        """What is to be written once more at the end, then None."""
        return None


class ApplyRules(_Deleting):
    """Delete from Orthanc the objects of the kinds (parameters) that are there."""

    kind: ClassVar[str] = "delete-objects"

    def chosen(self, writer: Writer, after: str) -> list[str]:
        return disposal.of_kinds(writer.connection, self.parameters["kinds"], after)

    def may(self, row: ObjectRow) -> bool:
        return disposal.kind(row) in self.parameters["kinds"]


class ForgetObjects(_Deleting):
    """Delete failed or ignored objects (parameters: outcome, rule, or sop_instance_uids) from
    Orthanc; when all are gone, forget their rows in one transaction. result has `forgotten`,
    too."""

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
            self.result["forgotten"] = disposal.forget(connection, ids)

        return Batch(more=forget)


def may_be_forgotten(row: ObjectRow) -> bool:
    """Whether people may delete an object: it failed or is ignored, and is not of a physics
    study.
    """
    return row["outcome"] in ("failed", "ignored") and row["rule"] != disposal.PHYSICS


def _selection(parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        "outcome": parameters.get("outcome"),
        "rule": parameters.get("rule"),
        "uids": parameters.get("sop_instance_uids"),
    }

"""Rebuilding the studies of systems.

This is done after a system was set to a modality type or merged, or at somebody's request.
"""

from typing import Any

from ..store import Batch, Writer, joins
from ..store.database import texts
from ..store.tasks import Task
from ..work.task_interface import Job, all_or_each
from . import assembly

# Studies per transaction: new objects wait no longer than these take.
CHUNK = 25


class SortStudies(Job):
    """Rebuild the studies of some systems; done and total count studies.

    parameters: equipment (numbers of systems), and modality (RF, DX, dual, by-rule) if these are to
    be set to it first. result: changed (studies now under another modality type), failed (left as
    they were).
    """

    kind = "sort-studies"

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.result = {"changed": 0, "failed": 0} | self.result
        self._studies: list[str] | None = None  # those still to come

    def do_step(self, writer: Writer) -> Batch | None:
        numbers = {
            number for number in self.parameters["equipment"] if number in writer.systems.rows
        }
        if "modality" in self.parameters and not self.progress:
            self.progress = {"after": ""}
            return self._set(writer, numbers)
        if self._studies is None:
            of = sorted({writer.systems.root(number) for number in numbers})
            self._studies = writer.studies_of_systems(of, self.progress.get("after", ""))
            self.total = self.done + len(self._studies)
        chunk = self._studies[:CHUNK]
        if not chunk:
            return None
        self.result["failed"] += all_or_each(chunk, lambda studies: self._sort(writer, studies))
        del self._studies[: len(chunk)]
        self.done += len(chunk)
        self.progress = {"after": chunk[-1]}
        # The progress is committed separately: if that is lost, these studies are sorted again,
        # which changes nothing.
        return Batch()

    def _set(self, writer: Writer, numbers: set[int]) -> Batch:
        modality = self.parameters["modality"]
        systems = writer.systems.with_values(
            numbers, user_defined_modality=None if modality == "by-rule" else modality
        )
        return Batch(
            more=lambda connection: joins.set_values(connection, systems, numbers), systems=systems
        )

    def _sort(self, writer: Writer, studies: list[str]) -> None:
        before = _modalities(writer, studies)
        writer.commit(assembly.again(writer, studies))
        self.result["changed"] += len(before - _modalities(writer, studies))


def _modalities(writer: Writer, studies: list[str]) -> set[tuple[Any, ...]]:
    query = (
        "SELECT study_instance_uid, modality FROM study WHERE study_instance_uid IN (SELECT "
        "text FROM uids)"
    )
    with texts(writer.connection, "uids", studies):
        return set(writer.connection.execute(query).fetchall())

"""The task that looks for objects in Orthanc that may crash it.

Such objects were stored while the plugin was not running to refuse them.
"""

import time
from typing import Any, ClassVar

from ..dicom import nesting
from ..store import Batch, ObjectRow, Store, Writer, tasks
from ..store.tasks import Task
from ..work.task_interface import Job
from .orthanc_source import Source
from .reading import NESTED, in_orthanc_reason, set_outcome

PAGE = 200
# Seconds per step: new objects wait no longer.
_STEP_S = 0.5
# The state that is set once everything that Orthanc holds was inspected.
LOOKED = "looked_for_nested"


class FindNested(Job):
    """Inspect the bytes of every object that Orthanc holds, asking Orthanc only for its file.

    done and total count objects. result: found (now failed, by the rule NESTED), kept (nested too
    deeply, but read by an earlier version).
    """

    kind: ClassVar[str] = "find-nested"

    def __init__(self, task: Task, source: Source) -> None:
        super().__init__(task)
        self._source = source
        self.result = {"found": 0, "kept": 0} | self.result
        self._ids: list[str] | None = None

    def do_step(self, writer: Writer) -> Batch | None:
        if self._ids is None:
            self._ids = self._all(writer, self.progress.get("after", ""))
            self.total = self.done + len(self._ids)
        if not self._ids:
            return None if self.progress.get("ended") else self._end()
        end = time.monotonic() + _STEP_S
        chunk = self._ids[:PAGE]
        details = self._source.details(chunk)
        deep: dict[str, int] = {}
        looked = 0
        for instance in chunk:
            looked += 1
            if instance in details:
                levels = self._levels(details[instance])
                if levels:
                    deep[instance] = levels
            if time.monotonic() > end:
                break
        del self._ids[:looked]
        self.done += looked
        self.progress = {"after": writer.handle(chunk[looked - 1])}
        self.result["found"] += len(deep)
        return Batch(self._rows(writer, deep, details))

    def _all(self, writer: Writer, after: str) -> list[str]:
        """Return all instances in the order of their handles, after the handle `after`."""
        found: list[str] = []
        while page := self._source.instances(len(found), 20_000):
            found += page
        handles = {writer.handle(one): one for one in found}
        return [handles[handle] for handle in sorted(handles) if handle > after]

    def _levels(self, found: Any) -> int:
        try:
            return nesting.too_deep(self._source.dicom(found.instance, found.size))
        except self._source.Gone:
            return 0

    def _rows(
        self, writer: Writer, deep: dict[str, int], details: dict[str, Any]
    ) -> list[ObjectRow]:
        handles = {instance: writer.handle(instance) for instance in deep}
        known = {row["handle"]: row for row in writer.known_objects(list(handles.values()), [])}
        rows: list[ObjectRow] = []
        for instance, levels in deep.items():
            handle, found = handles[instance], details[instance]
            before = known.get(handle)
            if before is not None and before["outcome"] not in ("failed", "ignored"):
                # An earlier version has read it. Its dose is in the store, and remains.
                self.result["kept"] += 1
                continue
            row: ObjectRow = before.copy() if before is not None else {
                "handle": handle,
                "sop_instance_uid": found.sop_instance_uid,
                "series_handle": found.series and writer.handle(found.series),
                "attempts": 0,
            }  # fmt: skip
            row |= {
                "sop_class_uid": found.sop_class_uid,
                "received_at": found.received_at,
                "size": found.size,
            }
            row |= {
                "in_orthanc": None,
                "deleted_at": None,
                "content": None,
                "content_digest": None,
            }
            set_outcome(row, "failed", NESTED, in_orthanc_reason(levels))
            rows.append(row)
        return rows

    def _end(self) -> Batch:
        self.progress = {"ended": True}
        return Batch(state={LOOKED: "yes"})


def begin_search(store: Store, user: str) -> int:
    """Create the task for the worker, unless one is running or waiting, and return its number."""
    with store.reading() as connection:
        found = [
            task
            for task in tasks.of_states(connection, tasks.OPEN)
            if task["kind"] == FindNested.kind
        ]
    return found[0]["id"] if found else tasks.create(store, FindNested.kind, user)

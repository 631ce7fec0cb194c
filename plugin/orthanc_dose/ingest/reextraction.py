"""Re-reading all kept content with the present extractors, without the DICOM objects.

The result says what changed.
"""

from collections import Counter
from collections.abc import Mapping
from math import isclose

from ..store import Batch, Writer
from ..store.tasks import Task
from ..store.writer import RowKey
from ..work.task_interface import Job, all_or_each
from . import assembly

# Studies per transaction: new objects wait no longer than these take.
CHUNK = 25
# Number of changed studies that the result lists.
NAMED = 200


class Reextraction(Job):
    """Re-read all kept content; done and total count studies.

    result: changed, failed (objects), fields (by "table.field", the number of rows that differ; for
    marks also "table.marks: mark", the number of rows with another number of such marks), studies
    (numbers of some that changed).
    """

    kind = "re-extraction"

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.result = {"changed": 0, "failed": 0, "fields": {}, "studies": []} | self.result
        self._studies: list[str] | None = None  # those still to come

    def do_step(self, writer: Writer) -> Batch | None:
        if self._studies is None:
            self._studies = writer.studies_with_content(self.progress.get("after", ""))
            self.total = self.done + len(self._studies)
        chunk = self._studies[:CHUNK]
        if not chunk:
            return None
        self.result["failed"] += all_or_each(
            chunk, lambda studies: self._read_studies(writer, studies)
        )
        del self._studies[: len(chunk)]
        self.done += len(chunk)
        self.progress = {"after": chunk[-1]}
        # The differences are only known after the commit, so the progress is committed separately:
        # if that is lost, these studies are re-read, which changes nothing.
        return Batch()

    def _read_studies(self, writer: Writer, studies: list[str]) -> None:
        before = writer.rows_of_studies(studies)
        out = assembly.again(writer, studies)
        writer.commit(out)
        self.result["failed"] += sum(row["outcome"] == "failed" for row in out.objects)
        self._compare(before, writer.rows_of_studies(studies))

    def _compare(
        self,
        before: dict[RowKey, Mapping[str, object]],
        after: dict[RowKey, Mapping[str, object]],
    ) -> None:
        fields: Counter[str] = Counter(self.result["fields"])
        changed: set[int] = set()
        for key in before.keys() | after.keys():
            old, new = before.get(key), after.get(key)
            table, study = key.table, key.study_id
            if old is None or new is None:
                fields[f"{table}: {'row added' if old is None else 'row gone'}"] += 1
                changed.add(study)
                continue
            for name in new:
                if not _same(old[name], new[name]):
                    fields[f"{table}.{name}"] += 1
                    changed.add(study)
                if name == "marks":
                    for mark in _kinds(old[name]).items() ^ _kinds(new[name]).items():
                        fields[f"{table}.marks: {mark[0]}"] += 1
        self.result["changed"] += len(changed)
        self.result["fields"] = dict(fields.most_common())
        self.result["studies"] = (self.result["studies"] + sorted(changed))[:NAMED]


def _same(old: object, new: object) -> bool:
    """Return whether two values are equal; numbers may differ in how their last bit is rounded."""
    if isinstance(old, float) and isinstance(new, float):
        return isclose(old, new, rel_tol=1e-12)
    return old == new


def _kinds(marks: object) -> Counter[str]:
    """Return how many marks of each kind a row has."""
    return Counter(one["mark"] for one in marks or ())  # type: ignore[attr-defined]

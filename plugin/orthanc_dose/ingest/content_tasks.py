"""Tasks that change the kept content of all objects, study by study, with the resulting records."""

from ..extract import Kept, unpack
from ..store import STORE_ERRORS, Batch, ObjectRow, Writer
from ..store.tasks import Task
from ..work.task_interface import Job
from . import assembly

# Studies per transaction: new objects wait no longer than these take.
CHUNK = 25


class OverContents(Job):
    """A job that goes through the kept content of all objects; done and total count studies.

    A subclass defines how an object's content changes, and what is to be done at the end.

    The content of a chunk, the records made from it and the progress of the task are written in one
    transaction: a task that is interrupted continues with the next chunk.
    """

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self._studies: list[str] | None = None  # those still to come

    def change(self, study: str, contents: list[Kept]) -> None:
        """Change the kept content of a study's objects; study "" is for objects that name none."""
        raise NotImplementedError

    def after_all(self, writer: Writer) -> Batch | None:
        """Do a step after the last study. Returns None at the end."""
        raise NotImplementedError

    def do_step(self, writer: Writer) -> Batch | None:
        if "contents" not in self.progress:
            chunk = self._next(writer)
            if chunk:
                out = self._changed(writer, chunk)
                self.done += len(chunk)
                self.progress = {"after": chunk[-1]}
                return out
            self.progress = {"contents": "done"}
        return self.after_all(writer)

    def _next(self, writer: Writer) -> list[str]:
        if self._studies is None:
            begun = "after" in self.progress
            self._studies = ([] if begun else [""]) + writer.studies_with_content(
                self.progress.get("after", "")
            )
            self.total = self.done + len(self._studies)
        chunk = self._studies[:CHUNK]
        del self._studies[: len(chunk)]
        return chunk

    def _changed(self, writer: Writer, studies: list[str]) -> Batch:
        by_study: dict[str, list[ObjectRow]] = {}
        for row in writer.contents_of(studies):
            by_study.setdefault(row["study_instance_uid"] or "", []).append(row)
        changed = {
            study: found
            for study, rows in by_study.items()
            if (found := self._changed_rows(study, rows))
        }
        try:
            return assembly.with_content(
                writer, [row for found in changed.values() for row in found]
            )
        except STORE_ERRORS:
            raise
        except Exception:  # noqa: BLE001  a study that cannot be put together spoils no other
            out = Batch()
            for found in changed.values():
                _join(out, self._alone(writer, found))
            return out

    def _alone(self, writer: Writer, changed: list[ObjectRow]) -> Batch:
        try:
            return assembly.with_content(writer, changed)
        except STORE_ERRORS:
            raise
        except Exception:  # noqa: BLE001  its content is changed all the same; its records stay
            return Batch(objects=changed)

    def _changed_rows(self, study: str, rows: list[ObjectRow]) -> list[ObjectRow]:
        contents = [unpack(row["content"] or b"") for row in rows]
        before = [kept.pack()[1] for kept in contents]
        self.change(study, contents)
        out = []
        for row, kept, old in zip(rows, contents, before, strict=True):
            content, digest = kept.pack()
            if digest != old:
                out.append(row | {"content": content, "content_digest": digest})
        return out


def _join(out: Batch, other: Batch) -> None:
    out.objects += other.objects
    out.studies |= other.studies

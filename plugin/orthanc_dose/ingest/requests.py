"""What others ask of the worker, each done on its thread, in a transaction of its own or as a task."""

from concurrent.futures import Future
from typing import Any

from ..store import Batch, Store, Writer, disposal, tasks
from . import assembly
from .deletion import Deletion
from .deletion_jobs import may_be_forgotten
from .worker import Worker


class Requests:
    """May be called from any thread. A Future ends when the worker has done it, with the error where it could not."""

    def __init__(self, worker: Worker, store: Store, deletion: Deletion) -> None:
        self._worker = worker
        self._deletion = deletion
        self._store = store

    def take_out(self, sop_instance_uid: str) -> Future[None]:
        """Take an object out of the dose record."""
        return self._worker.submit(lambda writer: writer.commit(assembly.without(writer, sop_instance_uid)))

    def forget_objects(self, orthanc_ids: list[str]) -> Future[int]:
        """Delete some failed or ignored objects from Orthanc and forget them; how many were forgotten."""

        def forget(writer: Writer) -> int:
            found = self._deletion.delete(writer, orthanc_ids, may_be_forgotten)
            forgotten = 0

            def note(connection: Any) -> None:
                nonlocal forgotten
                found.note(connection)
                forgotten = disposal.forget(connection, orthanc_ids)

            writer.commit(Batch(more=note))
            return forgotten

        return self._worker.submit(forget)

    def set_user_defined_modality(self, equipment_id: int, modality: str | None) -> Future[None]:
        """Set a system to RF, DX, dual, or to nothing, and sort its studies by it."""

        def set_it(writer: Writer) -> None:
            studies = writer.set_user_defined_modality(equipment_id, modality)
            size = self._worker.options.batch_size
            for first in range(0, len(studies), size):
                writer.commit(assembly.again(writer, studies[first : first + size], {}))

        return self._worker.submit(set_it)

    def start_task(self, kind: str, user: str, subject: str = "", parameters: dict[str, Any] | None = None) -> int:
        """Note a task for the worker; its number."""
        number = tasks.create(self._store, kind, user, subject, parameters)
        self._worker.tasks.look()
        self._worker.wake()
        return number

    def stop_task(self, task_id: int) -> Future[bool]:
        """End a task before its next chunk; False where none of this number is under way or waiting."""
        return self._worker.submit(lambda writer: self._worker.tasks.stop(writer, task_id))

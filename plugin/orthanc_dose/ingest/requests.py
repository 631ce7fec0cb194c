"""Requests to the worker.

Each is carried out on the worker's thread, in a transaction of its own or as a task.
"""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from ..store import Batch, Store, Writer, disposal
from ..store.names import Entry
from ..work.runner import Runner
from . import assembly, nested, study_deletion, user_edits
from .deletion import Deletion
from .deletion_jobs import may_be_forgotten
from .sorting import SortStudies
from .worker import Worker


class Requests:
    """Requests to the worker. May be called from any thread.

    A Future is done when the worker has carried out the request, and has the error if it failed.
    """

    def __init__(self, worker: Worker, runner: Runner, store: Store, deletion: Deletion) -> None:
        self._worker = worker
        self._runner = runner
        self._deletion = deletion
        self._store = store

    def take_out(self, sop_instance_uid: str) -> Future[None]:
        """Exclude an object from the dose record."""
        return self._worker.submit(
            lambda writer: writer.commit(assembly.without(writer, sop_instance_uid))
        )

    def forget_objects(self, handles: list[str]) -> Future[int]:
        """Delete some failed or ignored objects from Orthanc, and forget them.

        The result is the number of objects forgotten.
        """

        def forget(writer: Writer) -> int:
            found = self._deletion.delete(writer, handles, may_be_forgotten)
            forgotten = 0

            def note(connection: Any) -> None:
                nonlocal forgotten
                found.note(connection)
                forgotten = disposal.forget_objects(connection, handles)

            writer.commit(Batch(more=note))
            return forgotten

        return self._worker.submit(forget)

    def rename_systems(self, equipment_ids: list[int], display_name: str) -> Future[None]:
        """Name these systems; an empty name restores the default names.

        The Future raises joins.Refused if there is no such system.
        """
        return self._worker.submit(
            lambda writer: user_edits.rename_systems(writer, equipment_ids, display_name)
        )

    def join_systems(self, equipment_ids: list[int], into: int, user: str) -> Future[int | None]:
        """Join these systems into that one.

        The result is the number of the task that sorts its studies if these now belong to another
        modality type, or else None. The Future raises joins.Refused if the join is not possible.
        """

        def join(writer: Writer) -> int | None:
            sort = user_edits.join_systems(writer, set(equipment_ids), into)
            return self.sort_studies([into], user) if sort else None

        return self._worker.submit(join)

    def separate_system(self, equipment_id: int, user: str) -> Future[int | None]:
        """Undo a merge.

        The result is the number of the task that sorts the studies of the system if these now
        belong to another modality type, or else None. The Future raises joins.Refused if the system
        is not merged into another.
        """

        def separate(writer: Writer) -> int | None:
            sort = user_edits.separate_system(writer, equipment_id)
            return self.sort_studies([equipment_id], user) if sort else None

        return self._worker.submit(separate)

    def sort_studies(self, equipment_ids: list[int], user: str, **parameters: Any) -> int:
        """Create a task that rebuilds the studies of these systems, and return its number.

        parameters: see SortStudies.
        """
        subject = (
            f"system "
            f"{', '.join(map(str, equipment_ids[:20]))}{' …' if len(equipment_ids) > 20 else ''}"
        )
        return self._runner.add(
            SortStudies.kind, user, subject, {"equipment": equipment_ids, **parameters}
        )

    def delete_studies(self, equipment_id: int, studies: int, row: bool, user: str) -> int:
        """Create a task that deletes the studies of a system (DeleteStudies), and return its
        number.
        """
        parameters = {"equipment": equipment_id, "studies": studies, "row": row}
        return self._runner.add(
            study_deletion.DeleteStudies.kind, user, f"system {equipment_id}", parameters
        )

    def delete_study(self, study_id: int) -> Future[None]:
        """Delete one dose record."""
        return self._worker.submit(
            lambda writer: writer.commit(study_deletion.of_one(writer, study_id))
        )

    def change_names(self, change: Callable[[list[Entry]], list[Entry]]) -> Future[None]:
        """Change the map of standard names, which applies at once to all studies."""
        return self._worker.submit(lambda writer: user_edits.rename_terms(writer, change))

    def find_nested(self, user: str) -> int:
        """Create the task that looks for objects that may crash Orthanc, unless there is one.

        Returns its number.
        """
        number = nested.begin_search(self._store, user)
        self._runner.look_for_task()
        return number

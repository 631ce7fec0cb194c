"""The worker: reads Orthanc's log of changes, starting at a cursor.

What it read and the cursor are committed in one transaction. Orthanc writes an instance and its
change in one transaction of its own, so the log is the queue: after being killed, the worker
re-reads what it had not committed, and nothing else. Nothing is kept in memory that must not be
lost.
"""

import contextlib
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeVar, cast

import duckdb

from .. import extract
from ..dicom.sop_classes import CT_IMAGES
from ..store import STORE_ERRORS, Batch, ObjectRow, Store, Writer
from ..store.causes import CAUSES, MEMORY_ERRORS, cause_of
from ..store.damage import is_damage, next_steps
from ..store.disposal import STUDY_DELETED, WAITS
from ..store.handles import adopt, any_lost
from ..store.state import COMPARE, delete_state
from ..work.steps import Steps
from . import assembly, nested, rejections
from .deletion import Deletion, mark_for_deletion
from .door import Door
from .finding import Finder
from .journal import Journal
from .orthanc_source import Source
from .reading import Read, RowRead, left_alone, read_instance, set_outcome, still_nested
from .rejections import Withdrawals
from .worker_options import Options

T = TypeVar("T")
_LOG = logging.getLogger(__name__)

# Seconds before the worker tries the store again, growing from the first to the last.
FIRST_PAUSE, LAST_PAUSE = 1.0, 60.0
# Minimum seconds between two looks at the log while objects arrive. A transaction costs about as
# much as twenty reports in it: one every two seconds leaves the machine to the storing. The first
# object after a rest is read at once.
LEAST_INTERVAL = 2.0
NICENESS = 10
RECONCILED_PAGE = 20_000
# Number of irradiation events from which on what was read is committed, so that it does not fill
# the memory. A report with more is in a transaction of its own.
MOST_EVENTS = 5_000
# Number of times that an object is tried again when the memory is full, before it counts as failed.
MOST_TRIES = 3


class Worker:
    """One thread that does all writing of dose records.

    `wake` may be called from any thread at any time, and returns at once.
    """

    def __init__(
        self,
        source: Source,
        store: Store,
        options: Callable[[], Options],
        steps: Steps,
        finder: Finder,
        deletion: Deletion,
        door: Door,
        withdrawals: Withdrawals,
    ) -> None:
        """Create the worker. options: returns the current options; called once per round."""
        self._source = source
        self._store = store
        self._options_now = options
        self.options = options()
        self._steps = steps
        self._finder = finder
        self._deletion = deletion
        self._door = door
        self._withdrawals = withdrawals
        self._journal = Journal()
        self._woken = threading.Event()
        self._hurried = threading.Event()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        # Objects that are to be re-read or that reconciliation found missing: Orthanc's identifiers by handle,
        # or None if Orthanc must still be asked for it.
        self._requested: dict[str, str | None] = {}
        self._submitted: list[tuple[Future[Any], Callable[[Writer], Any]]] = []
        self._reconciliation_wanted = self.options.reconcile_at_start
        self._reconciliations_done = 0
        self._some_are_lost = False
        self._short_of_memory = 0  # times in a row that an object alone did not fit into the memory
        self._look_at_sources = (
            True  # the options may have opened a source since they were last checked
        )
        self._look_for_complete = (
            self.options.reads_ct_images
        )  # once the log is read: studies that became complete meanwhile
        self._complete: list[str] = []  # those of them that are still to be read
        self._log_is_empty = False  # and what Orthanc holds was therefore compared with the store
        self._caught_up = (
            False  # the last page of the log was not full: what comes next is only just arriving
        )
        self._round_done = threading.Condition(self._lock)
        self._thread: threading.Thread | None = None
        self._status: dict[str, Any] = {
            "state": "idle",
            "cursor": 0,
            "last_error": None,
            "last_commit_at": None,
            "reconciliation": {"state": "idle", "last_finished_at": None, "missing": None},
        }

    def start_thread(self) -> None:
        self._thread = threading.Thread(target=self._run, name="dose-worker")
        self._thread.start()

    def stop_thread(self) -> None:
        """Ask the thread to end after the current batch, and wait for it."""
        self._stopping.set()
        self._woken.set()
        self._hurried.set()
        if self._thread is not None:
            self._thread.join()

    @property
    def is_alive(self) -> bool:
        """True while the thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def wake(self) -> None:
        self._woken.set()

    def hurry(self) -> None:
        """Skip the rest before the next look at the log: somebody waits for what arrived."""
        self._hurried.set()

    def status(self) -> dict[str, Any]:
        """Return the state, the cursor, the number of pending changes, and the last error."""
        with self._lock:
            status = dict(self._status)
            requested = len(self._requested)
        status["last_change"] = last = self._source.last_change()
        status["pending"] = max(0, last - status["cursor"]) + requested
        if status["pending"] and status["state"] == "idle":
            # changes that no instance announced: observers should not see them wait for the next
            # poll
            self.wake()
        return status

    def read_again(self, handles: Iterable[str]) -> None:
        """Queue objects to be re-read."""
        self._request(dict.fromkeys(handles))

    def _request(self, wanted: Mapping[str, str | None]) -> None:
        with self._lock:
            for handle, identifier in wanted.items():
                self._requested.setdefault(handle, identifier)
        self.wake()

    def submit(self, work: Callable[[Writer], T]) -> Future[T]:
        """Queue work that writes dose records.

        While the store cannot be written, the work waits, and is then started again.
        """
        future: Future[T] = Future()
        with self._lock:
            self._submitted.append((future, work))
        self.wake()
        return future

    def reconcile(self) -> None:
        """Queue a comparison of what Orthanc holds with the store."""
        with self._lock:
            self._reconciliation_wanted = True
        self.wake()

    def wait(self, done: Callable[[], bool], seconds: float) -> bool:
        """Wait until `done` returns True after a round of the worker, at most this many seconds.

        Returns whether it did.
        """
        end = time.monotonic() + seconds
        with self._round_done:
            while not done():
                left = end - time.monotonic()
                if left <= 0 or not self._round_done.wait(left):
                    return done()
        return True

    def is_queued(self, handle: str) -> bool:
        return handle in self._requested

    # --- the worker's thread ---

    def _run(self) -> None:
        # Storing takes precedence: the thread yields to Orthanc's own when they compete for a
        # processor.
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        pause = FIRST_PAUSE
        writer: Writer | None = None
        while not self._stopping.is_set():
            try:
                if writer is None:
                    writer = Writer(self._store)
                    self._set(cursor=int(writer.state("cursor") or 0))
                    self._steps.forget_current_task()
                    self._look_at_sources = True
                    self._some_are_lost = any_lost(writer.connection)
                    # Reconciliation finds them again.
                    self._reconciliation_wanted |= (
                        self._some_are_lost and not self._reconciliations_done
                    )
                    self._reconciliation_wanted |= writer.state(COMPARE) is not None
                    self._look_at_start(writer)
                self._woken.clear()
                options = self._options_now()
                self._look_at_sources |= options != self.options
                self.options = options
                if self._look_at_sources:
                    self._sources_changed(writer)
                began = time.monotonic()
                busy = self._round(writer)
                pause = FIRST_PAUSE
                self._set(state="working" if busy else "idle", last_error=None)
                if not busy:
                    self._woken.wait(self.options.poll_seconds)
                elif self._caught_up:
                    self._hurried.wait(max(0.0, began + LEAST_INTERVAL - time.monotonic()))
                self._hurried.clear()
            except BaseException as error:  # noqa: BLE001  whatever happens, the worker goes on
                self._failed(error)
                self._stopping.wait(pause)
                pause = min(pause * 2, LAST_PAUSE)
                writer = self._recovered(writer)
        if writer is not None:
            with contextlib.suppress(Exception):
                self._door.write_refused(writer, at_once=True)
            writer.close()
        self._journal.write_deliveries(at_once=True)

    def _sources_changed(self, writer: Writer) -> None:
        """Look again at what was ignored for a closed source, if one was opened since the last
        look, and at what was rejected, if whether it counts has changed.
        """
        # With the classes that count as CT images: an earlier version may have known fewer.
        now = json.dumps(
            [self.options.dose_from_ct_images, self.options.screens, sorted(CT_IMAGES)]
        )
        if writer.state("sources") != now:
            self.read_again(writer.left_alone_by("dose_screen", "ocr_missing"))
            if self.options.reads_ct_images:
                writer.let_wait(CT_IMAGES, WAITS)
            writer.commit(Batch(state={"sources": now}))
        if rejections.follow_setting(self._store, writer, self.options.counts_rejected_for_safety):
            self._steps.look_for_task()
        self._look_at_sources = False

    def _look_at_start(self, writer: Writer) -> None:
        """Look for objects that an earlier version ignored, but this one reads; and, once, for
        those that Orthanc stored while the plugin was not there to refuse them.
        """
        # CT images are read by setting: see _sources_changed.
        if ignored := writer.ignored_for_class(extract.EXTRACTORS.keys() - CT_IMAGES):
            self.read_again(ignored)
        if writer.state(nested.LOOKED):
            return
        if self._source.instances(0, 1):
            self._look_for_nested()
        else:
            writer.commit(Batch(state={nested.LOOKED: "yes"}))

    def _failed(self, error: BaseException) -> None:
        words = (
            str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
        )
        known = isinstance(error, (*STORE_ERRORS, duckdb.OutOfMemoryException))
        cause = cause_of(error)
        # The message of any other error may hold values.
        message = f"the store cannot be written: {words}" if known else type(error).__name__
        if known and is_damage(error):
            message = f"{words.rstrip('.')}. {next_steps(self._store.path.parent)}"
        with self._lock:
            before = self._status["last_error"]
        if before is None or before["message"] != message:
            if known:
                _LOG.error("waiting to retry: %s", message)
            else:
                _LOG.error("waiting to retry", exc_info=error)
        with self._lock:
            before = self._status["last_error"]
        if cause == "store" and before is not None and before["cause"] != "internal":
            cause = before["cause"]  # what follows only says that the store must be reopened
        at = _now().isoformat() + "Z"
        self._set(
            state="waiting",
            last_error={"message": message, "cause": cause, "reason": CAUSES[cause], "at": at},
        )

    def _recovered(self, writer: Writer | None) -> Writer | None:
        try:
            self._steps.forget_current_task()
            if writer is not None:
                writer.recover()
            else:
                self._store.reopen()
            return writer
        except Exception as error:  # noqa: BLE001  the disk may still be full: the next try comes after the pause
            self._failed(error)
            return None

    def _set(self, **values: Any) -> None:
        with self._round_done:
            self._status |= values
            self._round_done.notify_all()

    def _round(self, writer: Writer) -> bool:
        """Process one batch: from requests, from reconciliation, or from the log of changes.

        Returns whether there was anything to do.
        """
        with self._lock:
            requested = dict(islice(self._requested.items(), self.options.batch_size))
            reconcile = self._reconciliation_wanted
            submitted = self._submitted[:1]
        self._caught_up = False
        self._steps.beat(writer)
        for future, work in submitted:
            self._do(writer, future, work)
            return True
        if requested:
            self._set(state="working")
            self._read_instances(writer, self._held(writer, requested), {}, again=True)
            self._look_for_complete = (
                self.options.reads_ct_images
            )  # CT images among them wait again
            with self._round_done:
                for handle in requested:  # objects that were queued meanwhile follow them
                    del self._requested[handle]
                self._round_done.notify_all()
            return True
        if reconcile:
            self._reconcile(writer)
            return True
        # New objects come first; re-reading continues beside them.
        followed = self._follow_changes(writer)
        if not followed and self._look_for_complete:
            self._look_for_complete = False
            waiting = writer.one_of_each_series(WAITS)
            self._complete = sorted(
                {
                    study
                    for found in self._finder.found(waiting).values()
                    if (study := self._source.complete_study(found))
                }
            )
        if self._complete:
            self._read_ct_images(writer, self._complete[-1])
            del self._complete[-1]
            return True
        self._journal.write_deliveries()
        self._door.write_refused(writer)
        deleted = self._deletion.delete_chunk(writer) or self._withdrawals.decide(writer)
        return self._steps.step_oldest_task(writer) or deleted or followed

    def _held(self, writer: Writer, requested: dict[str, str | None]) -> list[str]:
        """Return Orthanc's identifiers of those of these objects that it holds."""
        asked = [handle for handle, identifier in requested.items() if identifier is None]
        found = self._finder.found(writer.known_objects(asked, []) if asked else [])
        every = (identifier or found.get(handle) for handle, identifier in requested.items())
        return [identifier for identifier in every if identifier]

    def _do(self, writer: Writer, future: "Future[T]", work: Callable[[Writer], T]) -> None:
        try:
            result = work(writer)
        except STORE_ERRORS:
            raise
        except BaseException as error:  # noqa: BLE001  whoever asked is told
            future.set_exception(error)
        else:
            future.set_result(result)
        with self._lock:
            del self._submitted[0]

    def _follow_changes(self, writer: Writer) -> bool:
        cursor = self._status["cursor"]
        page = self._source.changes(
            cursor, self.options.batch_size * 2, self.options.reads_ct_images
        )
        if not page.instances and page.last == cursor:
            return self._log_ends(writer, cursor, page.newest)
        self._log_is_empty = False
        if page.instances:
            self._set(state="working")
            numbers = {change.instance: change.number for change in page.instances}
            self._read_instances(
                writer, list(numbers), numbers, cursor=None if page.stable_study else page.last
            )
            self._caught_up = page.done
        if page.stable_study:
            self._read_ct_images(writer, page.stable_study, page.last)
        # A page without instances (new series, stable studies) is not worth a transaction: it is
        # re-read if the worker is killed.
        self._set(cursor=page.last)
        return True

    def _log_ends(self, writer: Writer, cursor: int, newest: int) -> bool:
        """Return whether nothing follows the cursor because the log is no longer the same.

        If so, reconciliation is queued. A log that ends before the cursor does not prove it: the changes
        of deleted objects are gone from it.
        """
        if not cursor:
            return False
        if newest < cursor:
            # The log belongs to another Orthanc: start over, and look for objects that it does not
            # name.
            _LOG.warning(
                "Orthanc's log of changes has restarted; comparing Orthanc's objects with the store"
            )
            writer.commit(Batch(state={"cursor": "0"}))
            self._set(cursor=0)
        elif self._log_is_empty or self._source.last_change():
            return False
        else:
            # it was cleared, or all objects were deleted, which the comparison notices at once
            self._log_is_empty = True
        self.reconcile()
        return True

    def _reconcile(self, writer: Writer) -> None:
        """Queue every instance of Orthanc for which the store has no outcome."""
        with self._lock:
            self._reconciliation_wanted = False
        self._set(reconciliation={**self._status["reconciliation"], "state": "running"})
        cursor, missing, since = self._status["cursor"], [], 0
        while not self._stopping.is_set():
            page = self._source.instances(since, RECONCILED_PAGE)
            handles = list(map(self._store.handle, page))
            if self._some_are_lost:
                self._adopt(writer, page)
            known = writer.known(handles)
            missing += [
                instance
                for instance, handle in zip(page, handles, strict=True)
                if handle not in known
            ]
            since += len(page)
            if len(page) < RECONCILED_PAGE:
                break
        # Whatever the log still announces is read anyway.
        announced: set[str] = set()
        while missing and not self._stopping.is_set():
            changes = self._source.changes(cursor, RECONCILED_PAGE)
            announced |= {change.instance for change in changes.instances}
            cursor = changes.last
            if changes.done:
                break
        missing = [instance for instance in missing if instance not in announced]
        self._request({self._store.handle(instance): instance for instance in missing})
        if missing and not self._reconciliations_done:
            self._look_for_nested()  # they arrived while nothing could refuse them
        is_whole = not missing and not self._stopping.is_set()
        if is_whole and writer.state(COMPARE) is not None:
            writer.commit(Batch(more=lambda connection: delete_state(connection, COMPARE)))
        self._look_for_complete = self.options.reads_ct_images
        now = _now().isoformat() + "Z"
        self._set(
            reconciliation={"state": "idle", "last_finished_at": now, "missing": len(missing)}
        )
        self._reconciliations_done += 1

    def _look_for_nested(self) -> None:
        nested.begin_search(self._store, "")
        self._steps.look_for_task()

    @property
    def reconciliations_done(self) -> int:
        return self._reconciliations_done

    def _read_ct_images(self, writer: Writer, study: str, cursor: int | None = None) -> None:
        """Read the CT images of a complete study.

        All are read for dose, or else one of each series beside a dose screen.
        """
        held = {self._store.handle(one): one for one in self._source.instances_of_study(study)}
        rows = writer.known_objects(list(held), [])
        waiting = {row["handle"]: row for row in rows if row["rule"] == WAITS}
        if not self.options.dose_from_ct_images:
            of_series = {
                row["series_handle"]: row["handle"] for row in reversed(list(waiting.values()))
            }
            beside_a_screen = any(row["source"] == "OCR" for row in rows)
            waiting = (
                {handle: waiting[handle] for handle in of_series.values()}
                if beside_a_screen
                else {}
            )
        numbers = {held[handle]: row["change"] for handle, row in waiting.items()}
        self._read_instances(writer, list(numbers), numbers, cursor, again=True, ct_images=True)

    def _read_instances(
        self,
        writer: Writer,
        ids: list[str],
        numbers: dict[str, int | None],
        cursor: int | None = None,
        again: bool = False,
        ct_images: bool = False,
    ) -> None:
        """Read these instances and commit the results, together with the cursor if one is given."""
        details = self._source.details(ids)
        handles = {instance: self._store.handle(instance) for instance in ids}
        if self._some_are_lost:
            self._adopt(writer, ids)
        known = {row["handle"]: row for row in writer.known_objects(list(handles.values()), [])}
        of_one = {
            self._store.handle(found.series)
            for found in details.values()
            if found.sop_class_uid in extract.ONE_OF_A_SERIES
        }
        series = writer.series_read(of_one)
        reads: list[Read] = []
        events = 0
        for instance in ids:
            before = known.get(handles[instance])
            fresh = before is None or (
                before["change"] != numbers.get(instance) and before["rule"] != STUDY_DELETED
            )
            if instance in details and (again or fresh):
                one = self._read(
                    details[instance], numbers.get(instance), before, series, ct_images
                )
                if one is None:
                    continue
                one.origin = None if again else details[instance].origin
                found = len(one.extract.events) if one.extract else 0
                if reads and events + found > MOST_EVENTS:
                    self._commit_each(writer, reads, {})
                    reads, events = [], 0
                reads.append(one)
                events += found
        self._commit_each(writer, reads, {} if cursor is None else {"cursor": str(cursor)})
        self._set(last_commit_at=_now().isoformat() + "Z")

    def _commit_each(self, writer: Writer, reads: list[Read], state: dict[str, str]) -> None:
        """Commit what was read, or each object alone if one of them spoils the transaction."""
        try:
            self._commit(writer, reads, state)
            self._short_of_memory = 0
        except STORE_ERRORS:
            raise
        except Exception as error:
            if len(reads) <= 1:
                if isinstance(error, MEMORY_ERRORS) and self._short_of_memory < MOST_TRIES:
                    self._short_of_memory += 1
                    raise  # after a pause there may be enough
                self._short_of_memory = 0
                self._commit_failed(writer, reads, state)
                return
            # One object spoils the batch: commit each alone, so that only that one fails; the
            # cursor last.
            for one in reads:
                try:
                    self._commit(writer, [one], {})
                except STORE_ERRORS:
                    raise
                except Exception:  # noqa: BLE001  whatever the object does, the others are written
                    self._commit_failed(writer, [one], {})
            writer.commit(Batch(state=state))

    def _adopt(self, writer: Writer, instances: list[str]) -> None:
        """Match these instances of Orthanc with the lost objects of the store."""
        handle = self._store.handle
        known = writer.known(list(map(handle, instances)))
        found = [
            (
                handle(one.instance),
                one.series and handle(one.series),
                one.sop_instance_uid,
                one.size,
            )
            for some in _parts([one for one in instances if handle(one) not in known])
            for one in self._source.details(some).values()
        ]
        if found:
            writer.commit(Batch(more=lambda connection: adopt(connection, found)))

    def _commit(self, writer: Writer, reads: list[Read], state: dict[str, str]) -> None:
        batch = assembly.batch(writer, reads, state)
        batch.is_spent = len(reads) == 1
        mark_for_deletion(batch.objects, {one.row["handle"] for one in reads}, self.options.deleted)
        writer.commit(batch)
        self._journal.written(reads, batch.objects)
        self._deletion.look_for_deletions()

    def _commit_failed(self, writer: Writer, reads: list[Read], state: dict[str, str]) -> None:
        """Write that these objects failed.

        If even their identifiers do not fit into the store, only the handles are written.
        """
        for one in reads:
            set_outcome(
                one.row,
                "failed",
                "store",
                "the data read from the object does not fit into the store",
            )
            one.row["content"] = one.row["content_digest"] = None
        try:
            writer.commit(Batch([one.row for one in reads], state=state))
        except STORE_ERRORS:
            raise
        except Exception:  # noqa: BLE001  the object must not stand in the way of those behind it
            kept = (
                "handle",
                "outcome",
                "rule",
                "reason",
                "processed_at",
                "change",
                "attempts",
                "extractor_version",
            )
            writer.commit(Batch([_part(one.row, kept) for one in reads], state=state))
        self._journal.written(reads, [one.row for one in reads])

    def _read(
        self,
        details: Any,
        number: int | None,
        before: ObjectRow | None,
        series: dict[str, str],
        ct_images: bool,
    ) -> Read | None:
        row: RowRead = {
            "handle": self._store.handle(details.instance),
            "sop_instance_uid": details.sop_instance_uid,
            "sop_class_uid": details.sop_class_uid,
            "received_at": details.received_at,
            "size": details.size,
            "change": number if number is not None else (before or {}).get("change"),
            "attempts": ((before or {}).get("attempts") or 0) + 1,
            "series_handle": details.series and self._store.handle(details.series),
            "before": before,
        }

        def fetch() -> Any:
            return self._source.dicom(details.instance, details.size)

        try:
            if still_nested(row, before, fetch) or left_alone(
                row, before, series, self.options.reads_ct_images, ct_images
            ):
                return Read(row)
            one = read_instance(
                row,
                fetch,
                self.options.screens,
                self.options.identity,
                self.options.not_patient,
                self.options.ignoring,
            )
            if one.extract is not None and details.sop_class_uid in extract.ONE_OF_A_SERIES:
                series[row["series_handle"] or ""] = row["handle"]
            return one
        except self._source.Gone:
            if before is not None:
                return None  # what was read of it before stays
            set_outcome(
                row, "failed", "gone", "The instance was deleted from Orthanc before it was read."
            )
            return Read(row)


def _parts(instances: list[str], size: int = 1_000) -> Iterator[list[str]]:
    for first in range(0, len(instances), size):
        yield instances[first : first + size]


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def _part(row: RowRead, names: tuple[str, ...]) -> ObjectRow:
    fields: Mapping[str, Any] = row
    return cast("ObjectRow", {name: fields.get(name) for name in names})

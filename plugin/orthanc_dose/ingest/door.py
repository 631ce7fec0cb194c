"""The door: objects that the rules drop before Orthanc stores them, and how many those were."""

import threading
import time
from collections import Counter

from ..dicom import part10
from ..dicom.dataset import Unreadable, first
from ..store import Batch, Writer
from ..store.disposal import count_dropped, kind_by_class
from ..store.tasks import now
from .surroundings import Options

_WRITTEN_EVERY_S = 5.0


class Door:
    """`drops` is asked on the threads on which Orthanc stores, `write` called on the worker's;
    `options` by whoever changed them."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()  # not written yet
        self._written = 0.0

    @property
    def watched(self) -> bool:
        """Whether there is a rule by which anything is dropped."""
        return bool(self.options.dropped)

    def drops(self, raw: bytes) -> bool:
        """Whether this object, as it came in, is not to be stored. What cannot be read is
        stored.
        """
        options = self.options
        if not options.dropped:
            return False
        # The file's head tells the class in a few microseconds: most objects are let through by it.
        announced = part10.announced_class(raw)
        if announced is not None and not self._unwanted(announced, options):
            return False
        try:
            beginning = part10.beginning(raw)
        except Unreadable:
            return False
        sop_class = first(beginning, "0008,0016") or ""
        if not self._unwanted(sop_class, options) or options.ignoring.is_physics(beginning):
            return False
        with self._lock:
            self._counts[sop_class[:64]] += 1
        return True

    @staticmethod
    def _unwanted(sop_class: str, options: Options) -> bool:
        return kind_by_class(sop_class, options.reads_ct_images) in options.dropped

    def write(self, writer: Writer, at_once: bool = False) -> None:
        """Add what was counted to the store, where that was some seconds ago."""
        if not self._counts or (
            not at_once and time.monotonic() < self._written + _WRITTEN_EVERY_S
        ):
            return
        with self._lock:
            counts, self._counts = self._counts, Counter()
        try:
            writer.commit(Batch(more=lambda connection: count_dropped(connection, counts, now())))
        except BaseException:
            with self._lock:
                self._counts.update(counts)
            raise
        self._written = time.monotonic()

"""The door: objects that are refused before Orthanc reads them, and objects that are dropped.

Refused objects are those that may crash Orthanc. The rules drop objects before Orthanc stores them.
"""

import contextlib
import hashlib
import logging
import threading
import time
from collections import Counter

from ..dicom import file_head, nesting, part10
from ..dicom.dataset import Unreadable, first
from ..dicom.sop_classes import sop_class_name
from ..store import Batch, ObjectRow, Writer
from ..store.disposal import REFUSED, count_dropped, kind_by_class
from ..store.tasks import now
from .reading import NESTED, decide, too_deep_reason
from .surroundings import Options

_LOG = logging.getLogger(__name__)
_WRITTEN_EVERY_S = 5.0
# Number of refused objects that may wait to be written; of any more, only the line in the log is
# kept.
_MOST_WAITING = 1000
BROKEN_HEAD = "broken_head"  # the rule for files whose head may crash Orthanc
_OF_BROKEN_HEAD = (
    "The header of the file does not match the length that it announces; Orthanc may crash when "
    "it reads such a file."
)


class Door:
    """Decides about objects as they arrive.

    `refuses` and `drops` are called on the threads on which Orthanc stores, `write` on the worker's
    thread; `options` is set by whoever changes the options.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self._lock = threading.Lock()
        # Not written yet:
        self._counts: Counter[str] = Counter()
        self._refused: dict[str, ObjectRow] = {}
        self._written = 0.0

    def refuses(self, raw: bytes) -> bool:
        """Return whether Orthanc must not read this object, and remember it if so."""
        levels = nesting.too_deep(raw)
        if levels:
            rule, reason = NESTED, too_deep_reason(levels)
        elif file_head.overruns(raw):
            rule, reason = BROKEN_HEAD, _OF_BROKEN_HEAD
        else:
            return False
        _LOG.warning("an object was refused: %s", reason)
        row = _refused(raw, rule, reason)
        # Orthanc never had it: its handle is made from the digest of its bytes, so that it is the
        # same if the object is sent again.
        digest = hashlib.sha256(raw).hexdigest()
        with self._lock:
            if len(self._refused) < _MOST_WAITING:
                self._refused[digest] = row
        return True

    def drops(self, raw: bytes) -> bool:
        """Return whether this object, as received, is not to be stored, and count it if so.

        Objects that cannot be read are stored.
        """
        options = self.options
        if not options.dropped:
            return False
        # The head of the file gives the class in a few microseconds, which lets most objects pass.
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
        """Write the refused objects, and the counts of dropped ones if the last time is seconds
        ago.
        """
        due = at_once or time.monotonic() >= self._written + _WRITTEN_EVERY_S
        if not self._refused and not (self._counts and due):
            return
        with self._lock:
            counts, self._counts = self._counts, Counter()
            refused, self._refused = self._refused, {}
        try:
            writer.commit(
                Batch(
                    [{**row, "handle": writer.handle(digest)} for digest, row in refused.items()],
                    more=lambda connection: count_dropped(connection, counts, now()),
                )
            )
        except BaseException:
            with self._lock:
                self._counts.update(counts)
                self._refused = refused | self._refused
            raise
        self._written = time.monotonic()
        for sop_class, number in counts.items():
            name = sop_class_name(sop_class) or "unknown SOP class"
            _LOG.info("%d objects were not stored, according to the settings (%s)", number, name)


def _refused(raw: bytes, rule: str, reason: str) -> ObjectRow:
    """Return the row of an object that Orthanc never had, without its handle."""
    row: ObjectRow = {
        "sop_class_uid": part10.announced_class(raw),
        "received_at": now(),
        "size": len(raw),
        "attempts": 0,
        "in_orthanc": REFUSED,
    }
    with contextlib.suppress(Unreadable):
        beginning = part10.beginning(raw)
        row["sop_class_uid"] = first(beginning, "0008,0016") or row["sop_class_uid"]
        row["sop_instance_uid"] = first(beginning, "0008,0018")
    decide(row, "failed", rule, f"{reason} It was refused and not stored.")
    return row

"""Log lines about objects: one for the outcome of each, and one for each delivery from a sender.

Orthanc tells plugins nothing of the associations in which objects arrive, so objects that arrive
from one sender without a pause are taken for one delivery. A line identifies objects and series by
their handles, studies by their numbers, and gives the name of the SOP class: no UID, and nothing of
an object's content.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..dicom.sop_classes import sop_class_name
from ..store import ObjectRow
from .reading import Read

_LOG = logging.getLogger(__name__)
_PAUSE_S = 5.0  # after such a pause, what arrives from a sender is another delivery
_WAYS = {
    "DicomProtocol": "by DICOM",
    "RestApi": "by HTTP",
    "WebDav": "by WebDAV",
    "Plugins": "by a plugin",
    "Lua": "by a Lua script",
}


@dataclass
class _Delivery:
    """Objects from one sender, without a pause."""

    outcomes: Counter[str] = field(default_factory=Counter)
    first: datetime | None = None
    last: datetime | None = None
    seen: float = 0.0

    def line(self) -> str:
        seconds = (self.last - self.first).total_seconds() if self.first and self.last else 0.0
        said = ", ".join(f"{count} {outcome}" for outcome, count in self.outcomes.most_common())
        return f"{_objects(self.outcomes.total())} in {seconds:.0f} s: {said}"


class Journal:
    """Writes the lines. Not thread-safe: it belongs to the worker."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._deliveries: dict[Any, _Delivery] = {}

    def written(self, reads: Iterable[Read], rows: Iterable[ObjectRow]) -> None:
        """Log what became of objects, once it is in the store.

        There is a line for each object that holds dose or failed, and one for all others of a
        series with the same outcome. rows: the rows as written; they may include other objects.
        """
        if not _LOG.isEnabledFor(logging.INFO):
            return
        each = _LOG.isEnabledFor(logging.DEBUG)
        written = {row["handle"]: row for row in rows}
        alike: Counter[tuple[Any, ...]] = Counter()
        for one in reads:
            row = written[one.row["handle"]]
            if one.origin is not None:
                self._came(one.origin, row)
            if row["outcome"] == "ignored" and not each:
                alike[row["sop_class_uid"], row.get("series_handle"), row["rule"]] += 1
            else:
                study = f" of study {row['study_id']}" if row.get("study_id") else ""
                why = f": {row['reason']}" if row["outcome"] == "failed" else ""
                name, said = _class(row["sop_class_uid"]), _outcome(row["outcome"], row["rule"])
                _LOG.info("object %s%s (%s): %s%s", row["handle"], study, name, said, why)
        for (sop_class, series, rule), number in alike.items():
            name, said = _class(sop_class), _outcome("ignored", rule)
            _LOG.info("%s of series %s (%s): %s", _objects(number), series or "?", name, said)

    def _came(self, origin: Any, row: ObjectRow) -> None:
        delivery = self._deliveries.setdefault(origin, _Delivery())
        delivery.outcomes[row["outcome"]] += 1
        received = row["received_at"]
        delivery.first = min(filter(None, (delivery.first, received)), default=None)
        delivery.last = max(filter(None, (delivery.last, received)), default=None)
        delivery.seen = self._clock()

    def step(self, at_once: bool = False) -> None:
        """Write the lines of deliveries that have ended."""
        now = self._clock()
        for origin, delivery in list(self._deliveries.items()):
            if at_once or now - delivery.seen >= _PAUSE_S:
                _LOG.info("%s: %s", _sender(origin), delivery.line())
                del self._deliveries[origin]


def _objects(number: int) -> str:
    return f"{number} object{'s' * (number != 1)}"


def _outcome(outcome: str, rule: str | None) -> str:
    return f"{outcome} ({rule})" if rule else outcome


def _class(uid: str | None) -> str:
    return (sop_class_name(uid) or "unknown SOP class").removesuffix(" Storage")


def _sender(origin: Any) -> str:
    way = _WAYS.get(origin.way, "in another way")
    if origin.way == "DicomProtocol":
        return f"received {way} from {origin.aet} at {origin.address} to {origin.called}"
    return f"received {way} from {origin.address}" if origin.address else f"received {way}"

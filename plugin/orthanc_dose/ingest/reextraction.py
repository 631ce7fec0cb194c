"""Reading all kept content again with the present extractors, without the DICOM objects, and saying what changed."""

import json
import threading
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from ..store import STORE_ERRORS, Batch, Writer
from . import assembly

# Studies of one transaction: new objects wait no longer than these take.
CHUNK = 25
# Numbers of changed studies that the result names.
NAMED = 200
_STATE = "reextraction"


class Reextraction:
    """One run at a time, chunk by chunk between other work of the worker. It goes on where it was after a restart."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._status: dict[str, Any] = _new("idle")
        self._wanted = False
        self._stop = False
        self._studies: list[str] | None = None  # those to come, of the present run

    def request(self) -> dict[str, Any]:
        """Begin a run, where none is under way."""
        with self._lock:
            if self._status["state"] != "running":
                self._status = _new("running")
                self._wanted, self._stop, self._studies = True, False, None
            return self._shown()

    def stop(self) -> dict[str, Any]:
        """End the run after the chunk at hand; what was read stays."""
        with self._lock:
            self._stop = self._status["state"] == "running"
            return self._shown()

    def status(self) -> dict[str, Any]:
        """State (idle, running, stopped, done), progress, and what changed so far."""
        with self._lock:
            return self._shown()

    def _shown(self) -> dict[str, Any]:
        return {name: value for name, value in self._status.items() if name != "after"}

    def load(self, writer: Writer) -> None:
        """Take up what was under way when the program ended, and remember the last result."""
        with self._lock:
            if self._status["state"] == "idle" and (kept := writer.state(_STATE)):
                self._status = json.loads(kept)
                self._wanted = self._status["state"] == "running"

    def step(self, writer: Writer) -> bool:
        """Do one chunk. Whether there was anything to do."""
        with self._lock:
            if not self._wanted:
                return False
            status, stop = dict(self._status), self._stop
        if self._studies is None:
            self._studies = writer.studies_with_content(status["after"])
            status["total"] = status["done"] + len(self._studies)
        chunk = [] if stop else self._studies[:CHUNK]
        if not chunk:
            status |= {"state": "stopped" if stop else "done", "finished_at": _now()}
        else:
            status["after"] = chunk[-1]
        self._read(writer, chunk, status)
        del self._studies[: len(chunk)]
        with self._lock:
            self._status = status
            self._wanted = status["state"] == "running"
        return True

    def _read(self, writer: Writer, chunk: list[str], status: dict[str, Any]) -> None:
        status["done"] += len(chunk)
        try:
            self._read_studies(writer, chunk, status)
        except STORE_ERRORS:
            raise
        except Exception:  # noqa: BLE001  a study that spoils the chunk is left as it is, and the others are read
            for study in chunk:
                try:
                    self._read_studies(writer, [study], status)
                except STORE_ERRORS:
                    raise
                except Exception:  # noqa: BLE001
                    status["failed"] += 1
        # The differences are known after the commit alone, so the state has one of its own: if that is lost, these studies
        # are read once more, which changes nothing.
        writer.commit(Batch(state={_STATE: json.dumps(status)}))

    def _read_studies(self, writer: Writer, studies: list[str], status: dict[str, Any]) -> None:
        before = writer.rows_of_studies(studies)
        out = assembly.again(writer, studies, {})
        writer.commit(out)
        status["failed"] += sum(row["outcome"] == "failed" for row in out.objects)
        self._compare(before, writer.rows_of_studies(studies), status)

    def _compare(self, before: dict[Any, dict[str, Any]], after: dict[Any, dict[str, Any]], status: dict[str, Any]) -> None:
        fields: Counter[str] = Counter(status["fields"])
        changed: set[int] = set()
        for key in before.keys() | after.keys():
            old, new = before.get(key), after.get(key)
            table, study = key[0], key[1]
            if old is None or new is None:
                fields[f"{table}: {'row added' if old is None else 'row gone'}"] += 1
                changed.add(study)
                continue
            for name in new:
                if old[name] != new[name]:
                    fields[f"{table}.{name}"] += 1
                    changed.add(study)
        status["changed"] += len(changed)
        status["fields"] = dict(fields.most_common())
        status["studies"] = (status["studies"] + sorted(changed))[:NAMED]


def _new(state: str) -> dict[str, Any]:
    started = _now() if state == "running" else None
    return {"state": state, "started_at": started, "finished_at": None, "total": 0, "done": 0, "changed": 0, "failed": 0,
            "fields": {}, "studies": [], "after": ""}  # fmt: skip


def _now() -> str:
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0).isoformat() + "Z"

"""Saved searches that run automatically at set times, one after the other.

Missed runs are made up for, once.
"""

import json
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..records import SCHEDULE_RUN
from ..records.task import OPEN
from ..store import Store, state, stored_settings, tasks
from ..work.cron import is_cron, next_time
from .nodes import NoNode
from .remote_node import UNKNOWN

_KIND, _STATE = "schedule", "schedule:"
EVERY_S = 20.0
_LOG = logging.getLogger(__name__)
UNITS = ("days", "hours")
# node; question, as accepted by POST /nodes/{name}/searches but without days and times; cron,
# time_zone; look_back, unit; fetch, whether what it finds is retrieved; on, whether it runs at all.
Schedule = dict[str, Any]
# Starts a search for a user: the schedule, the days and times to ask for, whether to retrieve.
# Returns the task's number.
Begin = Callable[[str, Schedule, dict[str, Any], bool], int]
_KEPT_RUNS = 20  # for each schedule


class StillRuns(Exception):
    """Raised when the previous run is not finished."""


class NoRight(Exception):
    """Raised when the user who saved the schedule may no longer query nodes."""


def schedule_problem(cron: str, time_zone: str) -> str | None:
    """Return what is wrong with the times of a schedule: "cron", "time_zone", or None."""
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "time_zone"
    return None if is_cron(cron) else "cron"


def missed(schedule: Schedule, since: datetime, now: datetime) -> datetime | None:
    """Return the first time after `since` at which the schedule should have run by now, or None.

    All times are in UTC.
    """
    due = next_time(schedule["cron"], since, ZoneInfo(schedule["time_zone"]))
    return due if due is not None and due <= now else None


def next_run(schedule: Schedule, now: datetime) -> datetime | None:
    """Return the time of the next run, in UTC."""
    return next_time(schedule["cron"], now, ZoneInfo(schedule["time_zone"]))


def asked_for(schedule: Schedule, due: datetime, now: datetime) -> dict[str, Any]:
    """Return the days and times of studies to ask for in a run that was due at a certain time.

    They reach from the look-back before that time to now, in the schedule's time zone. Times of day
    are only given within one day, since a node matches days and times independently; over midnight,
    earlier studies are left out of its answers.
    """
    zone = ZoneInfo(schedule["time_zone"])
    end, before = now.astimezone(zone), timedelta(**{schedule["unit"]: schedule["look_back"]})
    if schedule["unit"] == "days":  # calendar days, which may have 23 or 25 hours
        start = due.astimezone(zone) - before
    else:
        start = (due - before).astimezone(zone)
        # If the clock was set back since then, later studies can have an earlier time.
        start -= max(
            timedelta(0), (start.utcoffset() or timedelta(0)) - (end.utcoffset() or timedelta(0))
        )
    days = {"first": start.date().isoformat(), "last": max(start.date(), end.date()).isoformat()}
    if schedule["unit"] == "days":
        return days
    if start.date() == end.date():
        return days | {"time_from": f"{start:%H:%M}", "time_to": None}
    return days | {"since": f"{start:%Y-%m-%dT%H:%M}"}


class Schedules:
    """The schedules; starts whatever is due. May be used from any thread."""

    def __init__(
        self,
        store: Store,
        begin: Begin,
        may: Callable[[str], bool],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Initialize the schedules. may: returns whether a user has the right to query nodes."""
        self._store, self._begin, self._may, self._now = store, begin, may, now
        self._lock = threading.Lock()

    def list_schedules(self) -> list[Schedule]:
        """Return all schedules, sorted by name.

        Each has its fields, the user, `last_task`, `last_due` and `next_run` (UTC), and
        `missing_right`: the user may no longer query nodes, so it does not run.
        """
        with self._store.reading() as connection:
            found = stored_settings.list_settings(connection, "", _KIND)
            states = {name: self._state(connection, name) for name in found}
        out = []
        for name, one in found.items():
            is_missing = not self._may(one["user"])
            coming = next_run(one, self._now()) if one["on"] and not is_missing else None
            out.append(
                {
                    "name": name,
                    **one,
                    **states[name],
                    "next_run": _text(coming),
                    "missing_right": is_missing,
                }
            )
        return out

    def put_schedule(self, name: str, user: str, schedule: Schedule) -> None:
        """Add or change a schedule. It first runs at its next time from now."""
        stored_settings.write_setting(self._store, "", _KIND, name, {**schedule, "user": user})
        self._note(name, self._now(), self._of(name)["last_task"])

    def remove(self, name: str) -> bool:
        """Remove a schedule. Returns False if there was none."""
        there = stored_settings.delete_setting(self._store, "", _KIND, name)
        with self._store.writing() as connection:
            state.delete_state(connection, _STATE + name)
            connection.execute(f'DELETE FROM "{SCHEDULE_RUN.name}" WHERE schedule = $1', [name])
        return there

    def run(self, name: str) -> int:
        """Run a schedule now, and return the task's number.

        Raises KeyError, StillRuns, NoRight, and whatever starting it raises.
        """
        with self._store.reading() as connection:
            schedule = stored_settings.list_settings(connection, "", _KIND)[name]
        return self._run(name, schedule, self._now())

    def start_what_is_due(self) -> None:
        """Start whatever is due; a turn of the clock, every EVERY_S seconds.

        A schedule whose previous run is not finished is made up for afterwards.
        """
        now = self._now()
        with self._store.reading() as connection:
            found = {
                name: (one, self._state(connection, name))
                for name, one in stored_settings.list_settings(connection, "", _KIND).items()
            }
        for name, (schedule, remembered) in found.items():
            if not schedule["on"] or remembered["last_due"] is None:
                continue
            due = missed(schedule, datetime.fromisoformat(remembered["last_due"]), now)
            if due is not None:
                try:
                    self._run(name, schedule, due)
                except (StillRuns, NoRight):  # it is made up for when that ends
                    continue
                except Exception as error:  # noqa: BLE001  the others' turn comes, and this one's at its next time
                    _LOG.error("the scheduled search %s could not start", name, exc_info=error)

    def _run(self, name: str, schedule: Schedule, due: datetime) -> int:
        with self._lock:
            if not self._may(schedule["user"]):
                raise NoRight
            if self._goes_on(name):
                raise StillRuns
            now = self._now()
            try:
                task = self._begin(
                    schedule["user"], schedule, asked_for(schedule, due, now), schedule["fetch"]
                )
            except Exception as error:
                said = (
                    UNKNOWN
                    if isinstance(error, NoNode)
                    else f"It failed because of an internal error: {type(error).__name__}."
                )
                self._note(name, now, None)
                self._remember(name, due, None, said)
                raise
            self._note(name, now, task)
            self._remember(name, due, task, None)
            return task

    def _goes_on(self, name: str) -> bool:
        with self._store.reading() as connection:
            last = self._state(connection, name)["last_task"]
            going_on = tasks.of_states(connection, OPEN)
        return last is not None and any(
            last in (task["id"], task["parameters"].get("search")) for task in going_on
        )

    def _remember(self, name: str, due: datetime, task: int | None, message: str | None) -> None:
        """Record a run, and forget the oldest."""
        table = f'"{SCHEDULE_RUN.name}"'
        with self._store.writing() as connection:
            query = f"INSERT INTO {table} (schedule, due, task_id, message) VALUES ($1, $2, $3, $4)"
            connection.execute(
                query, [name, due.astimezone(UTC).replace(tzinfo=None), task, message]
            )
            oldest = (
                f"SELECT due FROM {table} WHERE schedule = $1 ORDER BY due DESC LIMIT 1 "
                f"OFFSET {_KEPT_RUNS:d}"
            )
            connection.execute(
                f"DELETE FROM {table} WHERE schedule = $1 AND due <= ({oldest})", [name]
            )

    def _of(self, name: str) -> dict[str, Any]:
        with self._store.reading() as connection:
            return self._state(connection, name)

    @staticmethod
    def _state(connection: Any, name: str) -> dict[str, Any]:
        found = state.read_state(connection, _STATE + name)
        return json.loads(found) if found else {"last_due": None, "last_task": None}

    def _note(self, name: str, moment: datetime, task: int | None) -> None:
        value = json.dumps({"last_due": _text(moment), "last_task": task})
        with self._store.writing() as connection:
            state.write_state(connection, _STATE + name, value)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="seconds")

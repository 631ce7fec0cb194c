"""Cron expressions: whether one is valid, and the times for which it stands."""

from datetime import UTC, datetime, tzinfo

from cronsim import CronSim, CronSimError


def is_cron(cron: str) -> bool:
    """Return whether a text is a cron expression that stands for any time at all."""
    try:
        next(CronSim(cron, datetime(2026, 1, 1, tzinfo=UTC)))
    except (CronSimError, StopIteration):
        return False
    return True


def next_time(cron: str, after: datetime, zone: tzinfo) -> datetime | None:
    """Return the first time of a cron expression after another time, in UTC, or None."""
    due = next(CronSim(cron, after.astimezone(zone)), None)
    return None if due is None else due.astimezone(UTC)

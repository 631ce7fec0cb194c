"""The routes for monitoring: metrics for Prometheus, and the health of the server."""

import logging
import shutil
from collections.abc import Iterator
from datetime import UTC
from typing import Any

import duckdb

from .. import __version__
from ..query import overview
from ..query.tasks import states
from ..store import StoreError
from ..store.schema import SCHEMA_VERSION
from .answer_schemas import FLAG, any_object
from .answers import Content, Text
from .backups import backup_status
from .metrics import MIME, Family, Sample, counter, gauge, gauge_by, text_of
from .routes import ANYBODY, MONITORING, Route
from .services import Services

_LOG = logging.getLogger(__name__)


def get_metrics(services: Services) -> Content:
    return Content(Text(text_of(_families(services)), MIME))


def _families(services: Services) -> Iterator[Family]:
    yield Family(
        "orthanc_dose_info",
        "gauge",
        "Version of the program and of the schema of its store; the value is always 1.",
        (Sample(1, {"version": __version__, "schema": str(SCHEMA_VERSION)}),),
    )
    yield gauge(
        "orthanc_dose_start_time_seconds",
        "Time of the start, in seconds since 1970-01-01 UTC.",
        services.started_at.replace(tzinfo=UTC).timestamp(),
    )
    queue = services.queue.status()
    yield gauge(
        "orthanc_dose_queue_pending",
        "Changes of Orthanc and requested objects that are not processed yet.",
        queue["pending"],
    )
    yield gauge_by(
        "orthanc_dose_worker_state",
        "1 for the present state of the worker; it waits after an error of the store.",
        "state",
        {state: float(queue["state"] == state) for state in ("idle", "working", "waiting")},
    )
    yield gauge("orthanc_dose_worker_up", "1 if the worker is running.", services.queue.is_alive)
    yield counter(
        "orthanc_dose_errors_total",
        "Entries of level error in the log since the start.",
        services.log.errors,
    )
    yield gauge(
        "orthanc_dose_store_bytes",
        "Size of the store on disk in bytes, including the write-ahead log.",
        services.store.size(),
    )
    yield gauge(
        "orthanc_dose_disk_free_bytes",
        "Free space in bytes on the disk of the store.",
        shutil.disk_usage(services.store.path.parent).free,
    )
    yield from _of_store(services)
    yield services.request_times.family()


def _of_store(services: Services) -> Iterator[Family]:
    """Yield what the store says, or only that it says nothing: no number is out of date."""
    try:
        with services.store.reading() as connection:
            counts, tasks = overview.counts(connection), states(connection, None)
            followers = services.followers.status(connection)
        age = backup_status(services.backups.newest())["age_seconds"]
    except (StoreError, duckdb.Error) as error:
        _LOG.warning("metrics without those of the store: %s", type(error).__name__)
        yield gauge("orthanc_dose_store_up", "1 if the store can be read.", 0)
        return
    yield gauge("orthanc_dose_store_up", "1 if the store can be read.", 1)
    yield gauge(
        "orthanc_dose_backup_age_seconds",
        "Age in seconds of the newest verified backup; absent if there is none.",
        age,
    )
    for name, about, label, values in (
        ("tasks", "Tasks, by state.", "state", tasks),
        ("studies", "Studies in the store, by modality type.", "modality", counts["studies"]),
        ("objects", "Objects seen, by outcome.", "outcome", counts["objects"]),
        (
            "follower_pending",
            "Changes of studies that a follower has not processed yet.",
            "follower",
            {one["name"]: one["behind"] for one in followers},
        ),
        (
            "follower_failures",
            "Changes of studies that a follower could not process.",
            "follower",
            {one["name"]: one["failing"] + one["skipped"] for one in followers},
        ),
    ):
        yield gauge_by(f"orthanc_dose_{name}", about, label, values)


def get_health(services: Services) -> Content:
    found = services.health.check()
    works = all(found.values())
    return Content({"works": works, "checks": found}, 200 if works else 503)


_HEALTH: dict[str, Any] = any_object(
    works=FLAG, checks=any_object(store=FLAG, worker=FLAG, disk=FLAG)
)

WATCHING_ROUTES: tuple[Route, ...] = (
    Route("GET", "/health", get_health, "Return whether the server works, for load balancers",
          {200: _HEALTH, 503: _HEALTH}, tag="System", needs=ANYBODY,
          description="200 if the store is open, the worker is running and the disk of the "
                      "store can be written, otherwise 503. Nobody has to be signed in. Checked "
                      "at most once every two seconds."),
    Route("GET", "/metrics", get_metrics, "Return metrics in the text format of Prometheus",
          {200: {"type": "string", "contentMediaType": MIME}}, tag="System", needs=MONITORING,
          description="Also at `/dose/metrics`. Contains numbers only, of no user, patient or "
                      "study. If the store cannot be read, `orthanc_dose_store_up` is 0 and "
                      "its numbers are left out."),
)  # fmt: skip

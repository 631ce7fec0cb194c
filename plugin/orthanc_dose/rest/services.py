"""The services that the handlers of the routes work with."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from ..backup.backups import Backups
from ..export.copy import Copies
from ..export.exports import Exports
from ..manage.access import Access
from ..manage.audit_log import AuditLog
from ..manage.log import Log
from ..manage.provider import Provider
from ..manage.settings import Settings
from ..records import OUTCOMES
from ..retrieve.fetching import Fetching
from ..retrieve.nodes import Nodes
from ..retrieve.schedules import Schedules
from ..retrieve.search_tasks import Searches
from ..sizes.files import SizeFiles
from ..sql.runs import Runs
from ..store import ObjectRow, Store
from ..work.followers import Followers
from ..work.runner import Runner
from .health import Health
from .metrics import RequestTimes

# Seconds that an answer waits for the worker; after that it is answered with 202.
PATIENCE = 10.0


class Queue(Protocol):
    """The part of the worker's queue that the API needs."""

    def status(self) -> dict[str, Any]: ...
    def read_again(self, handles: list[str]) -> None: ...
    def reconcile(self) -> None: ...
    def is_queued(self, handle: str) -> bool: ...
    def wait(self, done: Any, seconds: float) -> bool: ...
    @property
    def is_alive(self) -> bool: ...
    @property
    def reconciliations_done(self) -> int: ...


class Requests(Protocol):
    """The requests of the API to the worker, each with a Future that completes when it is done."""

    def take_out(self, sop_instance_uid: str) -> Future[None]: ...
    def rename_systems(self, equipment_ids: list[int], display_name: str) -> Future[None]: ...
    def join_systems(
        self, equipment_ids: list[int], into: int, user: str
    ) -> Future[int | None]: ...
    def separate_system(self, equipment_id: int, user: str) -> Future[int | None]: ...
    def sort_studies(self, equipment_ids: list[int], user: str, **parameters: Any) -> int: ...
    def delete_studies(self, equipment_id: int, studies: int, row: bool, user: str) -> int: ...
    def delete_study(self, study_id: int) -> Future[None]: ...
    def change_names(self, change: Callable[[list[Any]], list[Any]]) -> Future[None]: ...
    def find_nested(self, user: str) -> int: ...
    def forget_objects(self, handles: list[str]) -> Future[int]: ...


def in_time(asked: Future[Any]) -> bool:
    """Wait for a request to the worker and return whether it was done in PATIENCE seconds.

    Raises whatever the request raised.
    """
    try:
        asked.result(PATIENCE)
    except TimeoutError:
        return False
    return True


@dataclass(kw_only=True)
class Services:
    """The services that handlers work with.

    orthanc_studies: Orthanc's identifiers of the studies with a Study Instance UID;
    orthanc_objects: those of objects, by handle; neither may appear in answers. hashes: the hashes
    as which a text may be stored. A handler that reveals who a patient is records that in `audit`.
    """

    store: Store
    access: Access
    audit: AuditLog
    log: Log
    queue: Queue
    requests: Requests
    settings: Settings
    size_files: SizeFiles
    runner: Runner
    exports: Exports
    copies: Copies
    backups: Backups
    sql: Runs
    nodes: Nodes
    searches: Searches
    fetching: Fetching
    schedules: Schedules
    followers: Followers
    health: Health
    provider: Provider
    orthanc: dict[str, Any]
    started_at: datetime
    hashes: Callable[[str], list[str]]
    orthanc_studies: Callable[[str], list[str]]
    orthanc_objects: Callable[[list[ObjectRow]], dict[str, str]]
    request_times: RequestTimes = field(default_factory=RequestTimes)
    last_loss: dict[str, Any] | None = None
    last_backup: dict[str, Any] | None = None
    last_followers: list[dict[str, Any]] = field(default_factory=list)
    last_counts: dict[str, Any] = field(
        default_factory=lambda: {
            "studies": {},
            "events": 0,
            "objects": dict.fromkeys(OUTCOMES, 0),
            "in_orthanc": dict.fromkeys(("to_delete", "deleted", "dropped"), 0),
        }
    )

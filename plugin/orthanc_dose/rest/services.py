"""What the handlers of the routes work with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from ..manage.access import Access
from ..manage.audit import AuditLog
from ..records import OUTCOMES
from ..store import Store

# Seconds that an answer waits for the worker; what takes longer is answered with 202.
PATIENCE = 10.0


class Queue(Protocol):
    """What the API needs of the worker."""

    def status(self) -> dict[str, Any]: ...
    def read_again(self, instances: list[str]) -> None: ...
    def audit(self) -> None: ...
    def take_out(self, sop_instance_uid: str) -> None: ...
    def is_to_be_taken_out(self, sop_instance_uid: str) -> bool: ...
    def set_user_defined_modality(self, equipment_id: int, modality: str | None) -> None: ...
    def is_to_be_set(self, equipment_id: int) -> bool: ...
    def reextract(self) -> dict[str, Any]: ...
    @property
    def reextraction(self) -> Any: ...
    def is_queued(self, instance: str) -> bool: ...
    def wait(self, done: Any, seconds: float) -> bool: ...
    @property
    def audits_done(self) -> int: ...


@dataclass
class Services:
    """What handlers work with. orthanc_studies: Orthanc's identifiers of the studies of a Study Instance UID. What a handler tells
    of who a patient is, it notes in `audit`."""

    store: Store
    access: Access
    audit: AuditLog
    queue: Queue
    orthanc: dict[str, Any]
    started_at: datetime
    orthanc_studies: Callable[[str], list[str]] = lambda study_instance_uid: []
    last_counts: dict[str, Any] = field(
        default_factory=lambda: {"studies": {}, "events": 0, "objects": dict.fromkeys(OUTCOMES, 0)}
    )

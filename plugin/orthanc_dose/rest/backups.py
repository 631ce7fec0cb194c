"""The routes of backups: what there is, and making one now."""

from datetime import UTC, datetime
from typing import Any

from ..store import state
from ..store.marks import LOST
from .answer_schemas import FLAG, INTEGER, TEXT, TEXT_OR_NULL, any_object, array, component
from .routes import ADMINISTRATION, Caller, Route
from .services import Services


def backup_status(newest: dict[str, Any] | None) -> dict[str, Any]:
    """Return what the status of the program says of backups."""
    if newest is None:
        return {"newest_at": None, "age_seconds": None}
    age = datetime.now(UTC) - datetime.fromisoformat(newest["at"])
    return {"newest_at": newest["at"], "age_seconds": max(0, round(age.total_seconds()))}


def list_backups(services: Services) -> dict[str, Any]:
    backups = services.backups
    next_at = backups.next_at()
    return {
        "folder": str(backups.folder),
        "problem": backups.problem(),
        "with_key": backups.keeps_key,
        "next_at": None if next_at is None else f"{next_at.replace(tzinfo=None).isoformat()}Z",
        "backups": backups.found(),
    }


def start_backup(services: Services, caller: Caller) -> tuple[int, dict[str, Any]]:
    number = services.backups.start(caller.name)
    services.audit.note(caller, "backup started", f"task {number}")
    return 202, {"task_id": number}


def see_loss(services: Services) -> dict[str, Any]:
    with services.store.writing() as connection:
        state.delete_state(connection, LOST)
    return {"seen": True}


BACKUP_ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/backups",
        list_backups,
        "List the backups in the folder of the settings, the newest first",
        {
            200: any_object(
                folder=TEXT,
                problem=TEXT_OR_NULL
                | {"description": "Why no backup can be written to the folder now."},
                with_key=FLAG,
                next_at=TEXT_OR_NULL | {"description": "UTC; of the next scheduled backup."},
                backups=array(
                    component(
                        "backup",
                        any_object(
                            name=TEXT,
                            folder=TEXT,
                            at=TEXT | {"description": "UTC; of the state that it contains."},
                            version=TEXT,
                            rows=INTEGER,
                            studies=INTEGER,
                            bytes=INTEGER,
                            key=FLAG,
                        ),
                    )
                ),
            )
        },
        tag="System",
        needs=ADMINISTRATION,
        description="All of them were verified when they were made. `with_key`: whether new "
        "backups contain the installation's key, encrypted with `BackupPassphrase` of the "
        "configuration.",
    ),
    Route(
        "POST",
        "/backups",
        start_backup,
        "Start a task that makes a backup while the server is running",
        {202: any_object(task_id=INTEGER)},
        tag="System",
        with_caller=True,
        needs=ADMINISTRATION,
        description="The backup holds one state of the store, with the data of patients and "
        "users, and can be read by its owner on the server only. It is compared with the store "
        "before it counts as complete.",
    ),
    Route(
        "POST",
        "/backups/loss-seen",
        see_loss,
        "Remove the message that the store has lost its last transactions from the status",
        {200: any_object(seen=FLAG)},
        tag="System",
        needs=ADMINISTRATION,
        action="message of lost transactions removed",
    ),
)

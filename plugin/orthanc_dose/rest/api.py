"""The routes of the API: each is a declaration and a handler of a few lines on top of `query`."""

from collections.abc import Iterable
from datetime import date, datetime
from functools import cache
from typing import Any

import duckdb

from .. import __version__
from ..query import lists, overview
from ..query.filters import FILTERS, GROUPS
from ..records import IDENTITY_FIELDS, MARKS, MODALITIES, OUTCOMES, SOURCES, TABLES
from ..store import StoreError
from ..store.marks import lost
from ..store.schema import SCHEMA_VERSION
from . import openapi
from .answer_schemas import FIELDS, STATUS, SUMMARY
from .audit_log import AUDIT_LOG_ROUTES
from .backups import BACKUP_ROUTES, backup_status
from .charts import CHART_ROUTES
from .deletion import DELETION_ROUTES
from .equipment import EQUIPMENT_ROUTES
from .estimate_tables import ESTIMATE_TABLE_ROUTES
from .exports import EXPORT_ROUTES
from .followers import FOLLOWER_ROUTES
from .identity import IDENTITY_ROUTES
from .log import LOG_ROUTES
from .nodes import NODE_ROUTES
from .objects import OBJECT_ROUTES
from .orthanc import ORTHANC_ROUTES
from .parameters import Parameter
from .provider import PROVIDER_ROUTES
from .reference_levels import REFERENCE_LEVEL_ROUTES
from .review import REVIEW_ROUTES
from .routes import SIGNED_IN, VIEW, WATCHING, Caller, Route
from .saved_filters import SAVED_FILTER_ROUTES
from .schedules import SCHEDULE_ROUTES
from .searches import SEARCH_ROUTES
from .second_step import SECOND_STEP_ROUTES
from .services import Services
from .session import SESSION_ROUTES
from .settings import SETTING_ROUTES
from .sizes import SIZE_ROUTES
from .sql import SQL_ROUTES
from .standard_names import STANDARD_NAME_ROUTES
from .studies import STUDY_ROUTES
from .study_files import STUDY_FILE_ROUTES
from .system_studies import SYSTEM_STUDY_ROUTES
from .tasks import TASK_ROUTES
from .tokens import TOKEN_ROUTES
from .users import USER_ROUTES
from .watching import WATCHING_ROUTES
from .work import WORK_ROUTES


def get_status(services: Services) -> dict[str, Any]:
    try:
        with services.store.reading() as connection:
            services.last_counts = overview.counts(connection)
            services.last_followers = services.followers.status(connection)
            services.last_loss = lost(connection)
        services.last_backup = services.backups.newest()
    except (StoreError, duckdb.Error):
        pass  # the status must answer even then: with the last counts read
    queue = services.queue.status()
    return {
        "version": __version__,
        "schema_version": SCHEMA_VERSION,
        "started_at": services.started_at.isoformat(timespec="seconds") + "Z",
        "orthanc": services.orthanc,
        "store": {
            "size_bytes": services.store.size(),
            **services.last_counts,
            "lost": services.last_loss,
        },
        "queue": queue | {"audit": queue["reconciliation"]},
        "followers": services.last_followers,
        "backup": backup_status(services.last_backup),
    }


def get_summary(services: Services, days: int, more_days: int) -> dict[str, Any]:
    with services.store.reading() as connection:
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        modalities = overview.summary(connection, date.today(), days, more_days)
        today = overview.received_today(connection)
        return {"now": now, "today": today, "days": [days, more_days], "modalities": modalities}


def get_fields(services: Services, caller: Caller) -> dict[str, Any]:
    hidden = frozenset() if caller.sees_identity else IDENTITY_FIELDS

    def shown(names: Iterable[str]) -> list[str]:
        return [name for name in names if name not in hidden]

    return {
        "tables": [
            {
                "name": table.name,
                "title": table.title,
                "description": table.description,
                "fields": [field.as_dict() for field in (*table.fields, *table.derived)],
            }
            for table in TABLES
        ],
        "modalities": [
            {
                "code": modality.code,
                "title": modality.title,
                "events_table": modality.events.name,
                "accumulated_table": modality.accumulated and modality.accumulated.name,
                "totals": list(modality.totals),
                "event_columns": list(modality.leading),
            }
            for modality in MODALITIES.values()
        ],
        "marks": MARKS,
        "sources": SOURCES,
        "outcomes": OUTCOMES,
        "filters": [one.as_dict() for one in FILTERS if caller.sees_identity or not one.identity],
        "filter_groups": GROUPS,
        "list_columns": {code: shown(lists.columns_of(code)) for code in MODALITIES},
        "usual_columns": {code: shown(lists.usual_columns(code)) for code in MODALITIES},
        "sortable": shown(lists.SORTABLE),
    }


def get_openapi(services: Services) -> dict[str, Any]:
    return _description()


@cache
def _description() -> dict[str, Any]:
    # The same for everybody at any time; built on the first request, which takes half a second.
    return openapi.document(ROUTES)


MOST_DAYS = 3660

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/status",
        get_status,
        "Return the version, the contents of the store and the state of the queue",
        {200: STATUS},
        tag="System",
        needs=WATCHING,
    ),
    Route(
        "GET",
        "/summary",
        get_summary,
        "Return the studies per modality type and system, the workload, and what arrived today",
        {200: SUMMARY},
        (
            Parameter(
                "days",
                "integer",
                "Number of days whose studies are counted, including today.",
                7,
                1,
                MOST_DAYS,
            ),
            Parameter(
                "more_days",
                "integer",
                "Number of days whose studies are counted, including today.",
                30,
                1,
                MOST_DAYS,
            ),
        ),
        description="Possible test data is excluded. The workload is the number of studies per "
        "day, over the longer of the two periods.",
        needs=VIEW,
    ),
    *WATCHING_ROUTES,
    *STUDY_ROUTES,
    *SAVED_FILTER_ROUTES,
    *OBJECT_ROUTES,
    *ORTHANC_ROUTES,
    *DELETION_ROUTES,
    *EQUIPMENT_ROUTES,
    *SYSTEM_STUDY_ROUTES,
    *STANDARD_NAME_ROUTES,
    *WORK_ROUTES,
    *FOLLOWER_ROUTES,
    *SESSION_ROUTES,
    *SECOND_STEP_ROUTES,
    *PROVIDER_ROUTES,
    *TOKEN_ROUTES,
    *USER_ROUTES,
    *AUDIT_LOG_ROUTES,
    *TASK_ROUTES,
    *EXPORT_ROUTES,
    *BACKUP_ROUTES,
    *NODE_ROUTES,
    *SEARCH_ROUTES,
    *REVIEW_ROUTES,
    *SCHEDULE_ROUTES,
    *SQL_ROUTES,
    *STUDY_FILE_ROUTES,
    *CHART_ROUTES,
    *REFERENCE_LEVEL_ROUTES,
    *ESTIMATE_TABLE_ROUTES,
    *SETTING_ROUTES,
    *IDENTITY_ROUTES,
    *SIZE_ROUTES,
    *LOG_ROUTES,
    Route(
        "GET",
        "/fields",
        get_fields,
        "Return the data dictionary: each field with its type, unit, concept and description",
        {200: FIELDS},
        tag="System",
        with_caller=True,
        needs=SIGNED_IN,
        description="Lists only the filters and columns that the caller may use.",
    ),
    Route(
        "GET",
        "/openapi.json",
        get_openapi,
        "This description",
        {200: {"type": "object"}},
        tag="System",
        needs=SIGNED_IN,
    ),
)

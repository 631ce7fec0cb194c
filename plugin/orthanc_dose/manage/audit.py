"""The audit log: who did what to what, when and from where.

Entries are never changed, and only deleted when they are old.
"""

import csv
import io
import logging
from datetime import UTC, datetime
from typing import Any, Protocol

import duckdb

from ..records import AUDIT_LOG
from ..records.rows import AuditLogRow
from ..store import Store, numbers
from ..store.database import rows_of

_LOG = logging.getLogger(__name__)

UNKNOWN = "(unknown)"  # replaces names of unknown users: people type passwords where names belong
COLUMNS = AUDIT_LOG.names
_LONGEST = {"subject": 300, "details": 2000, "user_name": 200, "address": 100}


class Who(Protocol):
    """The person or program that an entry is about."""

    @property
    def name(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def way(self) -> str: ...


class AuditLog:
    """The log in the store. Safe to be used from several threads."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def note(
        self, who: Who, action: str, subject: str = "", details: str = "", succeeded: bool = True
    ) -> None:
        """Add an entry, which must not contain any patient's name or ID.

        If the store cannot take it now, it goes to Orthanc's log: a full disk must not keep an
        administrator out.
        """
        entry = {
            "at": datetime.now(UTC).replace(tzinfo=None),
            "user_name": who.name or UNKNOWN,
            "address": who.address,
            "way": who.way,
            "action": action,
            "subject": subject,
            "details": details,
            "succeeded": succeeded,
        }
        entry |= {name: str(entry[name])[:most] for name, most in _LONGEST.items()}
        names = ", ".join(f'"{name}"' for name in ("number", *entry))
        query = f"INSERT INTO audit_log ({names}) VALUES ({', '.join('?' * (len(entry) + 1))})"
        try:
            with self._store.writing() as connection:
                connection.execute(
                    query, [numbers.take(connection, numbers.AUDIT_ENTRIES), *entry.values()]
                )
        except Exception as error:  # noqa: BLE001  whatever it is, what was done stays done
            said = (
                f"{action}, {'done' if succeeded else 'failed'}, by {entry['user_name']!r}, "
                f"{subject!r}"
            )
            _LOG.error("an entry could not be written to the audit log: %s", said, exc_info=error)


def page(
    connection: duckdb.DuckDBPyConnection, given: dict[str, Any], limit: int, offset: int
) -> dict[str, Any]:
    """Return a page of entries, the newest first, and the number of all found.

    given: values by name of FILTERS.
    """
    where, bound = _where(given)
    total = connection.execute(f"SELECT count(*) FROM audit_log WHERE {where}", bound).fetchone()
    query = (
        f"SELECT * FROM audit_log WHERE {where} ORDER BY number DESC LIMIT {limit:d} OFFSET "
        f"{offset:d}"
    )
    entries = rows_of(connection.execute(query, bound), AuditLogRow)
    return {"total": total[0] if total else 0, "entries": entries}


def known(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """Return the users and actions that occur, for choosing from."""
    out = {}
    for name in ("user_name", "action"):
        found = connection.execute(
            f"SELECT DISTINCT {name} FROM audit_log ORDER BY lower({name}), {name}"
        ).fetchall()
        out[name] = [row[0] for row in found]
    return {"users": out["user_name"], "actions": out["action"]}


def last_sign_ins(connection: duckdb.DuckDBPyConnection) -> dict[str, datetime]:
    """Return when (UTC) each user last signed in, as far as the log goes back."""
    query = (
        """SELECT user_name, max("at") FROM audit_log WHERE action = 'sign-in' AND succeeded """
        "GROUP BY user_name"
    )
    return dict(connection.execute(query).fetchall())


def as_csv(connection: duckdb.DuckDBPyConnection, given: dict[str, Any]) -> bytes:
    """Return the entries, the oldest first, as CSV (RFC 4180) for spreadsheets.

    It is UTF-8 with a byte order mark.
    """
    where, bound = _where(given)
    out = io.StringIO()
    written = csv.writer(out)
    written.writerow(COLUMNS)
    connection.execute(f"SELECT * FROM audit_log WHERE {where} ORDER BY number", bound)
    while found := connection.fetchmany(10_000):
        written.writerows([_cell(value) for value in row] for row in found)
    return out.getvalue().encode("utf-8-sig", "replace")


def forget_before(connection: duckdb.DuckDBPyConnection, moment: datetime) -> int:
    """Delete entries older than a time, and return their number."""
    found = connection.execute('DELETE FROM audit_log WHERE "at" < $1', [moment]).fetchone()
    return found[0] if found else 0


# The search conditions, by name of the parameter.
FILTERS = {
    "user": "user_name = $user",
    "action": "action = $action",
    "from": '"at" >= $from',
    "to": '"at" < $to',
    "text": "contains(lower(concat_ws(' ', user_name, address, action, subject, details)), "
    "lower($text))",
}


def _where(given: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    bound = {name: given[name] for name in FILTERS if given.get(name) is not None}
    return " AND ".join(FILTERS[name] for name in bound) or "true", bound


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds") + "Z"
    if isinstance(value, bool):
        return "yes" if value else "no"
    # A spreadsheet would take it for a formula, and execute it.
    return (
        f"'{value}"
        if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r"))
        else value
    )

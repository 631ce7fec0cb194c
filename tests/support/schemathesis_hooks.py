"""Loaded by schemathesis: limits requests to those that reach the plugin.

Orthanc's own HTTP server answers header names and values that HTTP does not allow with a text of
its own before any plugin is asked, and no route of ours has a header parameter: requests are sent
without made-up headers, and none is considered bad for such a header.
"""

import itertools
from collections import Counter
from typing import Any
from urllib.parse import urlencode

import schemathesis

from tests.support.effort import LONG


@schemathesis.hook
def filter_headers(context: Any, headers: Any) -> bool:
    return not headers


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    other_headers = {name for name in case.headers or {} if name.lower() != "authorization"}
    return not other_headers and _fits(case) and _is_tried(case)


def _fits(case: Any) -> bool:
    # Orthanc's server accepts requests of up to 16 kB, and rejects longer ones with its own text.
    # For a parameter that appears several times it passes on only the last value.
    query = case.query or {}
    return (
        not any(isinstance(value, list) for value in query.values())
        and len(urlencode(query)) < 12_000
    )


# Hundreds of filters and settings have the same few types: of the edge cases of a route's schema,
# the short run tries the first ones, and every fifth of the others.
FIRST, EACH = 60, 5
_edges: Counter[tuple[str, str]] = Counter()


def _is_tried(case: Any) -> bool:
    if LONG or case.meta is None or case.meta.phase.name != "coverage":
        return True
    route = case.method, case.path
    _edges[route] += 1
    return _edges[route] <= FIRST or _edges[route] % EACH == 0


_calls = itertools.count(256)

_TABLES = {
    kind: {
        "key": "own", "version": "1", "kind": kind, "title": "Own", "weights": "ICRP 103", "unit": unit, "source": "test",
        "rows": [{about: name, "phantom": "body", "coefficient": 0.1}],
    }
    for kind, unit, about, name in (
        ("ct", "mSv/(mGy.cm)", "region", "chest"),
        ("nm", "mSv/MBq", "agent", "SCT:35321007"),
        ("dap", "mSv/(Gy.cm2)", "pattern", "*"),
    )
}  # fmt: skip


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    # Wrong passwords lock the name and the address: each sign-in uses another name, and another
    # address (the server of this test believes its peer to be a proxy).
    if (
        case.path.endswith("/standard-names/import")
        and isinstance(case.body, dict)
        and isinstance(case.body.get("csv"), str)
    ):
        # The schema does not describe CSV: invalid texts are refused, which test_standard_names.py
        # checks.
        case.body = case.body | {"csv": "kind,pattern,modality,standard_name\r\n"}
    if case.method == "PUT" and case.path.endswith("/settings") and isinstance(case.body, dict):
        # Nor does it describe the time zones that exist, which the system knows: test_settings.py
        # tries one that does not exist.
        zone = case.body.get("time_zone")
        if isinstance(zone, str) and len(zone) <= 100:
            case.body = case.body | {"time_zone": "Europe/London"}
        # Nor cron expressions and absolute paths: test_backups.py tries others.
        for name, longest, valid in (
            ("backup_schedule", 100, "30 2 * * *"),
            ("backup_folder", 1_000, ""),
        ):
            value = case.body.get(name)
            if isinstance(value, str) and len(value) <= longest and not {"\n", "\0"} & {*value}:
                case.body = case.body | {name: valid}
    if case.method == "PUT" and "/estimate-tables/" in case.path and isinstance(case.body, dict):
        # Nor does it describe tables of coefficients: test_estimates.py tries invalid ones.
        kind = (case.path_parameters or {}).get("kind")
        if isinstance(case.body.get("table"), dict) and kind in _TABLES:
            case.body = case.body | {"table": _TABLES[kind]}
    if case.method == "POST" and case.path.endswith("/sql") and isinstance(case.body, dict):
        # Nor does it describe SQL: test_sql.py tries invalid texts, and statements that may not
        # run.
        sql = case.body.get("sql")
        if isinstance(sql, str) and 1 <= len(sql) <= 20_000:
            case.body = case.body | {"sql": "SELECT modality FROM study"}
    if case.method == "POST" and case.path.endswith("/session"):
        number = next(_calls)
        case.headers = {
            **(case.headers or {}),
            "X-Forwarded-For": f"10.1.{number // 256}.{number % 256}",
        }
        if (
            isinstance(case.body, dict)
            and isinstance(case.body.get("name"), str)
            and len(case.body["name"]) == 1
        ):
            case.body = case.body | {"name": case.body["name"] + str(number)}
    # The schema does not describe a CSV file: it begins with a header, followed by any bytes.
    if case.method == "POST" and case.path.endswith("/size-imports"):
        made = case.body if isinstance(case.body, bytes) else getattr(case.body, "data", b"")
        case.body = b"number;height;weight\n" + made.replace(b"\0", b"")

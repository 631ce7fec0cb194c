"""`orthanc-dose import-sizes`: imports heights and weights from a CSV file or a workbook to a
running server."""

import argparse
import sys
from pathlib import Path
from typing import Any

from ..client import ClientError, add_server_arguments, connected, follow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="the CSV file or workbook (XLSX, first sheet)")
    parser.add_argument(
        "--identifier",
        required=True,
        metavar="COLUMN",
        help="column of the identifier: its name or number",
    )
    parser.add_argument(
        "--kind",
        choices=("accession-number", "study-uid"),
        default="accession-number",
        help="kind of the identifier (default: %(default)s)",
    )
    parser.add_argument("--height", metavar="COLUMN", help="column of the height")
    parser.add_argument("--weight", metavar="COLUMN", help="column of the weight, in kg")
    parser.add_argument(
        "--height-unit",
        choices=("cm", "m"),
        help="unit of heights whose cells have none; detected automatically if the column's name "
        "or its values leave no doubt",
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace existing heights and weights",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="write nothing; only report what would happen"
    )
    add_server_arguments(parser)
    parser.epilog = f"{parser.epilog} The exit status is 0 if the whole file was processed."


def run(chosen: argparse.Namespace) -> int:
    """Upload the file, import it, follow the task, and print what became of the lines. Return 0 if
    the whole file was processed, else 1. Raises ClientError if no value column is given or the file
    cannot be read."""
    if not (chosen.height or chosen.weight):
        raise ClientError(
            "Specify the columns with the values: --height COLUMN, --weight COLUMN or both."
        )
    try:
        raw = chosen.file.read_bytes()
    except OSError as error:
        raise ClientError(f"Cannot read {chosen.file}: {error.strerror}.") from error
    client = connected(chosen)
    uploaded = client.call("POST", "/size-imports", raw)
    place = f"/size-imports/{uploaded['id']}"
    try:
        choice = _choice(chosen, uploaded)
        task = client.call("POST", f"{place}/start", choice | {"dry_run": chosen.dry_run})[
            "task_id"
        ]
    except ClientError:
        client.call("DELETE", place)
        raise
    found = follow(client, task, "lines")
    if chosen.dry_run:
        client.call("DELETE", place)
    verb = "would be" if chosen.dry_run else "were"
    print(f"{found['done']:,} lines {verb} processed; studies and lines by outcome:")
    for outcome, count in found["result"].items():
        print(f"  {outcome + ':':15}{count:>12,}")
    if found["state"] != "done":
        print(
            f"The import was not completed: {found['message'] or found['state']}",
            file=sys.stderr,
        )
        return 1
    return 0


def _choice(chosen: argparse.Namespace, uploaded: dict[str, Any]) -> dict[str, Any]:
    columns = uploaded["columns"]
    at = {
        name: _column(columns, getattr(chosen, name)) for name in ("identifier", "height", "weight")
    }
    unit = chosen.height_unit
    if unit is None and at["height"] is not None and uploaded["guess"]["height"] == at["height"]:
        unit = uploaded["guess"]["height_unit"]
    if unit is None and at["height"] is not None:
        raise ClientError(
            "The unit of the heights is unclear: specify --height-unit cm or --height-unit m."
        )
    return at | {
        "kind": chosen.kind,
        "height_unit": unit,
        "weight_unit": "kg",
        "overwrite": chosen.overwrite,
    }


def _column(columns: list[str], wanted: str | None) -> int | None:
    if wanted is None:
        return None
    found = [at for at, name in enumerate(columns) if name.casefold() == wanted.strip().casefold()]
    if len(found) == 1:
        return found[0]
    if not found and wanted.isdecimal() and 0 < int(wanted) <= len(columns):
        return int(wanted) - 1
    why = "several columns have this name" if found else "the file has no such column"
    raise ClientError(
        f'"{wanted}": {why}. Its columns are: {", ".join(columns)}. Numbers count columns from 1.'
    )

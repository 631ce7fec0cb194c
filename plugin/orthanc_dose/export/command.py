"""`orthanc-dose export`: export the studies that match filters from a running server to a file."""

import argparse
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..client import Client, ClientError, add_server_arguments, connected, follow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--format",
        default="xlsx",
        help="csv, xlsx, parquet, arrow, jsonl or a form for a modality type; if the name is "
        "unknown, the server lists all formats (default: %(default)s)",
    )
    parser.add_argument(
        "--modality",
        metavar="TYPE",
        help="CT, RF, DX, MG or NM (default: all together)",
    )
    parser.add_argument(
        "--filter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a filter as in the address of a list, such as study_date_from=2026-01-01; can be "
        "repeated",
    )
    parser.add_argument(
        "--identity",
        action="append",
        default=[],
        choices=("name", "id"),
        help="include patients' names or IDs, together with birth dates, if you may see them; "
        "can be given twice",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="file to write (default: the name that the server suggests, in the current folder)",
    )
    add_server_arguments(parser)


def run(chosen: argparse.Namespace) -> int:
    """Start the export, follow its progress, download the file, and print its path."""
    query = dict(_filter(one) for one in chosen.filter)
    client = connected(chosen)
    wanted = {
        "format": chosen.format,
        "modality": chosen.modality,
        "query": query,
        "identity": sorted(set(chosen.identity)),
    }
    task = client.call("POST", "/exports", wanted)
    try:
        found = follow(client, task["id"], "studies")
    except KeyboardInterrupt:
        with suppress(ClientError):
            client.call("POST", f"/tasks/{task['id']}/stop")
        raise ClientError("The export was stopped.") from None
    if found["state"] != "done":
        raise ClientError(f"The export was not completed: {found['message'] or found['state']}")
    path = chosen.output or Path(found["subject"])
    try:
        _fetch(client, found, path)
    except OSError as error:
        raise ClientError(f"Cannot write {path}: {error.strerror}.") from error
    print(f"{path}: studies: {found['result']['studies']:,}, {found['result']['bytes']:,} bytes")
    return 0


def _filter(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise ClientError(f"--filter must be NAME=VALUE, not {text!r}")
    return name, value


def _fetch(client: Client, task: dict[str, Any], path: Path) -> None:
    """Download the file piece by piece; it gets its final name when it is complete."""
    part, size = path.with_name(f"{path.name}.part"), task["result"]["bytes"]
    try:
        with open(part, "wb") as file:
            while (at := file.tell()) < size:
                piece = client.raw("GET", f"/exports/{task['id']}/file?offset={at}")
                if not piece:
                    raise ClientError(
                        "The server sent less data than announced: the file is "
                        "incomplete. Try again."
                    )
                file.write(piece)
                if sys.stderr.isatty():
                    print(
                        f"\r{file.tell() / 1e6:,.1f} of {size / 1e6:,.1f} MB{'':20}",
                        end="",
                        file=sys.stderr,
                        flush=True,
                    )
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
        if sys.stderr.isatty():
            print(file=sys.stderr)

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
        help="csv, xlsx, parquet, arrow, jsonl or one of the forms of a modality"
        " type; the server says which it has (%(default)s)",
    )
    parser.add_argument(
        "--modality",
        metavar="TYPE",
        help="CT, RF, DX, MG or NM; all together where it is not given",
    )
    parser.add_argument(
        "--filter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="as in the address of a list: study_date_from=2026-01-01; may be given several times",
    )
    parser.add_argument(
        "--identity",
        action="append",
        default=[],
        choices=("name", "id"),
        help="with patients' names or IDs, and birth dates, for those who may see them; may be "
        "given"
        " twice",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="where to write it; its own name in this folder where it is not given",
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
        raise ClientError("The export is stopped.") from None
    if found["state"] != "done":
        raise ClientError(
            f"The export did not come to its end: {found['message'] or found['state']}"
        )
    path = chosen.output or Path(found["subject"])
    try:
        _fetch(client, found, path)
    except OSError as error:
        raise ClientError(f"{path} cannot be written: {error.strerror}.") from error
    print(f"{path}: studies: {found['result']['studies']:,}, {found['result']['bytes']:,} bytes")
    return 0


def _filter(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise ClientError(f"--filter wants NAME=VALUE, not {text!r}")
    return name, value


def _fetch(client: Client, task: dict[str, Any], path: Path) -> None:
    """Download the file piece by piece; it gets its final name when it is complete."""
    part, size = path.with_name(f"{path.name}.part"), task["result"]["bytes"]
    try:
        with open(part, "wb") as file:
            while (at := file.tell()) < size:
                piece = client.raw("GET", f"/exports/{task['id']}/file?offset={at}")
                if not piece:
                    raise ClientError("The server's file is shorter than it said.")
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

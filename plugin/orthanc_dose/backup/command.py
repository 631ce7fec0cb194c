"""The commands `orthanc-dose backup`, `restore`, `check` and `rebuild`."""

import argparse
import contextlib
import getpass
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from ..client import ClientError, add_server_arguments, connected, follow
from ..store import STORE_ERRORS
from ..store.damage import next_steps
from ..store.handles import KEY_FILE
from .check import check
from .folders import Unusable, read_manifest
from .held import InUse
from .rebuild import rebuild
from .restore import Plan, fits, key_of, plan, restore
from .sealing import WrongPassphrase


def add_backup_arguments(parser: argparse.ArgumentParser) -> None:
    add_server_arguments(parser)
    parser.epilog = f"{parser.epilog} The exit status is 0 if a verified backup was made."


def run_backup(chosen: argparse.Namespace) -> int:
    """Have a running server make a backup, and print where it is. Return 0 if it was made.

    Raises ClientError.
    """
    client = connected(chosen)
    task = follow(client, client.call("POST", "/backups")["task_id"], "rows")
    if task["state"] != "done":
        print(task["message"] or f"The backup was not made: {task['state']}.", file=sys.stderr)
        return 1
    made = task["result"]
    print(
        f"{made['folder']}/{made['name']}: {made['studies']:,} studies, {made['rows']:,} rows, "
        f"{made['bytes'] / 1e6:,.1f} MB, verified."
    )
    if not made["key"]:
        print(
            "The backup does not contain identity.key: keep a copy of this file elsewhere, or set "
            "BackupPassphrase in the configuration.",
            file=sys.stderr,
        )
    return 0


def add_data_argument(parser: argparse.ArgumentParser) -> None:
    """Add the argument for the data directory of an Orthanc that does not run."""
    here = os.environ.get("DOSE_DATA_DIRECTORY")
    parser.add_argument(
        "--data",
        type=Path,
        default=here,
        required=here is None,
        metavar="DIRECTORY",
        help='the data directory ("DataDirectory" of the configuration), in which dose.duckdb '
        "lies; the default is the environment variable DOSE_DATA_DIRECTORY",
    )


def add_restore_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="the folder of the backup")
    add_data_argument(parser)
    parser.add_argument(
        "--yes", action="store_true", help="restore; without it, only show what would change"
    )
    parser.epilog = (
        "Stop Orthanc first. The present store is kept in a folder beside the new one. If the "
        "installation's key must be restored as well, the passphrase is taken from the "
        "environment variable DOSE_BACKUP_PASSPHRASE or asked for."
    )


def run_restore(chosen: argparse.Namespace) -> int:
    """Show what restoring a backup would change or, with --yes, restore it. Raises ClientError."""
    folder, data = chosen.folder.absolute(), chosen.data.absolute()
    with _told("The backup could not be restored"):
        found = plan(folder, data)
        _print_plan(found)
        has_key = fits(data, folder)
        if not has_key:
            print(_KEY_IN_BACKUP if found.manifest.key else _NO_KEY)
        if not chosen.yes:
            print("Nothing was changed. Add --yes to restore this backup.")
            return 0
        key = None if has_key or not found.manifest.key else key_of(folder, _passphrase())
        kept = restore(folder, data, key)
    print(
        f"Restored. The previous store is in {kept}. When Orthanc starts, it reads the objects "
        "that it has received since the backup by itself."
    )
    return 0


_KEY_IN_BACKUP = (
    "The key in the data directory (identity.key) is not the one of the backup: it is replaced "
    "by the one in the backup, which requires the passphrase."
)
_NO_KEY = (
    "The key in the data directory (identity.key) is not the one of the backup, and the backup "
    "does not contain it. Put a copy of it there first, if you have one. Without it, hashes of "
    "patients in the backup do not match those of new studies."
)


@contextlib.contextmanager
def _told(failed: str) -> Iterator[None]:
    """Turn errors of restoring and rebuilding, which change nothing, into ClientError."""
    try:
        yield
    except (Unusable, InUse) as error:
        raise ClientError(str(error)) from error
    except WrongPassphrase as error:
        raise ClientError(
            "This passphrase does not open the key in the backup. Nothing was changed."
        ) from error
    except STORE_ERRORS as error:
        words = str(error).strip().splitlines()[0] if str(error) else type(error).__name__
        raise ClientError(f"{failed}, nothing was changed: {words}") from error


def _passphrase() -> str:
    return os.environ.get("DOSE_BACKUP_PASSPHRASE") or getpass.getpass("Passphrase of the backup: ")


def _print_plan(found: Plan) -> None:
    manifest = found.manifest
    print(
        f"Backup {manifest.name}: state of {manifest.at.isoformat(sep=' ')} UTC, version "
        f"{manifest.version}, schema {manifest.schema_version}, change {manifest.cursor} of "
        "Orthanc. All files have their checksums."
    )
    if found.unreadable is not None:
        print(f"The present store cannot be read: {found.unreadable}")
    wide = max((len(line.title) for line in found.lines), default=0)
    print(f"{'':{wide}}  {'now':>12}  {'restored':>12}")
    for line in found.lines:
        now = "?" if line.now is None else f"{line.now:,}"
        print(f"{line.title:{wide}}  {now:>12}  {line.after:>12,}")
    if found.gone:
        print(
            f"WARNING: {found.gone:,} objects were imported after the backup and then deleted "
            "from Orthanc. Their dose is only in the present store and will not come back."
        )


def add_check_arguments(parser: argparse.ArgumentParser) -> None:
    add_data_argument(parser)
    parser.epilog = (
        "Stop Orthanc first. Nothing is changed. The exit status is 0 if the store is whole, 2 if "
        "it is damaged."
    )


def run_check(chosen: argparse.Namespace) -> int:
    """Read every table of a store, and print what is damaged. Return 0 if nothing is, else 2.

    Raises ClientError.
    """
    data = chosen.data.absolute()
    try:
        report = check(data)
    except InUse as error:
        raise ClientError(str(error)) from error
    for problem in report.problems:
        print(problem)
    for table in report.tables:
        if table.reason is None:
            print(f"{table.name}: {table.rows:,} rows, all readable")
        else:
            print(f"{table.name}: {table.lost:,} of {table.rows:,} rows damaged: {table.reason}")
    if not report.is_damaged:
        print("The store is whole.")
        return 0
    print(next_steps(data))
    return 2


def add_rebuild_arguments(parser: argparse.ArgumentParser) -> None:
    add_data_argument(parser)
    parser.add_argument(
        "--backup", type=Path, metavar="FOLDER", help="the folder of the newest backup, if any"
    )
    parser.add_argument(
        "--yes", action="store_true", help="rebuild; without it, only show what would come of it"
    )
    parser.epilog = (
        "Stop Orthanc first. The damaged store is kept in a folder beside the new one. When "
        "Orthanc starts, objects that the new store does not know are read again."
    )


def run_rebuild(chosen: argparse.Namespace) -> int:
    """Show what a rebuilt store would contain or, with --yes, put it in place. Raises ClientError."""
    data = chosen.data.absolute()
    backup = None if chosen.backup is None else chosen.backup.absolute()
    with _told("The store could not be rebuilt"):
        passphrase = None
        if backup is not None and not (data / KEY_FILE).exists() and read_manifest(backup).key:
            passphrase = _passphrase()
        made = rebuild(data, backup, passphrase, only_plan=not chosen.yes)
    for problem in made.problems:
        print(problem)
    print(f"Users, settings and everything else that people made: from {made.people}.")
    print(f"Dose records: from {made.dose}.")
    for name, rows in made.rows.items():
        if rows:
            print(f"  {name}: {rows:,} rows")
    if made.extracts:
        print("All kept contents are extracted again when Orthanc starts, as a task.")
    if made.unknown:
        print(f"{made.unknown:,} objects are only read again if Orthanc still has them.")
    if made.kept is None:
        print("Nothing was changed. Add --yes to put the rebuilt store in place.")
    else:
        print(f"Rebuilt. The damaged store is in {made.kept}. Start Orthanc now.")
    return 0

"""The command `orthanc-dose`."""

import argparse
import sys

from . import __version__, client, sending
from .backup import command as backing_up
from .export import command as exporting
from .records.document import markdown
from .retrieve import command as retrieving
from .samples import command as make_samples
from .sizes import command as import_sizes


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit status."""
    parser = argparse.ArgumentParser(
        prog="orthanc-dose", description="Command-line tools of Orthanc Dose."
    )
    parser.add_argument("--version", action="version", version=f"orthanc-dose {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    samples = commands.add_parser("make-samples", help="write synthetic dose reports to a folder")
    make_samples.add_arguments(samples)
    samples.set_defaults(run=make_samples.run)
    dictionary = commands.add_parser(
        "data-dictionary", help="print the data dictionary as Markdown"
    )
    dictionary.set_defaults(run=print_dictionary)
    again = commands.add_parser(
        "reextract", help="re-extract all kept content on a running server, and report what changed"
    )
    client.add_server_arguments(again)
    again.set_defaults(run=client.reextract)
    sizes = commands.add_parser(
        "import-sizes",
        help="import heights and weights from a CSV file or a workbook into a running server",
    )
    import_sizes.add_arguments(sizes)
    sizes.set_defaults(run=import_sizes.run)
    send = commands.add_parser("send", help="send DICOM files, folders and zip archives to Orthanc")
    sending.add_arguments(send)
    send.set_defaults(run=sending.run)
    export = commands.add_parser("export", help="export the studies that match filters to a file")
    exporting.add_arguments(export)
    export.set_defaults(run=exporting.run)
    retrieve = commands.add_parser(
        "retrieve", help="search a remote node for objects with dose data, and fetch them"
    )
    retrieving.add_arguments(retrieve)
    retrieve.set_defaults(run=retrieving.run)
    backup = commands.add_parser("backup", help="make a verified backup of a running server")
    backing_up.add_backup_arguments(backup)
    backup.set_defaults(run=backing_up.run_backup)
    restore = commands.add_parser(
        "restore", help="show what restoring a backup would change, and restore it"
    )
    backing_up.add_restore_arguments(restore)
    restore.set_defaults(run=backing_up.run_restore)
    check = commands.add_parser("check", help="read every table of a store, and list damage")
    backing_up.add_check_arguments(check)
    check.set_defaults(run=backing_up.run_check)
    rebuild = commands.add_parser(
        "rebuild", help="make a new store from a damaged one, a backup and Orthanc's objects"
    )
    backing_up.add_rebuild_arguments(rebuild)
    rebuild.set_defaults(run=backing_up.run_rebuild)
    chosen = parser.parse_args(arguments)
    try:
        return int(chosen.run(chosen))
    except client.ClientError as error:
        print(error, file=sys.stderr)
        return 1


def print_dictionary(chosen: argparse.Namespace) -> int:
    sys.stdout.write(markdown())
    return 0


if __name__ == "__main__":
    sys.exit(main())

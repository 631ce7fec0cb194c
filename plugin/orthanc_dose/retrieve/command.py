"""`orthanc-dose retrieve`: have a running server search a node for dose, and retrieve it."""

import argparse
from contextlib import suppress
from datetime import date, time
from typing import Any
from urllib.parse import quote

from ..client import Client, ClientError, add_server_arguments, connected, follow
from .question import GROUPS

_PAGE = 500  # number of gaps per request
_WORDS = {
    "--keep-descriptions": "only studies with one of these texts in their description",
    "--leave-out-descriptions": "skip those that contain one of these texts",
    "--keep-stations": "only systems with one of these texts in their station name",
    "--leave-out-stations": "skip those that contain one of these texts",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("node", metavar="NODE", help="name of the node in Orthanc")
    for group, modalities in GROUPS.items():
        parser.add_argument(
            f"--{group.lower()}",
            dest="groups",
            action="append_const",
            const=group,
            help=f"studies with {', '.join(modalities)}",
        )
    parser.add_argument(
        "--only-reports",
        action="store_true",
        help="only studies that contain nothing but structured reports",
    )
    parser.add_argument(
        "--from",
        dest="first",
        type=_day,
        metavar="DAY",
        help="first day, such as 2026-01-31 (default: yesterday)",
    )
    parser.add_argument(
        "--to", dest="last", type=_day, metavar="DAY", help="last day (default: today)"
    )
    parser.add_argument(
        "--time-from", type=_time, metavar="TIME", help="earliest time of day, such as 07:30"
    )
    parser.add_argument("--time-to", type=_time, metavar="TIME", help="latest time of day")
    for name, what in _WORDS.items():
        parser.add_argument(name, default="", metavar="TEXT,…", help=what)
    parser.add_argument(
        "--station-of-study",
        action="store_true",
        help="compare the station names that the node returns for studies instead of series",
    )
    parser.add_argument(
        "--known-too", action="store_true", help="also fetch what is already in the store"
    )
    parser.add_argument(
        "--unseen-reports",
        action="store_true",
        help="treat a series of reports as dose reports if the node does not list its objects",
    )
    parser.add_argument(
        "--toshiba",
        action="store_true",
        help="for CT without a report, fetch secondary captures and one image of each other series",
    )
    parser.add_argument("--by-day", action="store_true", help="send a separate query for each day")
    parser.add_argument(
        "--search-only",
        action="store_true",
        help="fetch nothing; only report what would be fetched",
    )
    parser.add_argument(
        "--gaps",
        action="store_true",
        help="fetch nothing; only list the studies that are missing from the store, with reasons",
    )
    add_server_arguments(parser)


def run(chosen: argparse.Namespace) -> int:
    """Search, retrieve, and print the results. Returns 1 if something is missing."""
    if bool(chosen.groups) == chosen.only_reports:
        raise ClientError(
            "Specify what to search for: one or more of --ct, --mg, --fl, --dx and --nm, or "
            "--only-reports alone."
        )
    client = connected(chosen)
    asked: dict[str, Any] = {
        "groups": ["SR"] if chosen.only_reports else chosen.groups,
        "leave_out_known": not chosen.known_too,
        **{
            name: getattr(chosen, name)
            for name in ("station_of_study", "unseen_reports", "toshiba", "by_day")
        },
    }
    asked |= {
        name: getattr(chosen, name)
        for name in ("first", "last", "time_from", "time_to")
        if getattr(chosen, name)
    }
    for option in _WORDS:
        role, what = option.removeprefix("--").rsplit("-", 1)
        words = [
            word.strip() for word in getattr(chosen, f"{role}_{what}".replace("-", "_")).split(",")
        ]
        asked[f"{what}_{role.replace('-', '_')}"] = [word for word in words if word]
    search = _done(
        client,
        client.call("POST", f"/nodes/{quote(chosen.node, safe='')}/searches", asked),
        "studies",
    )
    found = search["result"]
    objects = "objects" if found["objects"] is None else f"{found['objects']:,} objects"
    print(
        f"{found['studies']:,} studies, {found['kept_studies']:,} of them with something to fetch: "
        f"{found['kept_series']:,}"
        f" series, {objects}."
    )
    for reason, count in sorted((found["left_studies"] | found["left_series"]).items()):
        print(f"  skipped, {reason}: {count:,}")
    if found["split"]:
        print(f"  queried day by day: {found['split']}")
    for doubt, what in found["doubts"].items():
        print(f"  there may be more: {doubt} {what}".rstrip())
    if chosen.gaps:
        _print_gaps(client, search["id"])
        return 0
    if chosen.search_only or not found["kept_series"]:
        return 0
    came = _done(client, client.call("POST", f"/searches/{search['id']}/retrieve", {}), "objects")[
        "result"
    ]
    print(
        f"{came['asked_for']:,} objects requested, {came['arrived']:,} arrived, "
        f"{came['imported']:,} imported, {came['missing']:,} missing; {came['failed']:,} series "
        "failed."
    )
    if came["not_listed"]:
        print(
            f"Of {came['not_listed']:,} series the node does not list the objects, so it is "
            "unknown whether all of them arrived."
        )
    return 1 if came["failed"] or came["missing"] else 0


def _print_gaps(client: Client, search: int) -> None:
    place, total = 0, 1
    while place < total:
        page = client.call("GET", f"/searches/{search}/gaps?limit={_PAGE}&offset={place}")
        if not place:
            print(f"{page['total']:,} studies of the node are not in the store.")
            for why, count in page["why"].items():
                print(f"  {why}: {count:,}")
        for gap in page["gaps"]:
            told = [
                gap[name]
                for name in (
                    "study_date",
                    "study_description",
                    "study_instance_uid",
                    "why",
                    "reason",
                    "fault",
                )
            ]
            told += [f"search {gap['search']}"] if gap["search"] else []
            print("; ".join("".join(filter(str.isprintable, text)) for text in told if text))
        place, total = place + _PAGE, page["total"]


def _done(client: Client, task: dict[str, Any], what: str) -> dict[str, Any]:
    try:
        found = follow(client, task["id"], what)
    except KeyboardInterrupt:
        with suppress(ClientError):
            client.call("POST", f"/tasks/{task['id']}/stop")
        raise ClientError("The task was stopped; what has arrived so far stays.") from None
    if found["state"] != "done":
        raise ClientError(f"The task was not completed: {found['message'] or found['state']}")
    return found


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date such as 2026-01-31") from None


def _time(text: str) -> str:
    try:
        return time.fromisoformat(text).isoformat("seconds")
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 07:30") from None

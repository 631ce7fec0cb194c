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
    "--keep-descriptions": "of studies with one of these in their description",
    "--leave-out-descriptions": "but not of those with one of these",
    "--keep-stations": "of systems with one of these in their station name",
    "--leave-out-stations": "but not of those with one of these",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("node", metavar="NODE", help="the node's name in Orthanc")
    for group, modalities in GROUPS.items():
        parser.add_argument(
            f"--{group.lower()}",
            dest="groups",
            action="append_const",
            const=group,
            help=f"studies with {', '.join(modalities)}",
        )
    parser.add_argument(
        "--only-reports", action="store_true", help="studies that hold structured reports alone"
    )
    parser.add_argument(
        "--from",
        dest="first",
        type=_day,
        metavar="DAY",
        help="first day, as 2026-01-31; yesterday without it",
    )
    parser.add_argument(
        "--to", dest="last", type=_day, metavar="DAY", help="last day; today without it"
    )
    parser.add_argument(
        "--time-from", type=_time, metavar="TIME", help="no earlier in the day, as 07:30"
    )
    parser.add_argument("--time-to", type=_time, metavar="TIME", help="no later in the day")
    for name, what in _WORDS.items():
        parser.add_argument(name, default="", metavar="TEXT,…", help=what)
    parser.add_argument(
        "--station-of-study",
        action="store_true",
        help="station names are those that the node gives of studies",
    )
    parser.add_argument(
        "--known-too", action="store_true", help="what is in the store already as well"
    )
    parser.add_argument(
        "--unseen-reports",
        action="store_true",
        help="take a series of reports for dose reports where the node does not list its objects",
    )
    parser.add_argument(
        "--toshiba",
        action="store_true",
        help="of CT without a report: secondary captures, and an image of each other series",
    )
    parser.add_argument("--by-day", action="store_true", help="ask day by day")
    parser.add_argument(
        "--search-only", action="store_true", help="fetch nothing: say what would be fetched"
    )
    parser.add_argument(
        "--gaps",
        action="store_true",
        help="fetch nothing: say which studies the store has not, and why",
    )
    add_server_arguments(parser)


def run(chosen: argparse.Namespace) -> int:
    """Search, retrieve, and print the results. Returns 1 if something is missing."""
    if bool(chosen.groups) == chosen.only_reports:
        raise ClientError(
            "Say what to look for: --ct, --mg, --fl, --dx, --nm, or --only-reports by itself."
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
        print(f"  left, {reason}: {count:,}")
    if found["split"]:
        print(f"  asked day by day: {found['split']}")
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
        f"{came['asked_for']:,} objects asked for, {came['arrived']:,} arrived, "
        f"{came['imported']:,} imported,"
        f" {came['missing']:,} missing; {came['failed']:,} series failed."
    )
    if came["not_listed"]:
        print(
            f"Of {came['not_listed']:,} series the node lists no objects, so nobody can say "
            f"whether all of it arrived."
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
        raise ClientError("It is stopped; what has come stays.") from None
    if found["state"] != "done":
        raise ClientError(f"It did not come to its end: {found['message'] or found['state']}")
    return found


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day as 2026-01-31") from None


def _time(text: str) -> str:
    try:
        return time.fromisoformat(text).isoformat("seconds")
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time as 07:30") from None

"""``orthanc-dose make-samples OUT``: writes synthetic studies as DICOM files."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from datetime import date
from pathlib import Path

from orthanc_dose.samples.document import part10
from orthanc_dose.samples.projection_reports import fluoroscopy_report
from orthanc_dose.samples.studies import ALL_KINDS, KINDS, UNTIL, make_studies


def _kinds(value: str) -> tuple[str, ...]:
    kinds = tuple(dict.fromkeys(part.strip() for part in value.split(",") if part.strip()))
    unknown = [k for k in kinds if k not in ALL_KINDS]
    if unknown or not kinds:
        raise argparse.ArgumentTypeError(
            f"{value!r}: give one or more of {','.join(ALL_KINDS)}, separated by commas"
        )
    return kinds


def _count(value: str) -> int:
    if not value.isdigit():
        raise argparse.ArgumentTypeError(f"{value!r} is not a whole number of 0 or more")
    return int(value)


def _day(value: str) -> date:
    try:
        return date.today() if value == "today" else date.fromisoformat(value)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{value!r} is not a date like 2025-06-30, nor today"
        ) from None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``make-samples`` to a parser."""
    parser.add_argument(
        "out",
        metavar="OUT",
        type=Path,
        help="folder to write the DICOM files to; created if missing",
    )
    parser.add_argument(
        "--studies", metavar="N", type=_count, default=100, help="number of studies (default: 100)"
    )
    parser.add_argument(
        "--seed",
        metavar="S",
        type=int,
        default=1,
        help="the same seed gives the same files, byte for byte (default: 1)",
    )
    parser.add_argument(
        "--kinds",
        metavar="LIST",
        type=_kinds,
        default=KINDS,
        help="one or more of ct,rf,dx,mg,nm (default: ct,rf,dx,mg)",
    )
    parser.add_argument(
        "--until",
        metavar="DATE",
        type=_day,
        default=UNTIL,
        help=f"day of the last studies, or 'today' (default: {UNTIL})",
    )
    parser.add_argument(
        "--events",
        metavar="N",
        type=_count,
        default=0,
        help="also write one fluoroscopy report of N events",
    )


def run(args: argparse.Namespace) -> int:
    """Write the files; return 0 if all were written, or 2 with a message on stderr if the folder
    cannot be written.
    """
    out: Path = args.out
    began, size, shown = time.monotonic(), 0, 0.0
    written: Counter[str] = Counter()
    try:
        out.mkdir(parents=True, exist_ok=True)
        for sample in make_studies(args.studies, args.seed, args.kinds, until=args.until):
            for number, ds in enumerate(sample.datasets):
                content = part10(ds)
                # File names contain no patient's name or ID, since they appear in logs and
                # listings.
                suffix = f"-{number + 1}" if number else ""
                (
                    out / f"{sample.index + 1:06d}-{sample.kind}-{sample.vendor}{suffix}.dcm"
                ).write_bytes(content)
                written[sample.kind] += 1
                size += len(content)
            if time.monotonic() - shown > 0.2:
                shown = time.monotonic()
                _progress(sample.index + 1, args.studies)
        if args.events:
            content = part10(
                fluoroscopy_report(args.events, seed=args.seed, key=f"large|{args.seed}")
            )
            (out / f"large-rf-{args.events}-events.dcm").write_bytes(content)
            written["rf"] += 1
            size += len(content)
    except OSError as error:
        print(f"\nmake-samples: cannot write to {out}: {error.strerror or error}", file=sys.stderr)
        return 2
    _progress(args.studies, args.studies, last=True)
    parts = ", ".join(f"{written[kind]} {kind.upper()}" for kind in KINDS if written[kind])
    print(
        f"{sum(written.values())} files ({parts or 'none'}), {size / 1e6:.1f} MB, seed "
        f"{args.seed}, "
        f"in {time.monotonic() - began:.1f} s: {out}"
    )
    return 0


def _progress(done: int, of: int, *, last: bool = False) -> None:
    if sys.stderr.isatty() or os.environ.get("FORCE_PROGRESS"):
        print(f"\r{done} of {of} studies", end="\n" if last else "", file=sys.stderr, flush=True)

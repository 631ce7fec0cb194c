"""The fuzz run by hand; see the package."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from collections import Counter
from itertools import islice
from pathlib import Path

from . import __doc__ as description
from .damage import mutant, mutants
from .rules import Rules, try_one
from .storing import Storing


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description=(description or "").splitlines()[0]
    )
    parser.add_argument("--minutes", type=float, default=1, help="how long at most (1)")
    parser.add_argument("--objects", type=int, help="how many at most (no limit)")
    parser.add_argument("--seed", type=int, default=1, help="which sequence of objects (1)")
    parser.add_argument(
        "--only",
        type=int,
        metavar="NUMBER",
        help="one object of the sequence alone, written to --save",
    )
    parser.add_argument(
        "--save",
        type=Path,
        default=Path(tempfile.gettempdir()),
        help="folder for objects that break a rule",
    )
    parser.add_argument(
        "--store",
        choices=("plugin", "bare"),
        help="send them to a running Orthanc, with the plugin or without, and count its deaths",
    )
    args = parser.parse_args()
    if args.store:
        storing = Storing(args.store == "plugin", args.save)
        storing.run(args.seed, args.minutes, args.objects)
        counts = ", ".join(f"{count} {name}" for name, count in storing.counts.most_common())
        print(f"{counts}; Orthanc died {len(storing.deaths)} times")
        return 1 if storing.deaths else 0
    with tempfile.TemporaryDirectory() as folder:
        rules = Rules(Path(folder))
        if args.only:
            one = mutant(args.seed, args.only)
            path = args.save / f"fuzz-{args.seed}-{args.only}.dcm"
            path.write_bytes(one.raw)
            print(f"{path}: {one}")
            print(try_one(rules, 20, one))
            rules.commit()
            return 0
        return _run(rules, args)


def _run(rules: Rules, args: argparse.Namespace) -> int:
    outcomes: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    end = time.monotonic() + 60 * args.minutes
    for number, one in islice(mutants(args.seed), args.objects):
        if time.monotonic() > end:
            break
        try:
            outcomes[try_one(rules, number, one)] += 1
            if number % 200 == 0:
                rules.commit()
        except Exception as error:  # noqa: BLE001  each fault is told, and the run goes on
            place = traceback.extract_tb(error.__traceback__)[-1]
            fault = f"{type(error).__name__} in {Path(place.filename).name}:{place.lineno}"
            faults[fault] += 1
            if faults[fault] == 1:
                (args.save / f"fuzz-{args.seed}-{number}.dcm").write_bytes(one.raw)
                print(f"--only {number} ({one})\n    {fault}: {str(error)[:600]}", flush=True)
            rules.forget()
    print(
        f"{sum(outcomes.values())} objects: "
        + ", ".join(f"{count} {name}" for name, count in outcomes.most_common())
        + f"; {sum(faults.values())} break a rule"
    )
    for fault, count in faults.most_common():
        print(f"{count} times {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m bench`, which is `make bench`; see the package."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from . import __doc__ as description
from . import (
    api,
    backup,
    charts,
    estimates,
    exports,
    extraction,
    insertion,
    mixed,
    reading,
    retrieval,
    sizes,
    skindose,
    slow,
    sql,
    storing,
)
from .results import Results, machine, write_results

PARTS = {
    "extraction": extraction.run,
    "insertion": insertion.run,
    "storing": storing.run,
    "mixed": mixed.run,
    "reading": reading.run,
    "api": api.run,
    "estimates": estimates.run,
    "sizes": sizes.run,
    "exports": exports.run,
    "charts": charts.run,
    "retrieval": retrieval.run,
    "skindose": skindose.run,
    "slow": slow.run,
    "sql": sql.run,
    "backup": backup.run,
}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=(description or "").splitlines()[0]
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="use fewer objects and rounds, for a run of less than a minute",
    )
    parser.add_argument(
        "--only", choices=PARTS, action="append", help="run only this part; can be repeated"
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write the figures to this file"
    )
    args = parser.parse_args()
    began = time.monotonic()
    here, results = machine(), list[Results]()
    print(
        "\n".join(f"{name + ':':15}{value}" for name, value in here.items()), end="\n\n", flush=True
    )
    for name in args.only or PARTS:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        for part in PARTS[name](args.quick):
            results.append(part)
            print(part.text(), end="\n\n", flush=True)
    if args.json:
        write_results(args.json, here, results)
    print(f"{time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())

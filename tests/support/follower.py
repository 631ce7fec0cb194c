"""A follower for tests: it records each change that it is told of, and can be made to fail."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb

from orthanc_dose.store.feed import Change
from orthanc_dose.work.followers import Follower, Reading, Write

# Numbers of studies at which it fails, one per line, or "store": it fails as if the store could not
# be read. A file, so that a test can change it while a server runs.
FAILS_AT = "TEST_FOLLOWER_FAILS_AT"


class Echo(Follower):
    """Writes number, study and kind of change to the table `echo`."""

    name = "echo"

    def react(self, reading: Reading, change: Change) -> Write | None:
        fails_at = Path(os.environ.get(FAILS_AT, "/nowhere"))
        at = fails_at.read_text().split() if fails_at.is_file() else []
        if "store" in at:
            raise duckdb.IOException("Somebody^Secret")
        if str(change.study_id) in at:
            raise ValueError("Somebody^Secret")
        with reading() as connection:
            [is_there] = connection.execute(
                "SELECT count(*) FROM study WHERE id = $1", [change.study_id]
            ).fetchone() or (0,)

        def write(connection) -> None:  # type: ignore[no-untyped-def]
            connection.execute(
                "CREATE TABLE IF NOT EXISTS echo (number BIGINT, study_id BIGINT, what VARCHAR, there BIGINT)"
            )
            row = [change.number, change.study_id, change.what, is_there]
            connection.execute("INSERT INTO echo VALUES (?, ?, ?, ?)", row)

        return write

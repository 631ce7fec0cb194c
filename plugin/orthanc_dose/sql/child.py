"""The program in the process of a statement: it checks the statement, runs it on a copy of the
views, and writes its results.

The process is started by process.py. It gets one job, a line of JSON, on its standard input, and
reports on its standard output, one line of JSON each:

    {"ready": true}                         it waits for its job
    {"read": {"views": [...], "told": ...}} the statement may run: as in statement.Statement
    {"rows": 1000}                          number of rows in the file so far
    {"end": {...}}                          done: columns and rows, or rows of the file; cut
    {"refused": {"message": ..., "place": ..., "code": ...}}

Whatever a statement can do to a process, it does to this one alone. So nothing is imported here for
which the first statement would have to wait.
"""

import ctypes
import errno
import json
import os
import re
import resource
import select
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO

import duckdb

from . import results, statement
from .statement import Refused

THREADS = 2
_NICENESS = 10
# The share of the process's memory limit that DuckDB may plan with: it does not count everything.
_OF_DUCKDB = 0.7
# What the process needs besides the memory of the statement: stacks, and libraries that are loaded
# later.
_BESIDE = 256 * 2**20
_STACK = 64 * 2**20  # deep statements are planned on it
IDLE_S = 600.0  # without a job the process ends by itself
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_WRITERS = {"csv": results.write_csv, "parquet": results.write_parquet}


def main(parent: int) -> None:
    """Do one job for the process `parent`, and end with it."""
    end_with(parent)
    out = _own_output()

    def say(**message: Any) -> None:
        out.write(json.dumps(message).encode("utf-8", "surrogatepass") + b"\n")
        out.flush()

    say(ready=True)
    if not select.select([sys.stdin], [], [], IDLE_S)[0]:
        return
    line = sys.stdin.buffer.readline()
    if not line:
        return
    job = json.loads(line)
    try:
        _limit(job)
        os.nice(_NICENESS)  # receiving objects takes precedence
        say(end=_run(job, say))
    except Refused as error:
        say(refused={"message": str(error), "place": error.place, "code": error.code})
    except OSError as error:
        is_full = error.errno in (errno.EFBIG, errno.ENOSPC)
        said = "The file exceeds the size limit or the free space on its disk." if is_full else ""
        say(refused={"message": said, "place": None, "code": "sql_file" if is_full else ""})


def end_with(parent: int) -> None:
    """Have this process killed when the process that started it ends, for whatever reason."""
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != parent:  # it died before that
        os._exit(1)
    # When memory runs out, the kernel kills this process first.
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")


def _own_output() -> BinaryIO:
    """Return the standard output for our own use only: what libraries write to it is discarded."""
    out = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.close(nothing)
    return out


def _limit(job: dict[str, Any]) -> None:
    """Have the kernel enforce the job's limits: memory, cpu_seconds and file_bytes."""
    if job["format"] == "parquet":
        import pyarrow.parquet  # noqa: F401  its libraries are not the statement's memory
    found = re.search(r"VmSize:\s+(\d+) kB", Path("/proc/self/status").read_text())
    size = int(found[1]) * 1024 if found else 0
    used = resource.getrusage(resource.RUSAGE_SELF)
    for what, most in (
        (resource.RLIMIT_AS, size + job["memory"] + _BESIDE),
        (resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + job["cpu_seconds"]),
        (resource.RLIMIT_FSIZE, job["file_bytes"]),
        (resource.RLIMIT_STACK, _STACK),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, hard if what == resource.RLIMIT_STACK else most))


def _run(job: dict[str, Any], say: Any) -> dict[str, Any]:
    """Do a job and return its result. Raises Refused.

    sql; prepare: statements that run first, and create the views; format: json, csv, parquet, or
    empty to only check whether the statement may run; path: of the file; rows: the maximum number.
    """
    sql = job["sql"]
    try:
        connection = _connection(job)
        asked = statement.read(connection, sql)
        of = _columns(connection, sql)
        say(read={"views": sorted(asked.views), "told": asked.told})
        if not job["format"]:
            return {}
        if job["format"] == "json":
            rows, cut = results.rows(connection, sql, of, job["rows"])
            columns = [{"name": name, "type": str(type_)} for name, type_ in of]
            return {"columns": columns, "rows": rows, "cut": cut}
        write = _WRITERS[job["format"]]
        path = Path(job["path"])
        count, cut = write(connection, sql, of, path, job["rows"], lambda done: say(rows=done))
        return {"rows": count, "cut": cut}
    except (MemoryError, duckdb.OutOfMemoryException) as error:
        raise _too_large() from error
    except duckdb.IOException as error:
        raise Refused("", code="") from error
    except duckdb.Error as error:
        if "bad_alloc" in str(error) or "bad allocation" in str(error):
            raise _too_large() from error
        raise statement.wrong(error, "") from error


def _columns(connection: duckdb.DuckDBPyConnection, sql: str) -> results.Columns:
    try:
        return results.columns(connection, sql)
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        try:  # so that DuckDB also gives the place; one that cannot be bound is not planned
            connection.execute(f"EXPLAIN\n{sql}")
        except duckdb.Error as same:
            raise statement.wrong(same, sql) from error
        raise statement.wrong(error, sql) from error


def _too_large() -> Refused:
    return Refused("", code="sql_too_large")


def _connection(job: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": min(THREADS, len(os.sched_getaffinity(0))),
            "memory_limit": f"{int(job['memory'] * _OF_DUCKDB)}B",
            "temp_directory": "",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "python_enable_replacements": False,
        },
    )
    for part in job["prepare"]:
        connection.execute(part)
    connection.execute("SET lock_configuration = true")
    connection.execute("BEGIN TRANSACTION READ ONLY")
    return connection

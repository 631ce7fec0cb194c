"""Searches for texts that must not appear anywhere: in a user's answers, in files, in a log."""

from __future__ import annotations

import itertools
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from orthanc_dose.rest.api import ROUTES
from tests.support.server import PASSWORD, OrthancServer

Place = tuple[str, bytes | str]


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield all files below a folder; workbooks are unpacked."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield from _unpacked(str(path), path.read_bytes())


def answers(server: OrthancServer, user: str) -> Iterator[tuple[str, bytes]]:
    """Yield a user's answers from all routes that read, headers included.

    Every existing number of a study, an object, a task and an export is requested. Links to
    Orthanc's pages, which reveal its own identifiers to those who may use it, are left out.
    """
    values: dict[str, list[Any]] = {
        "id": [study["id"] for study in server.studies(test_data="no,yes")],
        "handle": [one["handle"] for one in server.objects()],
    }
    tasks = [task["id"] for task in server.ok("/dose/api/tasks?limit=500")["tasks"]]
    for route in ROUTES:
        if route.method != "GET" or route.path.endswith("/orthanc"):
            continue
        places = [one.name for one in route.parameters if one.in_path]
        of_tasks = route.path.startswith(("/tasks", "/exports", "/searches"))
        chosen = [tasks if of_tasks else values.get(name, ["1"]) for name in places]
        queries = ["?limit=500" if any(one.name == "limit" for one in route.parameters) else ""]
        if any(one.name == "format" for one in route.parameters):
            queries = ["?format=json", "?format=xlsx", "?format=pdf", "?format=csv"]
        for combination in itertools.product(*chosen):
            path = route.path.format(**dict(zip(places, combination, strict=True)))
            for query in queries:
                answer = server.request(
                    "GET", f"/dose/api{path}{query}", auth=(user, PASSWORD), allow_redirects=False
                )
                assert answer.status_code < 500, path
                yield f"headers of {path}", str(answer.headers).encode()
                yield from _unpacked(path + query, answer.content)


def leaks(places: Iterable[Place], words: Iterable[str]) -> list[str]:
    """Return which of these words appear where, ignoring case; in UTF-16, too."""
    found = []
    forms = [
        (word, word.lower().encode(), word.encode("utf-16-le"), word.encode("utf-16-be"))
        for word in words
    ]
    for place, content in places:
        raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
        lower = raw.lower()
        found += [
            f"{word} in {place}"
            for word, one, *wide in forms
            if one in lower or any(form in raw for form in wide)
        ]
    return found


def _unpacked(name: str, raw: bytes) -> Iterator[tuple[str, bytes]]:
    yield name, raw
    if raw.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(BytesIO(raw)) as archive:
            for member in archive.namelist():
                yield f"{name}: {member}", archive.read(member)
    elif raw.startswith(b"%PDF"):
        for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", raw, re.DOTALL):
            try:
                yield f"{name}: text", zlib.decompress(stream)
            except zlib.error:
                continue

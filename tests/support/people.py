"""A server with studies and with users added by an administrator, for tests of what each may see
and do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from orthanc_dose.samples import make_studies

from .server import OrthancServer
from .visitors import guarded

# The password of all of them.
SECRET = "correct horse battery"
# Name and groups.
ADDED = {
    "vera": ["view"],
    "ines": ["view", "patient identity"],
    "adam": ["administration"],
    "ruth": ["view", "administration"],
    "olga": ["view"],
    "emil": ["view"],
    "greta": [],
}


def put_user(server: OrthancServer, name: str, **what: Any) -> None:
    answer = server.request("PUT", f"/dose/api/users/{name}", json=what)
    assert answer.status_code == 200, answer.text


@contextmanager
def peopled() -> Iterator[OrthancServer]:
    with guarded(PatientName="stored", PatientID="stored") as running:
        running.send(list(make_studies(12, seed=5, until=date.today())))
        running.wait_until_idle()
        for name, groups in ADDED.items():
            put_user(running, name, groups=groups, password=SECRET)
        yield running

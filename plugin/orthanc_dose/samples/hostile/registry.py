"""The registry in which the generators of bad input enter their names, and what they share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydicom.dataset import Dataset

from orthanc_dose.samples import codes as c
from orthanc_dose.samples.ct import CtEvent, ct_report, default_events
from orthanc_dose.samples.document import Patient, Study, System, document, part10, put_raw, uid
from orthanc_dose.samples.sr import Item, container

Maker = Callable[[int], bytes]
HOSTILE: dict[str, Maker] = {}
REFUSED: set[str] = set()
FATAL: set[str] = set()


def entry(maker: Maker) -> Maker:
    """Register `maker` under its own name, and return it."""
    HOSTILE[maker.__name__] = maker
    return maker


def refused(maker: Maker) -> Maker:
    """Register `maker` as one whose file a receiver does not store, and return it."""
    REFUSED.add(maker.__name__)
    return entry(maker)


def named(name: str, maker: Maker, *, is_refused: bool = False, is_fatal: bool = False) -> None:
    """Register `maker` under `name`, for makers that differ only in a value."""
    HOSTILE[name] = maker
    if is_refused:
        REFUSED.add(name)
    if is_fatal:
        FATAL.add(name)


def report(name: str, seed: int, **more: Any) -> Dataset:
    """Return a small CT report whose UIDs are derived from the entry's name and the seed."""
    return ct_report(**{"events": 2, "seed": seed, "key": f"hostile|{name}|{seed}", **more})


def events_of(name: str, seed: int, count: int = 3) -> list[CtEvent]:
    """Return good CT events, for an entry to spoil."""
    key = f"hostile|{name}|{seed}"
    return default_events(count, seed, Study().started, key)


def content(name: str, seed: int, *children: Item | bytes) -> bytes:
    """Return a report whose content is only `children`."""
    key = f"hostile|{name}|{seed}"
    return part10(
        document(
            container(c.REPORT, *children, template="10011"),
            Patient(),
            Study(instance_uid=uid(key, "study")),
            System(),
            key=key,
        )
    )


def with_header(name: str, seed: int, **attributes: str) -> bytes:
    """Return a report whose header has these attributes, right or wrong."""
    ds = report(name, seed)
    for keyword, value in attributes.items():
        put_raw(ds, keyword, value.encode())
    return part10(ds)

"""Where the makers of bad input enter their names, and what they share."""

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
    """Enters `maker` under its own name."""
    HOSTILE[maker.__name__] = maker
    return maker


def refused(maker: Maker) -> Maker:
    """Marks what a receiver does not store."""
    REFUSED.add(maker.__name__)
    return entry(maker)


def named(name: str, maker: Maker, *, is_refused: bool = False, is_fatal: bool = False) -> None:
    """Enters `maker` under `name`, for makers that differ in a value alone."""
    HOSTILE[name] = maker
    if is_refused:
        REFUSED.add(name)
    if is_fatal:
        FATAL.add(name)


def report(name: str, seed: int, **more: Any) -> Dataset:
    """A small CT report whose UIDs come from the entry's name and the seed."""
    return ct_report(**{"events": 2, "seed": seed, "key": f"hostile|{name}|{seed}", **more})


def events_of(name: str, seed: int, count: int = 3) -> list[CtEvent]:
    """Good CT events, for an entry to spoil."""
    key = f"hostile|{name}|{seed}"
    return default_events(count, seed, Study().started, key)


def content(name: str, seed: int, *children: Item | bytes) -> bytes:
    """A report whose content is `children` and nothing else."""
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
    """A report whose header has these attributes, right or wrong."""
    ds = report(name, seed)
    for keyword, value in attributes.items():
        put_raw(ds, keyword, value.encode())
    return part10(ds)

"""Bad input: files that equipment, networks or an attacker may send, each under a name.

``HOSTILE[name](seed)`` gives the bytes of a Part 10 file. ``STORABLE`` holds the names that a DICOM
receiver stores (determined by sending each to Orthanc 1.10.1 by C-STORE and by REST): those reach
the extractor. The receiver refuses the rest. ``FATAL``, a subset of STORABLE, are stored by C-STORE
but end the process of Orthanc 1.10.1, even without any plugin, once it converts them to JSON, or
when they are sent by REST: give them to the reading code, not to a running Orthanc."""

from orthanc_dose.samples.hostile import envelope, files, numbers, texts, tree
from orthanc_dose.samples.hostile.registry import FATAL, HOSTILE, REFUSED

STORABLE = frozenset(HOSTILE) - REFUSED

__all__ = [
    "FATAL",
    "HOSTILE",
    "REFUSED",
    "STORABLE",
    "envelope",
    "files",
    "numbers",
    "texts",
    "tree",
]

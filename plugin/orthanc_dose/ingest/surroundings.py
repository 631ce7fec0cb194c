"""What the worker is told: the source that it reads from, and the options of the configuration."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ..dicom.identity import IdentityRules
from .dose_screens import Screens
from .ignoring import Ignoring


class Source(Protocol):
    """What the worker needs of Orthanc (see host.py)."""

    Gone: type[Exception]

    def changes(self, since: int, limit: int, stable_studies: bool = False) -> Any: ...
    def last_change(self) -> int: ...
    def instances(self, since: int, limit: int) -> list[str]: ...
    def instances_of_study(self, study: str) -> list[str]: ...
    def complete_study(self, instance: str) -> str | None: ...
    def details(self, ids: list[str]) -> dict[str, Any]: ...
    def dicom(self, instance: str, size: int) -> Any: ...
    def delete(self, instance: str) -> None: ...
    def log_warning(self, message: str) -> None: ...
    def log_error(self, message: str) -> None: ...


@dataclass(frozen=True)
class Options:
    """What configuration and settings say of the worker: see config.py and manage/settings.py. deleted, dropped: kinds of
    objects (keys of KINDS in store/disposal.py) that are deleted from Orthanc after reading, or not stored at all."""

    batch_size: int = 200
    poll_seconds: float = 5.0
    audit_at_start: bool = True
    dose_from_ct_images: bool = False
    screens: Screens = ()
    identity: IdentityRules = IdentityRules()
    ignoring: Ignoring = Ignoring()
    deleted: frozenset[str] = frozenset()
    dropped: frozenset[str] = frozenset()

    @property
    def reads_ct_images(self) -> bool:
        """For dose, or for what the image of a series says beside a dose screen."""
        return self.dose_from_ct_images or bool(self.screens)


def identity_rules(name: str, patient_id: str, directory: Path) -> IdentityRules:
    """The rules of the configuration, with the key of this installation's hashes: a file beside the store, made when it is
    first needed. Whoever has the key can try names; without it old hashes match no new ones."""
    if "hashed" not in (name, patient_id):
        return IdentityRules(name, patient_id)
    path = directory / "identity.key"
    if not path.exists():
        new = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(new, "wb") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
    return IdentityRules(name, patient_id, path.read_bytes())

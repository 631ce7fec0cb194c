"""What the worker is told: the source that it reads from, and the options of the configuration."""

from dataclasses import dataclass
from typing import Any, Protocol

from .dose_screens import Screens


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
    def log_warning(self, message: str) -> None: ...
    def log_error(self, message: str) -> None: ...


@dataclass(frozen=True)
class Options:
    """What the configuration says of the worker: see config.py."""

    batch_size: int = 200
    poll_seconds: float = 5.0
    audit_at_start: bool = True
    dose_from_ct_images: bool = False
    screens: Screens = ()

    @property
    def reads_ct_images(self) -> bool:
        """For dose, or for what the image of a series says beside a dose screen."""
        return self.dose_from_ct_images or bool(self.screens)

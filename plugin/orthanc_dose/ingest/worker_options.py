"""The options of the worker, from the configuration and the settings."""

from dataclasses import dataclass

from ..dicom.identity import NOTHING_KEPT, IdentityRules
from ..dicom.not_patient import NO_PATTERNS, NotPatient
from .dose_screens import Screens
from .ignoring import Ignoring


@dataclass(frozen=True)
class Options:
    """The worker's options from configuration and settings: see config.py and manage/settings.py.

    deleted, dropped: kinds of objects (keys of KINDS in store/disposal.py) that are deleted from
    Orthanc after reading, or not stored at all.
    """

    batch_size: int = 200
    poll_seconds: float = 5.0
    reconcile_at_start: bool = True
    dose_from_ct_images: bool = False
    screens: Screens = ()
    counts_rejected_for_safety: bool = False
    identity: IdentityRules = NOTHING_KEPT
    not_patient: NotPatient = NO_PATTERNS
    ignoring: Ignoring = Ignoring()
    deleted: frozenset[str] = frozenset()
    dropped: frozenset[str] = frozenset()

    @property
    def reads_ct_images(self) -> bool:
        """True if CT images are read, for dose or for what they add to a dose screen."""
        return self.dose_from_ct_images or bool(self.screens)

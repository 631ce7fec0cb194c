"""Skin dose of fluoroscopy: where the beams met the skin, how much, and how sure that is.

Pure functions on rows and arrays: no files but those of this package, no store. `calculate` gives the
result for a study; docs/guide describes the method, its sources and limits.
"""

from .calculate import RULES_VERSION, Patient, Settings, calculate, of_events
from .exposures import Exposure, LeftOut
from .irradiation import Table
from .phantom import Phantom
from .profiles import InvalidProfile, Profile, profile_for, profile_of, shipped
from .results import LEVELS, Input, Peak, SkinDose, Used

__all__ = [
    "LEVELS", "RULES_VERSION", "Exposure", "Input", "InvalidProfile", "LeftOut", "Patient", "Peak", "Phantom",
    "Profile", "Settings", "SkinDose", "Table", "Used", "calculate", "of_events", "profile_for", "profile_of",
    "shipped",
]  # fmt: skip

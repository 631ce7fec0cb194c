"""Skin dose of fluoroscopy: where the beams met the skin, how much, and how sure that is.

Pure functions on rows and arrays: no files but those of this package, no store. `calculate` gives the
result for a study; docs/guide describes the method, its sources and limits.
"""

from .bodies import ARMS, BODIES
from .calculate import PHANTOMS, RULES_VERSION, Patient, Settings, calculate, phantom_for, poses_of
from .exposures import Exposure, LeftOut
from .irradiation import Table
from .phantom import Phantom
from .profiles import InvalidProfile, Profile, profile_for, profile_of, shipped
from .results import LEVELS, Input, Peak, SkinDose, Used, packed, unpacked

__all__ = [
    "ARMS", "BODIES", "LEVELS", "PHANTOMS", "RULES_VERSION", "Exposure", "Input", "InvalidProfile",
    "LeftOut", "Patient", "Peak", "Phantom", "Profile", "Settings", "SkinDose", "Table", "Used",
    "calculate", "packed", "phantom_for", "poses_of", "profile_for", "profile_of", "shipped", "unpacked",
]  # fmt: skip

"""From "stored" to "in the store": reading what Orthanc's log of changes announces, once, in order, durably."""

from .surroundings import Options, identity_rules
from .worker import Worker

__all__ = ["Options", "Worker", "identity_rules"]

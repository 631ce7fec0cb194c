"""From "stored" to "in the store": reading what Orthanc's log of changes announces, once, in order, durably."""

from .worker import Options, Worker

__all__ = ["Options", "Worker"]

"""From "stored" to "in the store": reading what Orthanc's log of changes announces, once, in order, durably."""

from .housekeeping import Housekeeping
from .reextraction import Reextraction
from .requests import Requests
from .size_import import SizeImport
from .surroundings import Options, identity_rules, key_of_hashes
from .tasks import Job, Tasks
from .worker import Worker

# The kinds of tasks that the worker does and that need nothing but the store.
JOBS: dict[str, type[Job]] = {job.kind: job for job in (Reextraction,)}

__all__ = ["JOBS", "Housekeeping", "Options", "Requests", "SizeImport", "Tasks", "Worker", "identity_rules", "key_of_hashes"]

"""From "stored" to "in the store": reading what Orthanc's log of changes announces, once, in order, durably."""

from .deletion import DeleteStudies
from .housekeeping import Housekeeping
from .reextraction import Reextraction
from .requests import Requests
from .sorting import SortStudies
from .surroundings import Options, identity_rules
from .tasks import Job, Tasks
from .worker import Worker

# The kinds of tasks that the worker does.
JOBS: dict[str, type[Job]] = {job.kind: job for job in (Reextraction, SortStudies, DeleteStudies)}

__all__ = ["JOBS", "Housekeeping", "Options", "Requests", "Tasks", "Worker", "identity_rules"]

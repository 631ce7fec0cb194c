"""From "stored" to "in the store": reading what Orthanc's log of changes announces, once, in order, durably."""

from collections.abc import Callable
from functools import partial

from ..store.tasks import Task
from .deletion import Deletion
from .deletion_jobs import ApplyRules, ForgetObjects
from .door import Door
from .housekeeping import Housekeeping
from .reextraction import Reextraction
from .requests import Requests
from .sorting import SortStudies
from .study_deletion import DeleteStudies
from .surroundings import Options, identity_rules
from .tasks import Job, Tasks
from .worker import Worker

# The kinds of tasks that the worker does.
JOBS: dict[str, type[Job]] = {job.kind: job for job in (Reextraction, SortStudies, DeleteStudies)}


def jobs(deletion: Deletion) -> dict[str, Callable[[Task], Job]]:
    """All kinds of tasks of the worker, those that need Orthanc among them."""
    return {**JOBS, **{job.kind: partial(job, deletion=deletion) for job in (ApplyRules, ForgetObjects)}}


__all__ = ["Deletion", "Door", "Housekeeping", "Options", "Requests", "Tasks", "Worker", "identity_rules", "jobs"]

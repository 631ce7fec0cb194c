"""From "stored" to "in the store": reading what Orthanc's log of changes announces, once, in order, durably."""

from collections.abc import Callable
from functools import partial

from ..sizes.files import SizeFiles
from ..store.tasks import Task
from .deletion import Deletion
from .deletion_jobs import ApplyRules, ForgetObjects
from .door import Door
from .housekeeping import Housekeeping
from .reextraction import Reextraction
from .requests import Requests
from .size_import import SizeImport
from .surroundings import Options, identity_rules, key_of_hashes
from .tasks import Job, Tasks
from .worker import Worker

# The kinds of tasks that the worker does and that need nothing but the store.
JOBS: dict[str, type[Job]] = {job.kind: job for job in (Reextraction,)}


def jobs(deletion: Deletion, size_files: SizeFiles, key: Callable[[], bytes]) -> dict[str, Callable[[Task], Job]]:
    """All kinds of tasks of the worker, those that need more than the store among them. key: of the installation's hashes."""
    of_objects = {job.kind: partial(job, deletion=deletion) for job in (ApplyRules, ForgetObjects)}
    return {**JOBS, **of_objects, SizeImport.kind: partial(SizeImport, uploads=size_files, key=key)}


__all__ = [
    "Deletion", "Door", "Housekeeping", "Options", "Requests", "Tasks", "Worker", "identity_rules", "jobs", "key_of_hashes",
]  # fmt: skip

"""Ingest: reading what Orthanc's log of changes announces: once, in order, durably."""

from collections.abc import Callable
from functools import partial

from ..dicom.identity import IdentityRules
from ..sizes.files import SizeFiles
from ..store.tasks import Task
from ..work.task_interface import Job
from .deletion import Deletion
from .deletion_jobs import ApplyRules, ForgetObjects
from .door import Door
from .finding import Finder
from .identity import ApplyIdentity
from .nested import FindNested
from .not_patient import ApplyNotPatient
from .orthanc_source import Source
from .reextraction import Reextraction
from .rejections import DecideRejections, Withdrawals
from .requests import Requests
from .size_import import SizeImport
from .sorting import SortStudies
from .study_deletion import DeleteStudies
from .worker import Worker
from .worker_options import Options


def jobs(
    options: Callable[[], Options],
    deletion: Deletion,
    size_files: SizeFiles,
    key: bytes,
    source: Source,
) -> dict[str, Callable[[Task], Job]]:
    """Return the kinds of tasks done by the worker, each with the function that makes its job.

    key: the key of the installation's hashes.
    """
    return {
        Reextraction.kind: Reextraction,
        ApplyIdentity.kind: partial(ApplyIdentity, options=options),
        ApplyNotPatient.kind: ApplyNotPatient,
        **{job.kind: partial(job, deletion=deletion) for job in (ApplyRules, ForgetObjects)},
        SizeImport.kind: partial(SizeImport, uploads=size_files, key=key),
        SortStudies.kind: SortStudies,
        DecideRejections.kind: DecideRejections,
        DeleteStudies.kind: DeleteStudies,
        FindNested.kind: partial(FindNested, source=source),
    }


__all__ = [
    "Deletion", "Door", "Finder", "IdentityRules", "Options", "Requests", "Withdrawals", "Worker", "jobs",
]  # fmt: skip

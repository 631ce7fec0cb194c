"""The task that compares old objects with the present not-patient patterns.

It can do so where names and IDs are kept as written.
"""

from ..dicom.identity import is_hash
from ..dicom.not_patient import NotPatient, indicator
from ..extract import Kept
from ..store import Batch, Writer
from ..store.tasks import Task
from .contents import OverContents


class ApplyNotPatient(OverContents):
    """Apply the present not-patient patterns to what is kept.

    parameters: names, ids: the patterns. result: numbers of studies: set, changed, cleared,
    cannot_say (neither name nor ID is kept as written, so that an existing indicator stays); and
    said, the same in sentences.
    """

    kind = "not-patient"

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self._patterns = NotPatient(tuple(self.parameters["names"]), tuple(self.parameters["ids"]))
        self.result = {
            "set": 0,
            "changed": 0,
            "cleared": 0,
            "cannot_say": 0,
            "said": [],
        } | self.result

    def change(self, study: str, contents: list[Kept]) -> None:
        before = {indicator(kept.not_patient) for kept in contents} - {None}
        written = [_written(kept) for kept in contents]
        for kept, known in zip(contents, written, strict=True):
            # An item that is hashed or gone keeps the result it had when the object arrived.
            told = {
                item: pattern for item, pattern in kept.not_patient.items() if item not in known
            }
            kept.not_patient = told | self._patterns.matching(known.get("name"), known.get("id"))
        after = {indicator(kept.not_patient) for kept in contents} - {None}
        if study and not any(written):
            self.result["cannot_say"] += 1
        elif study and before != after:
            self.result["changed" if before and after else "set" if after else "cleared"] += 1

    def after_all(self, writer: Writer) -> Batch | None:
        if self.progress["contents"] == "said":
            return None
        count = self.result
        self.result["said"] = [
            f"Studies that became possible test data: {count['set']}; no longer: "
            f"{count['cleared']}; by a different pattern than before: {count['changed']}.",
            f"Studies that keep neither name nor ID as written: {count['cannot_say']}. Their "
            "earlier result stays.",
        ]
        self.progress = {"contents": "said"}
        return Batch()


def _written(kept: Kept) -> dict[str, str]:
    return {
        item: value
        for item, value in kept.patient.items()
        if item in ("name", "id") and not is_hash(value)
    }

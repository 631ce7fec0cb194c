"""The task that brings what is kept of patients to the present rules, as far as possible."""

from collections.abc import Callable
from typing import Any

from ..dicom.identity import IdentityRules, is_hash
from ..extract import Kept, apply_again
from ..records.study import UNDER_RULES
from ..store import Batch, NotRenewed, Writer, identity
from ..store.tasks import Task
from ..work.task import Failed
from .contents import OverContents
from .surroundings import Options

_ROWS = 500  # studies per transaction, of those whose objects' content is gone
_TITLES = dict(
    zip(
        UNDER_RULES,
        ("patient name", "patient ID", "date of birth", "accession number"),
        strict=True,
    )
)


class ApplyIdentity(OverContents):
    """Apply the present rules of patient identity to what is kept.

    parameters: rules, by field of the study. result: items, by field the number of studies in which
    it was dropped, was hashed, or cannot be as the rule asks; objects, the number whose kept
    content was changed; lost_names; said, the same in sentences.
    """

    kind = "apply-identity"

    def __init__(self, task: Task, options: Callable[[], Options]) -> None:
        super().__init__(task)
        self._rules_of_items: dict[str, str] = self.parameters["rules"]
        self._rules = IdentityRules(**self._rules_of_items, secret=options().identity.secret)
        counts = {item: {"dropped": 0, "hashed": 0, "cannot": 0} for item in UNDER_RULES}
        self.result = {"items": counts, "objects": 0, "lost_names": 0, "said": []} | self.result

    def step(self, writer: Writer) -> Batch | None:
        if "before" not in self.result:
            self.result["before"] = identity.ways(writer.connection)
        return super().step(writer)

    def change(self, study: str, contents: list[Kept]) -> None:
        for kept in contents:
            apply_again(kept, self._rules)

    def _changed(self, writer: Writer, studies: list[str]) -> Batch:
        out = super()._changed(writer, studies)
        self.result["objects"] += len(out.objects)
        return out

    def after_all(self, writer: Writer) -> Batch | None:
        step = self.progress["contents"]
        if step == "done":
            found = identity.to_change(writer.connection, self._rules_of_items, _ROWS)
            if found:
                return Batch(more=lambda connection: identity.change(connection, found, self._keep))
            writer.forget_unused_terms()
            self.progress = {"contents": "rows done"}
            return Batch()
        if step == "rows done":
            self._count(writer)
            self.progress = {"contents": "counted"}
            return Batch()
        if step == "counted":
            self._renew(writer)
            self.progress = {"contents": "file done"}
            return Batch()
        return None

    def _keep(self, item: str, value: str) -> str | None:
        """Return what a study's row keeps of a value.

        This is for rows whose objects' content is gone or cannot be read.
        """
        rule = self._rules_of_items[item]
        if item == "patient_name" and rule in ("hashed", "sha256") and not is_hash(value):
            self.result["lost_names"] += 1
            return None  # the spelling used by the object is no longer known
        return self._rules.kept(rule, value)

    def _count(self, writer: Writer) -> None:
        before, after = self.result.pop("before"), identity.ways(writer.connection)
        said = [f"Objects whose kept content was changed: {self.result['objects']}."]
        for item, rule in self._rules_of_items.items():
            count = self.result["items"][item]
            # Whatever arrived meanwhile arrived under the rules: all that had to be done was done.
            done = sum(
                number for way, number in before[item].items() if identity.can_change(rule, way)
            )
            lost = self.result["lost_names"] if item == "patient_name" else 0
            count |= {
                "dropped": done if rule == "none" else lost,
                "hashed": 0 if rule == "none" else done - lost,
            }
            count["cannot"] = sum(
                number for way, number in after[item].items() if identity.cannot_change(rule, way)
            )
            said += _said(_TITLES[item], rule, count, after[item])
        if self.result["lost_names"]:
            said.append(
                "Studies whose patient name was dropped instead of hashed: "
                f"{self.result['lost_names']}. The content of their objects, and with it the "
                "name as written, is no longer available."
            )
        self.result["said"] = said

    def _renew(self, writer: Writer) -> None:
        try:
            writer.renew()
        except NotRenewed as error:
            raise Failed(
                "The records were changed, but the file of the store still contains remnants of "
                f"what was dropped: {error}. Start the task again."
            ) from error


def _said(title: str, rule: str, count: dict[str, int], after: dict[str, Any]) -> list[str]:
    said = []
    if count["dropped"]:
        said.append(f"Studies whose {title} was dropped: {count['dropped']}.")
    if count["hashed"]:
        said.append(f"Studies whose {title} was hashed: {count['hashed']}.")
    if rule == "none":
        return said
    if after["none"]:
        said.append(
            f"Studies without {title}: {after['none']}. It was not kept or not given, and cannot "
            "be restored."
        )
    hashes = after["hashed"] + after["sha256"] - (after[rule] if rule != "stored" else 0)
    if hashes:
        wish = "as written" if rule == "stored" else "as the other kind of hash"
        said.append(
            f"Studies that hold the {title} as a hash: {hashes}. A hash cannot be stored {wish}."
        )
    return said

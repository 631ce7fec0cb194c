"""Bodies that select objects: those of an outcome or of one of its rules, or by their UIDs."""

from typing import Annotated, Literal

from ..records.given import END, UNSET, Given, Meta, UnsetType

MOST_UIDS = 10_000
_Uid = Annotated[str, Meta(pattern=rf"^[0-9.]{{1,64}}{END}")]


class ObjectsOfRule(Given):
    """All objects of an outcome, or of one of its rules."""

    outcome: Annotated[Literal["failed", "ignored"], Meta(description="Outcome of the objects.")]
    rule: Annotated[
        Annotated[str, Meta(min_length=1, max_length=100)] | UnsetType,
        Meta(description="Name of the rule that decided.", extra={"words": "the name of a rule"}),
    ] = UNSET


class ObjectsByUid(Given):
    """Objects given by their SOP Instance UIDs."""

    sop_instance_uids: Annotated[
        list[_Uid],
        Meta(
            min_length=1,
            max_length=MOST_UIDS,
            description="SOP Instance UIDs of the objects.",
            extra={"words": f"a list of 1 to {MOST_UIDS:,} DICOM UIDs"},
        ),
    ]

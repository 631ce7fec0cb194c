"""The feed of changed studies, and the progress of each of its followers."""

from .field import Table, integer, moment, text

CHANGES = {
    "made": "a study that was not there before",
    "changed": "its record was written anew, or a part of it",
    "removed": "the record is gone; its number is never given to another study",
}

STUDY_CHANGE = Table(
    "study_change",
    "Changed studies",
    "One row a study in a transaction that wrote it, until every follower has seen it.",
    (
        integer(
            "number",
            "Number",
            always=True,
            description="Grows with each change; none is given twice.",
        ),
        integer("study_id", "Study", always=True),
        text(
            "what",
            "What",
            always=True,
            description="; ".join(f"{key}: {what}" for key, what in CHANGES.items()),
        ),
        moment("at", "When", always=True, description="UTC."),
    ),
)

FOLLOWER = Table(
    "follower",
    "Followers",
    "One row a part of the program that reacts to changed studies.",
    (
        text("name", "Name", always=True),
        integer(
            "cursor",
            "Cursor",
            always=True,
            description="The number of the last change that it has seen.",
        ),
        integer(
            "task_id",
            "Task",
            description="The task that reacts to the studies that were there before it.",
        ),
        moment("created_at", "Since", always=True, description="UTC."),
    ),
)

FOLLOWER_FAILURE = Table(
    "follower_failure",
    "What followers could not do",
    "One row a change of a study that a follower could not react to yet.",
    (
        text("follower", "Follower", always=True),
        integer(
            "number",
            "Number",
            description="Of the change; empty for a study that was there before the follower.",
        ),
        integer("study_id", "Study", always=True),
        text("what", "What", always=True),
        integer("attempts", "Attempts", always=True),
        text(
            "reason",
            "Reason",
            always=True,
            description="The kind of error and its place, without any value.",
        ),
        moment("failed_at", "Failed", always=True, description="UTC; the last time."),
        moment(
            "next_try_at",
            "Next try",
            description="UTC; empty where it is skipped until somebody asks for another try.",
        ),
    ),
)

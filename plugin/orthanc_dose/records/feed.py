"""The feed of changed studies, and the progress of each of its followers."""

from .field import Table, integer, moment, text

CHANGES = {
    "made": "a new study",
    "changed": "its record, or a part of it, was rewritten",
    "removed": "the record was removed; its number is never reused",
}

STUDY_CHANGE = Table(
    "study_change",
    "Changed studies",
    "One row per study that a transaction wrote, kept until every follower has processed it.",
    (
        integer(
            "number",
            "Number",
            always=True,
            description="Increases with each change; numbers are never reused.",
        ),
        integer("study_id", "Study", always=True),
        text(
            "what",
            "Change",
            always=True,
            description="; ".join(f"{key}: {what}" for key, what in CHANGES.items()),
        ),
        moment("at", "Time", always=True, description="UTC."),
    ),
)

FOLLOWER = Table(
    "follower",
    "Followers",
    "One row per part of the program that reacts to changed studies.",
    (
        text("name", "Name", always=True),
        integer(
            "cursor",
            "Cursor",
            always=True,
            description="Number of the last change that the follower has processed.",
        ),
        integer(
            "task_id",
            "Task",
            description="Task that processes the studies that existed before the follower.",
        ),
        moment("created_at", "Since", always=True, description="UTC."),
    ),
)

FOLLOWER_FAILURE = Table(
    "follower_failure",
    "Failures of followers",
    "One row per study change that a follower has not been able to process yet.",
    (
        text("follower", "Follower", always=True),
        integer(
            "number",
            "Number",
            description="Number of the change; empty for a study that existed before the follower.",
        ),
        integer("study_id", "Study", always=True),
        text("what", "Change", always=True),
        integer("attempts", "Attempts", always=True),
        text(
            "reason",
            "Reason",
            always=True,
            description="Kind of error and its location in the code, without any value.",
        ),
        moment("failed_at", "Failed", always=True, description="UTC; the latest failure."),
        moment(
            "next_try_at",
            "Next try",
            description="UTC; empty if the change is skipped until somebody requests another try.",
        ),
    ),
)

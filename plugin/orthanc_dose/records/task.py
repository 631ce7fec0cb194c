"""Long-running work: tasks, their progress, and a line-by-line log of what they did."""

from .field import Table, integer, moment, text

STATES = {
    "waiting": "it has not started",
    "running": "it is in progress",
    "done": "it was completed",
    "stopped": "a user stopped it; what it had done stays",
    "failed": "an error ended it; what it had done stays",
    "broken off": "the server stopped while it was running, and it cannot be resumed",
}
OPEN = ("waiting", "running")
FINISHED = tuple(state for state in STATES if state not in OPEN)
JSON = ("parameters", "progress", "result")  # columns that hold objects as JSON

TASK = Table(
    "task",
    "Tasks",
    "One row per task.",
    (
        integer("id", "Number", always=True),
        text("kind", "Kind", always=True, description="Kind of the task."),
        text(
            "subject",
            "Subject",
            always=True,
            description="What the task works on, such as the name of a file or a system.",
        ),
        text("user_name", "User", always=True, description="User who started the task."),
        text(
            "state",
            "State",
            always=True,
            description="; ".join(f"{key}: {what}" for key, what in STATES.items()),
        ),
        integer(
            "done",
            "Done",
            always=True,
            description="How much of the total is done, in the items that this kind of task "
            "counts.",
        ),
        integer("total", "Total", description="Empty until the total is known."),
        text("message", "Message", description="Why the task failed."),
        text("parameters", "Parameters", description="JSON: parameters of the task."),
        text("progress", "Progress", description="JSON: where the task resumes after a restart."),
        text("result", "Result", description="JSON: result of the task."),
        moment("created_at", "Created", description="UTC."),
        moment("started_at", "Started", description="UTC."),
        moment("finished_at", "Finished", description="UTC."),
        text(
            "owner",
            "Owner",
            description="Node and process that work or worked on the task; empty as long as none "
            "has started.",
        ),
        moment(
            "alive_at",
            "Heartbeat",
            description="UTC: when its owner last reported that it is working on the task.",
        ),
    ),
)

TASK_LOG = Table(
    "task_log",
    "Task log",
    "What a task did, with one row per line of its input or per item that it worked on.",
    (
        integer("task_id", "Task"),
        integer(
            "line", "Line", description="Line of the input, counted from 1, or a sequence number."
        ),
        text(
            "outcome",
            "Outcome",
            description="Outcome of the line: one of the outcomes of this kind of task.",
        ),
        integer("study_id", "Study"),
        text("message", "Message", description="Further details, without any patient identity."),
    ),
)

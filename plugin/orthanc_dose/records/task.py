"""Long-running work: tasks, their progress, and a line-by-line log of what they did."""

from .field import Table, integer, moment, text

STATES = {
    "waiting": "it has not begun",
    "running": "it is under way",
    "done": "it came to its end",
    "stopped": "somebody stopped it; what it did stays",
    "failed": "an error ended it; what it did before stays",
    "broken off": "the server ended under it, and it cannot go on",
}
OPEN = ("waiting", "running")
FINISHED = tuple(state for state in STATES if state not in OPEN)
JSON = ("parameters", "progress", "result")  # columns that hold objects as JSON

TASK = Table(
    "task",
    "Tasks",
    "One row a task.",
    (
        integer("id", "Number", always=True),
        text("kind", "Kind", always=True, description="What it does: one of the kinds of tasks."),
        text(
            "subject",
            "Subject",
            always=True,
            description="What it does it to: the name of a file, a system.",
        ),
        text("user_name", "User", always=True, description="Who started it."),
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
            description="How much of total is done, in what the kind counts.",
        ),
        integer("total", "Total", description="Empty until it is known."),
        text("message", "Message", description="Why it failed."),
        text("parameters", "Parameters", description="JSON: what it was asked for."),
        text("progress", "Progress", description="JSON: from where it goes on after a restart."),
        text("result", "Result", description="JSON: what came of it."),
        moment("created_at", "Created", description="UTC."),
        moment("started_at", "Started", description="UTC."),
        moment("finished_at", "Finished", description="UTC."),
        text(
            "owner",
            "Owner",
            description="The node and the process that work on it, or did; empty while nobody has begun.",
        ),
        moment(
            "alive_at", "Alive", description="UTC: when its owner last said that it works on it."
        ),
    ),
)

TASK_LOG = Table(
    "task_log",
    "Log of tasks",
    "What a task did, one row a line of its input or a thing that it worked on.",
    (
        integer("task_id", "Task"),
        integer("line", "Line", description="Of the input, from 1; or a running number."),
        text("outcome", "Outcome", description="What became of it: one of the kind's outcomes."),
        integer("study_id", "Study"),
        text("message", "Message", description="More about it, without any identity."),
    ),
)

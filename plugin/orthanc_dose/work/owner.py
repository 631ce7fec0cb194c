"""The owner of a task: a process of a node.

A node is an Orthanc with its data directory; it keeps its name over restarts, and has one process
at a time.
"""

import contextlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..store import STORE_ERRORS, Store, state
from ..store.tasks import Task

# Seconds between signs of life, and seconds after which a silent process of another node is taken
# for dead.
BEAT_S = 15.0
SILENCE_S = 4 * BEAT_S
_STATE = "node"


@dataclass(frozen=True)
class Owner:
    """A process: the name of its node, and a name of its own."""

    node: str
    process: str

    @classmethod
    def of_this_process(cls, store: Store) -> "Owner":
        """Return the process that has the store open. Its node is named when first asked for."""
        with store.reading() as connection:
            node = state.read_state(connection, _STATE)
        if node is None:
            node = secrets.token_hex(6)
            # If the disk is full, the node is named at a later start.
            with contextlib.suppress(*STORE_ERRORS), store.writing() as connection:
                state.write_state(connection, _STATE, node)
        return cls(node, secrets.token_hex(6))

    def __str__(self) -> str:
        return f"{self.node}/{self.process}"

    def may_take(self, task: Task, now: datetime) -> bool:
        """Return whether nobody else works on an open task.

        That is so if it has no owner yet, if its owner is an earlier process of this node, or if
        its owner is a process of another node that has been silent for too long. now: UTC.
        """
        owner: str | None = task["owner"]
        if owner is None:
            return True
        node, _, process = owner.partition("/")
        if node == self.node:
            return process != self.process
        alive_at: datetime | None = task["alive_at"]
        return alive_at is None or alive_at < now - timedelta(seconds=SILENCE_S)

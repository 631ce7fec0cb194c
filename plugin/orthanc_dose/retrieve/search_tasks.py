"""Searches on remote nodes as tasks, with each of their decisions in the store."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import duckdb
import pyarrow as pa

from ..records import FOUND
from ..records.rows import FoundRow
from ..store import Store
from ..store.database import rows
from ..store.schema import arrow_schema
from ..work.runner import Kind, Place, Runner
from ..work.task_interface import Failed, Run
from .answers import Image
from .asking import Asked
from .gaps import counted
from .node_search import Found, NodeError, Search, search_node
from .nodes import Nodes
from .question import Question
from .rules import Decision

# A place of their own: retrieving may take hours, for which no export should wait.
NODE_SEARCH = Kind("node-search", Place("nodes", at_once=2))
KIND = NODE_SEARCH.name
_NOTED_S = 0.5  # from one record of what was found so far to the next


class Searches:
    """Starts searches, and knows what they found. May be used from any thread."""

    def __init__(self, store: Store, runner: Runner, nodes: Nodes) -> None:
        self._store, self._runner, self._nodes = store, runner, nodes

    def start_search(
        self,
        user: str,
        node: str,
        question: Question,
        asked: Asked,
        then: Callable[[int], object] = lambda number: None,
    ) -> int:
        """Start a search, and return the task's number.

        asked: the question as it was asked; then: called with the number if something was found
        that is to be retrieved. Raises NoNode.
        """
        question = replace(question, modality_too=self._nodes.listed_node(node)["modality_too"])
        return self._runner.start_on_thread(
            NODE_SEARCH, user, node, asked, partial(self._work, node, question, then)
        )

    def found(
        self,
        connection: duckdb.DuckDBPyConnection,
        task_id: int,
        kept: bool | None,
        limit: int,
        offset: int,
    ) -> Any:
        """Return a page of what a search found, in its order, and the total number.

        kept: only what is retrieved, or only what is left.
        """
        bound = {"task": task_id} | ({} if kept is None else {"kept": kept})
        where = f"task_id = $task{'' if kept is None else ' AND coalesce(kept, false) = $kept'}"
        [(total,)] = connection.execute(
            f'SELECT count(*) FROM "{FOUND.name}" WHERE {where}', bound
        ).fetchall()
        query = (
            f'SELECT * EXCLUDE task_id FROM "{FOUND.name}" WHERE {where} ORDER BY line LIMIT '
            f"{limit:d} OFFSET {offset:d}"
        )
        return {"total": total, "found": rows(connection.execute(query, bound))}

    def sweep(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Delete what was found by searches that were deleted."""
        connection.execute(f'DELETE FROM "{FOUND.name}" WHERE task_id NOT IN (SELECT id FROM task)')

    def _work(
        self, name: str, question: Question, then: Callable[[int], object], run: Run
    ) -> dict[str, Any]:
        doubts: list[str] = []
        stage, noted_at = "", 0.0

        def told(now: str, done: int, of: int, so_far: Search) -> None:
            nonlocal stage, noted_at
            if now != stage or time.monotonic() - noted_at > _NOTED_S:
                stage, noted_at = now, time.monotonic()
                run.note(run.number, result={"stage": stage} | _counts(so_far))
            run.progress(done, of)

        try:
            out = search_node(
                question, self._nodes.node(name, doubts.append).find, self._known, told
            )
        except NodeError as error:
            raise Failed(str(error)) from error
        lines = [
            {"task_id": run.number, "line": number} | line
            for number, line in enumerate(_lines(out), 1)
        ]
        with self._store.writing() as connection:
            connection.register("lines", pa.Table.from_pylist(lines, schema=arrow_schema(FOUND)))
            connection.execute(f'INSERT INTO "{FOUND.name}" BY NAME SELECT * FROM lines')
            connection.unregister("lines")
        run.note(run.number, done=len(out.studies), total=len(out.studies))
        with self._store.reading() as connection:
            summary = _summary(out, doubts) | {"gaps": counted(connection, run.number)}
        if summary["kept_series"]:
            then(run.number)
        return summary

    def _known(self, study_instance_uid: str) -> frozenset[str]:
        """Return the objects of a study that the store has; objects that failed are retrieved
        again.
        """
        query = (
            "SELECT sop_instance_uid FROM object WHERE study_instance_uid = $1 AND outcome <> "
            "'failed'"
        )
        with self._store.reading() as connection:
            return frozenset(
                uid for (uid,) in connection.execute(query, [study_instance_uid]).fetchall() if uid
            )


def _lines(out: Search) -> list[FoundRow]:
    return [line for found in out.studies for line in _of_study(found)]


def _of_study(found: Found) -> list[FoundRow]:
    study = found.study
    common: FoundRow = {
        "study_instance_uid": study.uid,
        "study_date": study.study_date,
        "study_description": study.description,
        "modalities": sorted(study.modalities) if study.modalities else None,
        "looked_at_as": list(found.groups),
        "study_reason": found.reason,
        "told": found.told,
    }
    lines = [
        common | _of_series(decision, found.listed.get(decision.series.uid))
        for decision in found.decisions
    ]
    return lines or [common | {"kept": False, "chosen": False}]


def _of_series(decision: Decision, listed: list[Image] | None) -> FoundRow:
    series, images = decision.series, decision.images
    return {
        "series_instance_uid": series.uid,
        "modality": series.modality,
        "series_description": series.description,
        "station_name": series.station_name,
        "size": series.size,
        "kept": decision.is_kept,
        "reason": decision.reason,
        "images": None if images is None else [image.sop_instance_uid for image in images],
        "chosen": decision.is_kept,
        "listed": [image.sop_instance_uid for image in listed]
        if listed and decision.is_kept
        else None,
    }


def _summary(out: Search, doubts: list[str]) -> dict[str, Any]:
    kept = [one for found in out.studies for one in found.decisions if one.is_kept]
    sizes = [one.objects for one in kept]
    by_kind = Counter(group for found in out.studies if found.is_kept for group in found.groups)
    return _counts(out) | {
        "kept_studies": sum(found.is_kept for found in out.studies),
        "kept_series": len(kept),
        "objects": None if None in sizes else sum(size or 0 for size in sizes),
        "by_kind": dict(by_kind),
        "split": out.split,
        "doubts": out.doubts | dict.fromkeys(doubts, ""),
        "ignores_modality": out.ignores_modality,
    }


def _counts(out: Search) -> dict[str, Any]:
    """Return the counts also reported during a search: studies, and what was left and why."""
    return {
        "studies": len(out.studies),
        "left_studies": dict(out.left_studies),
        "left_series": dict(out.left_series),
        "finds": dict(out.finds),
    }

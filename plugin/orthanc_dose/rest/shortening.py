"""Limits on how much of an object's content an answer contains.

A report may have a text of 50 MB or a million items: the store has all of it, but no page can show
it.
"""

import json
import re
from collections.abc import Callable
from typing import Any

LONGEST = 10_000  # characters of a text in an answer
# Approximate limit, in bytes, of the stored content of one study in an answer. A real report of 300
# events takes a third of it.
LARGEST_CONTENT = 4_000_000
_LARGEST_VALUE = 100_000  # bytes of the value of one element or item
_IS_CUT = re.compile(r"… \([0-9,]{1,20} more characters\)")


def has_long_text(raw: bytes) -> bool:
    """Return whether JSON may contain a text that is too long.

    Fast, since it checks every answer.
    """
    if len(raw) <= LONGEST:
        return False
    # Escaped quotes do not end a text.
    plain = raw.replace(rb"\\", b"__").replace(rb"\"", b"__")
    return max(map(len, plain.split(b'"'))) > LONGEST


def short(value: Any) -> Any:
    """Return the value with each text longer than LONGEST cut, except names of objects.

    A text that was cut before stays as it is.
    """
    if isinstance(value, str):
        left_out = len(value) - LONGEST
        if left_out <= 0 or _IS_CUT.fullmatch(value, LONGEST):
            return value
        return f"{value[:LONGEST]}… ({left_out:,} more characters)"
    if isinstance(value, dict):
        return {name: short(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [short(one) for one in value]
    return value


def short_content(
    objects: list[dict[str, Any]], plain: Callable[[object], object]
) -> tuple[list[dict[str, Any]], bool]:
    """Return the stored content of a study's objects, shortened for a page, and whether it was cut.

    Texts are cut; a value with too many parts becomes a cut text of its JSON. When the answer is
    full, `left_out` gives the number of missing elements of an object's header, or of missing items
    below an item of its tree. plain: converts values that JSON does not know.
    """

    def size(value: Any) -> int:
        return len(json.dumps(value, default=plain))

    space, cut = LARGEST_CONTENT, False

    def fitting(holder: dict[str, Any]) -> dict[str, Any]:
        nonlocal cut
        out: dict[str, Any] = short(holder)
        value = out.get("value")
        if value is not None and size(value) > _LARGEST_VALUE:
            out["value"] = short(json.dumps(holder["value"], default=plain))
        cut = cut or out != holder
        return out

    def some(
        parts: list[dict[str, Any]], make: Callable[..., dict[str, Any]]
    ) -> tuple[list[dict[str, Any]], int]:
        nonlocal space, cut
        found: list[dict[str, Any]] = []
        for part in parts:
            if space <= 0:
                cut = True
                break
            found.append(make(part))
        return found, len(parts) - len(found)

    def element(one: dict[str, Any]) -> dict[str, Any]:
        nonlocal space
        out = fitting(one)
        space -= size(out)
        return out

    def item(node: dict[str, Any]) -> dict[str, Any]:
        nonlocal space
        out = fitting({name: one for name, one in node.items() if name != "children"})
        space -= size(out)
        if "children" in node:
            out["children"], left_out = some(node["children"], item)
            if left_out:
                out["left_out"] = left_out
        return out

    shown = []
    for one in objects:
        out = fitting({name: part for name, part in one.items() if name not in ("header", "tree")})
        space -= size(out)
        out["tree"] = item(one["tree"]) if one["tree"] else None
        out["header"], left_out = some(one["header"], element)
        if left_out:
            out["left_out"] = left_out
        shown.append(out)
    return shown, cut

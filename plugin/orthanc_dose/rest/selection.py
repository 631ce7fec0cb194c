"""Bodies that choose objects: those of an outcome or of one of its rules, or some by their UIDs."""

import re
from typing import Any

from .errors import bad_body

MOST_UIDS = 10_000
_UID = re.compile(r"[0-9.]{1,64}", re.ASCII)
_OUTCOMES = ("failed", "ignored")

OF_RULE: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["outcome"],
    "properties": {
        "outcome": {"enum": list(_OUTCOMES)},
        "rule": {"type": "string", "minLength": 1, "maxLength": 100},
    },
}
OF_UIDS: dict[str, Any] = {
    "type": "object", "additionalProperties": False, "required": ["sop_instance_uids"],
    "properties": {"sop_instance_uids": {
        "type": "array", "minItems": 1, "maxItems": MOST_UIDS, "items": {"type": "string", "pattern": "^[0-9.]{1,64}$"}}},
}  # fmt: skip


def of_rule(body: Any) -> dict[str, str]:
    """The outcome and, where it is given, the rule. Raises ApiError 400."""
    if not isinstance(body, dict) or not {"outcome"} <= body.keys() <= {"outcome", "rule"}:
        raise bad_body(None, 'The body must be an object with "outcome" and, if you like, "rule".')
    if body["outcome"] not in _OUTCOMES:
        raise bad_body("outcome", f"outcome must be one of: {', '.join(_OUTCOMES)}.")
    if "rule" in body and (not isinstance(body["rule"], str) or not 1 <= len(body["rule"]) <= 100):
        raise bad_body("rule", "rule must be the name of a rule.")
    return body


def of_uids(body: dict[str, Any]) -> dict[str, list[str]]:
    """The SOP Instance UIDs, each once. Raises ApiError 400."""
    uids = body["sop_instance_uids"]
    if (
        len(body) > 1
        or not isinstance(uids, list)
        or not 1 <= len(uids) <= MOST_UIDS
        or not all(map(_is_uid, uids))
    ):
        raise bad_body(
            "sop_instance_uids",
            f"sop_instance_uids must be a list of 1 to {MOST_UIDS:,} DICOM UIDs.",
        )
    return {"sop_instance_uids": list(dict.fromkeys(uids))}


def _is_uid(value: object) -> bool:
    return isinstance(value, str) and _UID.fullmatch(value) is not None

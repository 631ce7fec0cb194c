"""What bodies hold: the schemas of their properties, from which the checks follow."""

import re
from typing import Any

from ..manage.passwords import LONGEST
from ..records.access import GROUPS
from .errors import bad_body

FLAG = {"type": "boolean"}
WORD = {"type": "string", "minLength": 1, "maxLength": 200}
LABEL = {
    "type": "string",
    "minLength": 1,
    "maxLength": 100,
    "pattern": r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$",
}
PASSWORD = {"type": "string", "minLength": 1, "maxLength": LONGEST}
GROUP_LIST = {"type": "array", "items": {"enum": list(GROUPS)}, "uniqueItems": True}
DAYS = {"type": ["integer", "null"], "minimum": 1, "maximum": 3650}


def checked(
    body: Any, properties: dict[str, dict[str, Any]], optional: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The body, where it is an object with these properties; optional ones that are missing are
    None. Raises ApiError 400 that names the property."""
    if not isinstance(body, dict):
        raise bad_body(None, f"The body must be an object with {', '.join(properties)}.")
    for name in body:
        if name not in properties:
            raise bad_body(name[:100], f"The body has {', '.join(properties)}, and nothing else.")
    out: dict[str, Any] = dict.fromkeys(optional)
    for name, schema in properties.items():
        if name not in body and name in optional:
            continue
        wrong = f"{name} is missing." if name not in body else _problem(body[name], schema)
        if wrong:
            raise bad_body(name, wrong if name not in body else f"{name} must be {wrong}.")
        out[name] = body[name]
    return out


def _problem(value: Any, schema: dict[str, Any]) -> str | None:
    """What it should be instead, None where it is right."""
    kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    if value is None and "null" in kinds:
        return None
    if "string" in kinds:
        low, high = schema.get("minLength", 0), schema.get("maxLength", 1000)
        if not isinstance(value, str) or not low <= len(value) <= high:
            return f"text of {low} to {high} characters"
        # JSON can hold halves of characters, which the store cannot.
        if "pattern" in schema and (
            not re.search(schema["pattern"], value) or re.search("[\ud800-\udfff]", value)
        ):
            return schema.get("description", "a line of text")
    elif "boolean" in kinds:
        return None if isinstance(value, bool) else "true or false"
    elif "integer" in kinds:
        low, high = schema["minimum"], schema["maximum"]
        if (
            isinstance(value, bool)
            or not isinstance(value, (int, float))
            or value != int(value)
            or not low <= value <= high
        ):
            return f"a whole number from {low} to {high}" + (" or null" if "null" in kinds else "")
    elif "number" in kinds:
        low, high = schema["minimum"], schema["maximum"]
        if (
            isinstance(value, bool)
            or not isinstance(value, (int, float))
            or not low <= value <= high
        ):
            return f"a number from {low} to {high}" + (" or null" if "null" in kinds else "")
    elif "array" in kinds:
        allowed = schema["items"]["enum"]
        if (
            not isinstance(value, list)
            or any(one not in allowed for one in value)
            or len(set(value)) < len(value)
        ):
            return f"a list of some of: {', '.join(allowed)}"
    return None

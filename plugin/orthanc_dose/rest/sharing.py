"""Sharing of repeated parts of the OpenAPI description, which become components."""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

# Number of JSON characters from which a schema is worth a reference.
_LONG = 60


def shared(node: Any, components: dict[str, dict[str, Any]], inside: str = "") -> Any:
    """Return the node with references in place of each part that equals a component.

    A schema that differs from a component only in its description keeps the description beside the
    reference. inside: the component that the node itself is.
    """
    names = {_key(schema): name for name, schema in components.items()}

    def look(at: Any, top: bool) -> Any:
        if isinstance(at, list):
            return [look(one, False) for one in at]
        if not isinstance(at, dict):
            return at
        if not top:
            plain = {name: value for name, value in at.items() if name != "description"}
            for of, told in ((at, {}), (plain, {"description": at.get("description")})):
                key = _key(of)
                if len(key) >= _LONG and key in names:
                    return {"$ref": f"#/components/schemas/{names[key]}"} | told
        return {name: look(value, False) for name, value in at.items()}

    return look(node, bool(inside))


class Shared:
    """Objects, of which those that occur several times become components.

    Components are named after the objects, with a number appended if several have the same name.
    """

    def __init__(self, named: Iterable[tuple[str, dict[str, Any]]]) -> None:
        found = list(named)
        often = Counter(_key(of) for _, of in found)
        self.components: dict[str, dict[str, Any]] = {}
        self._names: dict[str, str] = {}
        taken: Counter[str] = Counter()
        for name, of in found:
            key = _key(of)
            if often[key] > 1 and key not in self._names:
                taken[name] += 1
                self._names[key] = f"{name}_{taken[name]}" if taken[name] > 1 else name
                self.components[self._names[key]] = of

    def of(self, one: dict[str, Any]) -> dict[str, Any]:
        """Return a reference to the object if it is a component, else the object itself."""
        name = self._names.get(_key(one))
        return {"$ref": f"#/components/parameters/{name}"} if name else one


def _key(of: Any) -> str:
    return json.dumps(of, sort_keys=True, separators=(",", ":"))

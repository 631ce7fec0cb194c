"""The region of the body that an event irradiated, as tables of coefficients name regions.

The code of the target region decides (CID 4030), or its term in image headers (Body Part Examined,
PS3.16 annex L). If it is missing or no such region, a standard name of the installation does if it is the name of a
region, with or without "CT" before it. Nothing else is guessed: neither protocol nor description.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from .estimate import key_of

# Codes of CID 4030 in canonical form.
_CODES = {
    "SCT:69536005": "head",
    "SCT:12738006": "head",  # brain
    "SCT:89546000": "head",  # skull
    "SCT:45048000": "neck",
    "SCT:774007": "head_and_neck",
    "SCT:816094009": "chest",
    "SCT:818981001": "abdomen",
    "SCT:816092008": "pelvis",
    "SCT:818982008": "abdomen_pelvis",
    "SCT:416550000": "chest_abdomen",
    "SCT:416775004": "chest_abdomen_pelvis",
    "SCT:22943007": "trunk",
}
# Defined terms of Body Part Examined for the same codes.
_TERMS = {
    "HEAD": "head",
    "BRAIN": "head",
    "SKULL": "head",
    "NECK": "neck",
    "HEADNECK": "head_and_neck",
    "CHEST": "chest",
    "ABDOMEN": "abdomen",
    "PELVIS": "pelvis",
    "ABDOMENPELVIS": "abdomen_pelvis",
    "CHESTABDOMEN": "chest_abdomen",
    "CHESTABDPELVIS": "chest_abdomen_pelvis",
}


def region_of(event: Mapping[str, Any], names: Iterable[str]) -> tuple[str, str] | None:
    """Return the region and the origin of it, or None.

    names: standard names of the event's protocol or, if that has none, of its study. Several that
    name different regions name none.
    """
    target = event.get("target_region")
    key = key_of(target)
    if key in _CODES:
        return _CODES[key], "ct_event.target_region"
    if target and key is None and (term := (target.get("meaning") or "").upper()) in _TERMS:
        return _TERMS[term], "ct_event.target_region"
    found = {_plain(name) for name in names}
    return (found.pop(), "standard_name") if len(found) == 1 else None


def _plain(name: str) -> str:
    words = name.casefold().replace(",", " ").replace("_", " ").replace("/", " ").split()
    if words[:1] == ["ct"]:
        words = words[1:]
    return _WORDS.get(frozenset(word for word in words if word != "and"), " ".join(words))


_WORDS = {
    frozenset({"head"}): "head",
    frozenset({"brain"}): "head",
    frozenset({"neck"}): "neck",
    frozenset({"head", "neck"}): "head_and_neck",
    frozenset({"chest"}): "chest",
    frozenset({"thorax"}): "chest",
    frozenset({"abdomen"}): "abdomen",
    frozenset({"pelvis"}): "pelvis",
    frozenset({"abdomen", "pelvis"}): "abdomen_pelvis",
    frozenset({"chest", "abdomen"}): "chest_abdomen",
    frozenset({"chest", "abdomen", "pelvis"}): "chest_abdomen_pelvis",
    frozenset({"trunk"}): "trunk",
}

"""The keys of the texts: every key that the code names exists, and every text is used by the code.

Keys that the code puts together count as used if the parts that vary are words of the code, too.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
# A part of a key that the code fills in.
VARIES = "\0"


def texts(node: dict[str, object], *above: str) -> Iterator[str]:
    for name, value in node.items():
        if isinstance(value, dict):
            yield from texts(value, *above, name)
        else:
            yield ".".join((*above, name))


KEYS = set(texts(json.loads((ROOT / "webui/src/locales/en.json").read_text("utf-8"))))
SECTIONS = {key.partition(".")[0] for key in KEYS}


def sources() -> dict[Path, str]:
    web = (path for path in (ROOT / "webui/src").rglob("*") if path.suffix in (".ts", ".vue"))
    server = (ROOT / "plugin/orthanc_dose").rglob("*.py")
    return {
        path: path.read_text("utf-8")
        for path in (*web, *server)
        if not path.name.endswith(".test.ts") and "samples" not in path.parts
    }


def template(text: str) -> str:
    """A template literal or f-string with VARIES in place of what it fills in."""
    out, depth = "", 0
    for sign in text.replace("${", "{"):
        if sign == "{":
            depth += 1
            out += VARIES if depth == 1 else ""
        elif sign == "}":
            depth -= 1
        elif depth == 0:
            out += sign
    return out


def named(path: Path, source: str) -> Iterator[str]:
    """Keys and patterns of keys that a file names."""
    of_charts = "charts" in path.parts and path.suffix == ".py"
    found = re.findall(r"""["'`]([\w.-]+)["'`]""", source)
    found += map(template, re.findall(r"`((?:[^`\n]|\n(?=\s))*\$\{(?:[^`])*?)`", source))
    found += map(template, re.findall(r'\bf"([^"\n]*\{[^"\n]*)"', source))
    # Words by path: what follows the names is filled in.
    for names in re.findall(r'\bwordAt\(((?:"\w+", )+)', source):
        found.append(".".join((*re.findall(r'"(\w+)"', names), VARIES)))
    for one in found:
        if re.fullmatch(rf"[\w.{VARIES}-]+", one):
            yield one
            if of_charts:
                yield f"charts.{one}"


def pattern(one: str) -> re.Pattern[str]:
    return re.compile("([^\0]+)".join(map(re.escape, one.split(VARIES))))


def test_every_text_is_used() -> None:
    files = sources()
    code = "\n".join(files.values())
    words = {word for kind in (r"[\w-]+", r"[A-Za-z]+|\d+") for word in re.findall(kind, code)}
    every = {one for path, source in files.items() for one in named(path, source)}
    patterns = [
        pattern(one)
        for one in every
        if VARIES in one and (one.split(".")[0] in SECTIONS or re.match(rf"{VARIES}\.\w+$", one))
    ]

    def used(key: str) -> bool:
        # "broken_off" for "broken off", "-study_date" and the like are words as well.
        def is_word(part: str) -> bool:
            return part in words or all(
                bit in words for bit in re.split(r"[._ -]", part.lstrip("-")) if bit
            )

        return key in every or any(
            match and all(map(is_word, match.groups()))
            for match in (one.fullmatch(key) for one in patterns)
        )

    unused = sorted(key for key in KEYS if not used(key))
    assert unused == [], "no code uses these texts"


def test_every_key_that_the_code_names_has_a_text() -> None:
    called = {
        (key, path.name)
        for path, source in sources().items()
        if path.suffix != ".py"
        for key in re.findall(r'\b(?:t|te|counted)\(\s*"([\w.-]+)"', source)
    }
    assert len(called) > 1000
    assert sorted(one for one in called if one[0] not in KEYS) == []

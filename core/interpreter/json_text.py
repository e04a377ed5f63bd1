"""JSON documents as SQL Server keeps them: text, of which only what is asked for changes.

JSON_QUERY gives back the very characters of the document and JSON_MODIFY leaves all others alone
(``functions/json-modify-transact-sql``), so paths are followed on the text.
"""

from __future__ import annotations

import json
import re

from core.interpreter.errors import SqlError

Step = str | int
Span = tuple[int, int]
_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"\s*")
_STEP = re.compile(r'\.(?:"((?:[^"\\]|\\.)*)"|([A-Za-z_][\w$]*))|\[(\d+)\]')


def parse_path(path: str) -> tuple[str, list[Step]]:
    """``[append] [lax|strict] $.a.b[0]`` as its mode words and steps; error 13607."""
    words = path.strip().split("$", 1)
    if len(words) != 2:
        raise _bad_path(path)
    steps: list[Step] = []
    position, rest = 0, words[1]
    while position < len(rest):
        found = _STEP.match(rest, position)
        if found is None:
            raise _bad_path(path)
        quoted, plain, index = found.groups()
        steps.append(int(index) if index is not None else quoted if quoted is not None else plain)
        position = found.end()
    return words[0].strip().lower(), steps


def _bad_path(path: str) -> SqlError:
    return SqlError(
        13607, f"JSON path is not properly formatted. Unexpected character is found in '{path}'."
    )


def check(text: str) -> None:
    """Error 13609 for a text that is no JSON."""
    try:
        json.loads(text)
    except ValueError as error:
        position = getattr(error, "pos", 0)
        found = text[position : position + 1] or "."
        raise SqlError(
            13609,
            f"JSON text is not properly formatted. Unexpected character '{found}' is found at "
            f"position {position}.",
        ) from None


def locate(text: str, steps: list[Step]) -> Span | None:
    """Where the value at a path stands in a document, or None."""
    start = _skip(text, 0)
    for step in steps:
        spans = members(text, start)
        if isinstance(step, int):
            if text[start] != "[" or step >= len(spans):
                return None
            start = spans[step][1]
            continue
        if text[start] != "{":
            return None
        named = [value for key, value, _ in spans if key == step]
        if not named:
            return None
        start = named[0]
    return start, _DECODER.raw_decode(text, start)[1]


def members(text: str, start: int) -> list[tuple[str | None, int, Span]]:
    """Key (None in an array), start of the value and whole extent of each member of a container."""
    found: list[tuple[str | None, int, Span]] = []
    if text[start] not in "{[":
        return found
    position = _skip(text, start + 1)
    while text[position] not in "}]":
        begin, key = position, None
        if text[start] == "{":
            key, position = _DECODER.raw_decode(text, position)
            position = _skip(text, _skip(text, position) + 1)
        value = position
        position = _DECODER.raw_decode(text, position)[1]
        found.append((key, value, (begin, position)))
        position = _skip(text, position)
        if text[position] == ",":
            position = _skip(text, position + 1)
    return found


def _skip(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def query(document: str, path: str) -> str | None:
    """JSON_QUERY: the object or array at a path; errors 13608 and 13624 in strict mode."""
    check(document)
    mode, steps = parse_path(path)
    span = locate(document, steps)
    if span is not None and document[span[0]] in "{[":
        return document[span[0] : span[1]]
    if "strict" in mode:
        raise (
            _missing()
            if span is None
            else SqlError(13624, "Object or array cannot be found in the specified JSON path.")
        )
    return None


def value(document: str, path: str) -> str | None:
    """JSON_VALUE: the scalar at a path as text; errors 13608 and 13623 in strict mode."""
    check(document)
    mode, steps = parse_path(path)
    span = locate(document, steps)
    if span is None:
        if "strict" in mode:
            raise _missing()
        return None
    text = document[span[0] : span[1]]
    if text[0] in "{[":
        if "strict" in mode:
            raise SqlError(13623, "Scalar value cannot be found in the specified JSON path.")
        return None
    if text == "null":
        return None
    return str(json.loads(text)) if text[0] == '"' else text


def _missing() -> SqlError:
    return SqlError(13608, "Property cannot be found on the specified JSON path.")


def modify(document: str, path: str, new: str | None) -> str | None:
    """JSON_MODIFY: `new` is JSON text, None for NULL (which deletes in lax mode)."""
    check(document)
    mode, steps = parse_path(path)
    if not steps:
        raise SqlError(13619, "Unsupported JSON path found in argument 2 of JSON_MODIFY.")
    span = locate(document, steps)
    strict = "strict" in mode
    if strict and span is None:
        raise _missing()
    if "append" in mode:
        return _append(document, span, steps, new or "null")
    if span is None:
        return document if new is None else _insert(document, steps, new)
    if new is None and not strict:
        if isinstance(steps[-1], int):
            return document[: span[0]] + "null" + document[span[1] :]
        return _delete(document, steps)
    return document[: span[0]] + (new or "null") + document[span[1] :]


def _append(document: str, span: Span | None, steps: list[Step], new: str) -> str:
    if span is None:
        return _insert(document, steps, f"[{new}]")
    if document[span[0]] != "[":
        return document
    comma = "," if members(document, span[0]) else ""
    return document[: span[1] - 1].rstrip() + comma + new + document[span[1] - 1 :]


def _insert(document: str, steps: list[Step], new: str) -> str:
    parent = locate(document, steps[:-1])
    step = steps[-1]
    if parent is None or isinstance(step, int) or document[parent[0]] != "{":
        return document
    comma = "," if members(document, parent[0]) else ""
    member = f"{comma}{json.dumps(step, ensure_ascii=False)}:{new}"
    return document[: parent[1] - 1].rstrip() + member + document[parent[1] - 1 :]


def _delete(document: str, steps: list[Step]) -> str:
    parent = locate(document, steps[:-1])
    assert parent is not None
    listed = members(document, parent[0])
    place = next(n for n, (key, _, _) in enumerate(listed) if key == steps[-1])
    begin, end = listed[place][2]
    if place + 1 < len(listed):
        end = listed[place + 1][2][0]
    elif place:
        begin = listed[place - 1][2][1]
    return document[:begin] + document[end:]

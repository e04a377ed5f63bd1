"""JSON files other people wrote: read strictly, complained about precisely.

``json.loads`` reads the file; only when something is wrong is its text walked again to say on
which line. What JSON leaves open is refused here, because it would be silently misread
otherwise: a key that appears twice in one object, ``NaN``, half of a surrogate pair. Numbers
with a fraction become :class:`~decimal.Decimal`, so that ``0.10`` stays ``0.10``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

from core.project.files import decode

JsonPath = tuple[str | int, ...]
"""Keys and list indexes from the top of a document down to one value."""

_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[{}\[\],:]|[^\s{}\[\],:"]++', re.DOTALL)
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_MAX_BYTES = 256 * 1024 * 1024


class JsonFileError(Exception):
    """The file is not the JSON it should be; ``problem`` is a clause without file and line."""

    def __init__(self, problem: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line
        self.column = column


@dataclass(frozen=True)
class JsonDocument:
    """A parsed file together with its text, so that a field can be traced to its line."""

    text: str
    value: dict[str, Any]

    def line_of(self, path: Sequence[str | int]) -> int:
        """The 1-based line of the value at ``path``, or of its nearest existing parent."""
        return line_of(self.text, path)


def read_json_object(path: Path, root: Path) -> JsonDocument:
    """Read a file that must hold one JSON object.

    Raises:
        FileNotFoundError: nothing is there.
        JsonFileError: something is there that is not a readable JSON object inside ``root``.
    """
    text = _read(path, root)
    value = _parse(text)
    if not isinstance(value, dict):
        found = "a list" if isinstance(value, list) else "a single value"
        raise JsonFileError(f"the file holds {found} where an object {{...}} is expected", 1, 1)
    return JsonDocument(text, value)


def _read(path: Path, root: Path) -> str:
    try:
        resolved = path.resolve(strict=True)
        if not resolved.is_relative_to(root.resolve()):
            raise JsonFileError("it is a link that leads out of the project")
        if not resolved.is_file():
            raise JsonFileError("it is not a file")
        if resolved.stat().st_size > _MAX_BYTES:
            raise JsonFileError(f"it is larger than {_MAX_BYTES // 1024 // 1024} MiB")
        return decode(resolved.read_bytes())
    except FileNotFoundError:
        if path.is_symlink():
            raise JsonFileError("it is a link that leads nowhere") from None
        raise
    except PermissionError as error:
        raise JsonFileError("this user may not read it") from error
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "its links go in a circle"
        raise JsonFileError(f"it cannot be read: {reason}") from error


class _DuplicateKeyError(ValueError):
    pass


class _ConstantError(ValueError):
    pass


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _DuplicateKeyError
    return found


def _reject_constant(name: str) -> NoReturn:
    raise _ConstantError(name)


def _parse(text: str) -> Any:
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_reject_constant,
            parse_float=Decimal,
        )
    except json.JSONDecodeError as error:
        problem = "the file is empty" if not text.strip() else f"it is not valid JSON: {error.msg}"
        raise JsonFileError(problem, error.lineno, error.colno) from error
    except _DuplicateKeyError as error:
        key, offset = _first_duplicate(text)
        raise JsonFileError(f"the key '{key}' appears twice", *_position(text, offset)) from error
    except _ConstantError as error:
        offset = _constant_offset(text, str(error))
        problem = f"{error} is not a JSON value (write null for a missing one)"
        raise JsonFileError(problem, *_position(text, offset)) from error
    except RecursionError as error:
        raise JsonFileError("it is nested too deeply to be a project file") from error
    except (ValueError, ArithmeticError) as error:  # an integer of more than 4,300 digits
        raise JsonFileError("it holds a number that is too large") from error
    _reject_lone_surrogates(text, value)
    return value


def _reject_lone_surrogates(text: str, value: Any) -> None:
    """Half a surrogate pair cannot be written to any file again."""
    if not _SURROGATE_ESCAPE.search(text):
        return
    for token in _TOKEN.finditer(text):
        if not token.group().startswith('"'):
            continue
        try:
            json.loads(token.group()).encode("utf-8")
        except UnicodeEncodeError:
            raise JsonFileError(
                "a text holds half of a surrogate pair (\\ud800-\\udfff)",
                *_position(text, token.start()),
            ) from None


def _position(text: str, offset: int) -> tuple[int, int]:
    line = text.count("\n", 0, offset) + 1
    return line, offset - (text.rfind("\n", 0, offset) + 1) + 1


def line_of(text: str, path: Sequence[str | int]) -> int:
    """The 1-based line on which the value at ``path`` stands in valid JSON ``text``.

    A path that does not exist in full gives the line of its longest existing part.
    """
    wanted = tuple(path)
    best, best_length = 0, 0
    for found, offset, _ in _walk(text):
        depth = len(found)
        if depth > best_length and found == wanted[:depth]:
            best, best_length = offset, depth
            if depth == len(wanted):
                break
    return _position(text, best)[0]


def _first_duplicate(text: str) -> tuple[str, int]:
    seen: set[JsonPath] = set()
    for path, offset, is_key in _walk(text):
        if is_key and path in seen:
            return str(path[-1]), offset
        if is_key:
            seen.add(path)
    return "?", 0


def _constant_offset(text: str, name: str) -> int:
    for token in _TOKEN.finditer(text):
        if token.group() == name:
            return token.start()
    return 0


@dataclass
class _Level:
    is_object: bool
    step: str | int = 0
    expects_key: bool = False


def _walk(text: str) -> Iterator[tuple[JsonPath, int, bool]]:
    """Yield ``(path, offset, is_key)`` for every object key and list element, in order."""
    levels: list[_Level] = []
    for token in _TOKEN.finditer(text):
        word = token.group()
        top = levels[-1] if levels else None
        if word in "}]":
            if levels:
                levels.pop()
            continue
        if word == ",":
            if top is not None and top.is_object:
                top.expects_key = True
            elif top is not None:
                top.step = int(top.step) + 1
            continue
        if word == ":":
            continue
        if top is not None and top.is_object and top.expects_key:
            top.step, top.expects_key = _unquote(word), False
            yield _path(levels), token.start(), True
            continue
        if top is not None and not top.is_object:
            yield _path(levels), token.start(), False
        if word in "{[":
            levels.append(_Level(is_object=word == "{", expects_key=word == "{"))


def _path(levels: list[_Level]) -> JsonPath:
    return tuple(level.step for level in levels)


def _unquote(word: str) -> str:
    try:
        return str(json.loads(word))
    except ValueError:
        return word

"""From a JSON file to a model: what goes wrong on the way, said in one sentence.

The sentence names the file, the line, the column of broken JSON, and the field of a wrong
shape.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from core.project.codes import Code, ProjectError
from core.project.jsonfile import JsonDocument, JsonFileError, read_json_object
from core.project.lenient import FileModel

M = TypeVar("M", bound=FileModel)


def read_document(root: Path, file: str, code: Code, item_id: str | None) -> JsonDocument:
    """Read ``root/file``, which must hold a JSON object.

    Raises:
        FileNotFoundError: nothing is there.
        ProjectError: with ``code``, when something else is there.
    """
    try:
        return read_json_object(root / file, root)
    except JsonFileError as error:
        place = f" line {error.line} column {error.column}" if error.line is not None else ""
        raise ProjectError.of(
            code,
            f"{file}{place}: {error.problem}.",
            item_id,
            file=file,
            line=error.line,
            column=error.column,
        ) from error


def validated(
    model: type[M], document: JsonDocument, code: Code, file: str, item_id: str | None
) -> M:
    """The document as a ``model``.

    Raises:
        ProjectError: with ``code``, naming the first field that does not fit, and its line.
    """
    try:
        return model.model_validate(document.value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        path = tuple(first["loc"])
        raise wrong_field(
            code,
            file,
            document,
            path,
            _problem(first) + _and_more(error.error_count()),
            item_id,
        ) from error


def wrong_field(
    code: Code,
    file: str,
    document: JsonDocument,
    path: tuple[str | int, ...],
    problem: str,
    item_id: str | None,
) -> ProjectError:
    """The error for a field that is not what it should be; ``problem`` completes "it ..."."""
    line = document.line_of(path)
    field = spoken_path(path)
    where = f"field '{field}'" if field else "the file"
    return ProjectError.of(
        code,
        f"{file} line {line}: {where} {problem}.",
        item_id,
        file=file,
        line=line,
        field=field,
    )


def spoken_path(path: Iterable[str | int]) -> str:
    """``("columns", 3, "sql_type")`` as people write it: ``columns[3].sql_type``."""
    spoken = ""
    for step in path:
        if isinstance(step, int):
            spoken += f"[{step}]"
        else:
            spoken += f".{step}" if spoken else step
    return spoken


def named_by_file(document: JsonDocument, file: str) -> JsonDocument:
    """Take a schema or name that is missing inside a catalog file from the file's name."""
    stem = Path(file).name[: -len(".json")]
    schema, dot, name = stem.partition(".")
    if not dot or stem.startswith(("[", '"')):
        return document
    value: dict[str, Any] = dict(document.value)
    spelled = value.get("name") or value.get("table_name")
    if not spelled:
        value["name"] = name
    qualified = isinstance(spelled, str) and "." in spelled
    if not value.get("schema") and not value.get("schema_name") and not qualified:
        value["schema"] = schema
    return JsonDocument(document.text, value)


def _problem(error: ErrorDetails) -> str:
    if error["type"] == "missing":
        return "is missing"
    message = error["msg"].removeprefix("Value error, ").rstrip(".")
    shown = error.get("input")
    found = f" (found {_short(shown)})" if isinstance(shown, str | int | float) else ""
    return f"is wrong: {message[:1].lower()}{message[1:]}{found}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _and_more(count: int) -> str:
    if count == 1:
        return ""
    return f", and {count - 1} more field{'s are' if count > 2 else ' is'} wrong in this file"

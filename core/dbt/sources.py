"""``_sources.yml``: source tables added, everything that is there kept."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from typing import Any

from core.dbt.artifacts import SourceAddition
from core.dbt.yaml_text import checked, dump

SOURCES_PATH = "models/staging/_sources.yml"

_FLUSH_LISTS = re.compile(r"^sources:[ \t]*(?:#.*)?\n(?:[ \t]*(?:#.*)?\n)*- ", re.MULTILINE)


class SourcesFileError(Exception):
    """The existing ``_sources.yml`` cannot be added to; the message says why."""


def add_sources(text: str | None, additions: Iterable[SourceAddition]) -> str:
    """The file's new text; comments, order and layout of what is there are kept.

    ``text`` is the present content, ``None`` when there is no file. A source and table that
    are declared already (spelled exactly so, as dbt compares) are not added again.

    Raises:
        SourcesFileError: the file is not YAML, or not a properties file.
    """
    wanted = sorted(set(additions), key=lambda a: (a.source, a.table))
    if text is None or not text.strip():
        return _fresh(wanted)
    import yaml

    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark is not None else ""
        raise SourcesFileError(f"{SOURCES_PATH}{where} is not readable YAML.") from error
    if data is None:
        return text.rstrip("\n") + "\n\n" + _fresh(wanted)
    _check_shape(data)
    missing = [a for a in wanted if not _declares(data, a)]
    if not missing:
        return text
    for addition in missing:
        _add(data, addition, dict, list)
    return checked(_with_added(text, missing), data)


def _fresh(wanted: list[SourceAddition]) -> str:
    data: dict[str, Any] = {"version": 2, "sources": []}
    for addition in wanted:
        _add(data, addition, dict, list)
    text = dump(data).replace("\nsources:", "\n\nsources:", 1)
    return checked(text, data)


def _check_shape(data: object) -> None:
    sources = data.get("sources", []) if isinstance(data, dict) else None
    good = isinstance(sources, list | None) and isinstance(data, dict)
    for source in sources or []:
        tables = source.get("tables") if isinstance(source, dict) else 0
        good = good and isinstance(tables, list | None)
    if not good:
        raise SourcesFileError(
            f"{SOURCES_PATH} is not a dbt properties file: expected a list 'sources' whose "
            "entries have a list 'tables'."
        )


def _declares(data: dict[str, Any], addition: SourceAddition) -> bool:
    return any(
        isinstance(table, dict) and table.get("name") == addition.table
        for source in data.get("sources") or []
        if source.get("name") == addition.source
        for table in source.get("tables") or []
    )


def _with_added(text: str, missing: list[SourceAddition]) -> str:
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    if _FLUSH_LISTS.search(text):
        yaml.indent(mapping=2, sequence=2, offset=0)
    else:
        yaml.indent(mapping=2, sequence=4, offset=2)
    document = yaml.load(text)
    for addition in missing:
        _add(document, addition, CommentedMap, CommentedSeq)
    stream = io.StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()


def _add(data: Any, addition: SourceAddition, mapping: Any, sequence: Any) -> None:
    if data.get("sources") is None:
        data["sources"] = sequence()
    found = next((s for s in data["sources"] if s.get("name") == addition.source), None)
    if found is None:
        found = mapping()
        found["name"] = addition.source
        found["tables"] = sequence()
        data["sources"].append(found)
    if found.get("tables") is None:
        found["tables"] = sequence()
    table = mapping()
    table["name"] = addition.table
    found["tables"].append(table)

"""A reader of the demo's CREATE TABLE statements, independent of the product's own."""

from __future__ import annotations

import re
from dataclasses import dataclass

_COMMENTS = re.compile(r"/\*.*?\*/|--[^\n]*", re.DOTALL)
_GO = re.compile(r"^\s*GO\s*$", re.IGNORECASE | re.MULTILINE)
_CREATE = re.compile(r"\s*create table\s+\[?(\w+)\]?\.\[?(\w+)\]?\s*\(", re.IGNORECASE)
_KEY = re.compile(r"CONSTRAINT\s+\[?\w+\]?\s+PRIMARY KEY\s+CLUSTERED\s*\(([^)]*)\)", re.IGNORECASE)
_COLUMN = re.compile(
    r"\[?(?P<name>\w+)\]?\s+\[?(?P<type>\w+)\]?\s*(?P<arguments>\([^)]*\))?(?P<rest>.*)", re.DOTALL
)


@dataclass(frozen=True)
class DdlColumn:
    name: str
    sql_type: str
    is_nullable: bool
    is_identity: bool


@dataclass(frozen=True)
class DdlTable:
    columns: tuple[DdlColumn, ...]
    key: tuple[str, ...]


def read_tables(script: str) -> dict[str, DdlTable]:
    """Item id to table."""
    found = {}
    for batch in _GO.split(_COMMENTS.sub("", script)):
        head = _CREATE.match(batch)
        if head:
            found[f"{head[1]}.{head[2]}".lower()] = _table(_parts(batch[head.end() :]))
    return found


def _parts(body: str) -> list[str]:
    """What stands between the top-level commas, up to the closing parenthesis."""
    parts, depth = [""], 0
    for character in body:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth < 0:
            return parts
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    raise AssertionError("CREATE TABLE without a closing parenthesis")


def _table(parts: list[str]) -> DdlTable:
    columns: list[DdlColumn] = []
    key: tuple[str, ...] = ()
    for part in parts:
        constraint = _KEY.match(part.strip())
        if constraint:
            key = tuple(re.findall(r"\[(\w+)\]", constraint[1]))
            continue
        column = _COLUMN.match(part.strip())
        assert column, part
        rest = column["rest"].lower()
        spelled = column["type"] + (column["arguments"] or "").replace(" ", "")
        columns.append(
            DdlColumn(column["name"], spelled.upper(), "not null" not in rest, "identity" in rest)
        )
        if "primary key" in rest:
            key = (column["name"],)
    return DdlTable(tuple(columns), key)

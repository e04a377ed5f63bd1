"""Runs T-SQL conformance cases on DuckDB through parsing, binding and meaning.

A case is one snippet with the answer SQL Server gives according to its documentation:
``{"id", "kind", "tsql", "probe", "expected", "note", "source"}``. ``expected`` is a list of rows,
or ``"ERROR"``. Numbers are compared by value (decimals are written as strings), moments by value,
text exactly; the order of rows counts only under an outer ORDER BY.
"""

from __future__ import annotations

import datetime
import json
import re
import uuid
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import duckdb

from core.tsql.binding_dml import BoundLeaf, bind_leaf
from core.tsql.errors import LeafError
from core.tsql.meaning import Collation, Options, Refused, translate_query
from core.tsql.nodes import CreateTable, Leaf, LeafKind
from core.tsql.parser import parse_script
from core.tsql.schema import Column, ObjectName, Schema, Table
from core.tsql.types import duckdb_storage, parse_type
from core.tsql.typing import BindError

FOLDER = Path(__file__).parent / "conformance"


@dataclass(frozen=True)
class Outcome:
    """What became of a case: ``passed``, ``refused`` (with the reason) or ``wrong``."""

    verdict: str
    detail: str = ""


def shared_cases() -> tuple[list[str], list[dict[str, Any]]]:
    """The set-up statements and the cases of ``tsql_cases.json``."""
    document = json.loads((FOLDER / "tsql_cases.json").read_text())
    return document["setup"], document["cases"]


def documented_cases() -> list[dict[str, Any]]:
    """The cases of ``documented_cases.jsonl``, one a line, each with the page it is from."""
    lines = (FOLDER / "documented_cases.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines if line.strip()]


class Session:
    """A DuckDB database with the cases' tables, and the schema binding sees."""

    def __init__(self, setup: list[str]) -> None:
        self.connection = duckdb.connect()
        self.connection.execute("create schema dbo")
        self.schema = Schema.of()
        for text in setup:
            for statement in parse_script(text).statements:
                if isinstance(statement, CreateTable):
                    self._create(statement)
                else:
                    self.connection.execute(text)

    def _create(self, statement: CreateTable) -> None:
        columns = tuple(
            Column(column.name, parse_type(column.type.text if column.type else "int"))
            for column in statement.body.columns
        )
        table = Table(ObjectName.parse(str(statement.name)), columns)
        self.schema = self.schema.with_table(table)
        listed = ", ".join(f'"{c.name}" {duckdb_storage(c.type)}' for c in columns)
        self.connection.execute(f"create table {target_name(table.name)} ({listed})")

    def leaf(self, text: str) -> BoundLeaf:
        """The one data statement in a text, bound."""
        statements = parse_script(text).statements
        leaves = [statement for statement in statements if isinstance(statement, Leaf)]
        if len(leaves) != 1:
            raise Refused("statement", "expected one data statement")
        parsed = leaves[0].parsed
        if isinstance(parsed, LeafError):
            raise Refused(parsed.construct, parsed.reason, line=parsed.line)
        return bind_leaf(parsed, self.schema)

    def rows(self, text: str, options: Options) -> list[list[Any]]:
        """The rows of a T-SQL query."""
        bound = self.leaf(text)
        if bound.query is None or bound.kind is not LeafKind.SELECT:
            raise Refused("statement", "not a query")
        translated = translate_query(bound.query, options).sql("duckdb")
        return [list(row) for row in self.connection.execute(translated).fetchall()]

    def execute(self, text: str, options: Options) -> None:
        """INSERT … SELECT, SELECT INTO and TRUNCATE; the other statements are the interpreter's."""
        bound = self.leaf(text)
        if bound.target is None or bound.target.table is None:
            raise Refused("statement", "the interpreter runs this statement")
        name = target_name(bound.target.name)
        if bound.kind is LeafKind.TRUNCATE:
            self.connection.execute(f"truncate {name}")
            return
        if bound.query is None or bound.kind not in (LeafKind.INSERT, LeafKind.SELECT_INTO):
            raise Refused("statement", "the interpreter runs this statement")
        query = translate_query(bound.query, options).sql("duckdb")
        if bound.kind is LeafKind.SELECT_INTO:
            self.schema = self.schema.with_table(bound.target.table)
            self.connection.execute(f"create table {name} as {query}")
            return
        columns = ", ".join(f'"{column.name}"' for column in bound.target.columns)
        self.connection.execute(f"insert into {name} ({columns}) {query}")


def target_name(name: ObjectName) -> str:
    """The table's name in DuckDB, as meaning writes it."""
    return f'"{name.name}"' if name.is_temporary else f"{name.schema or 'dbo'}.{name.name}"


def run(case: dict[str, Any], session: Session, collation: Collation) -> Outcome:
    """Run one case and compare; SQL Server's errors must be errors (or a refusal) here too."""
    options = Options(collation=collation)
    expected = case["expected"]
    try:
        if case["kind"] == "statement":
            session.execute(case["tsql"], options)
            rows = session.rows(case["probe"], options)
        else:
            rows = session.rows(case["tsql"], options)
    except Refused as refusal:
        return Outcome("refused", str(refusal))
    except BindError as error:
        if expected == "ERROR":
            return Outcome("passed", str(error))
        return Outcome("refused", f"{error.number}: {error}")
    except duckdb.Error as error:
        return Outcome("passed" if expected == "ERROR" else "wrong", str(error).splitlines()[0])
    if not isinstance(expected, list):
        return Outcome("wrong", f"expected {expected}, got {rows}")
    ordered = bool(re.search(r"order\s+by[^)]*$", case["tsql"], re.IGNORECASE))
    ordered = ordered and "undefined" not in case.get("caveat", "")
    if same_rows(rows, expected, ordered=ordered):
        return Outcome("passed")
    return Outcome("wrong", f"expected {expected}, got {rows}")


def same_rows(rows: list[list[Any]], expected: list[list[Any]], *, ordered: bool) -> bool:
    """Whether two rowsets are equal, as lists or as multisets."""
    if len(rows) != len(expected):
        return False
    if ordered:
        return all(same_row(a, b) for a, b in zip(rows, expected, strict=True))
    left = list(expected)
    for row in rows:
        match = next((other for other in left if same_row(row, other)), None)
        if match is None:
            return False
        left.remove(match)
    return True


def same_row(row: list[Any], expected: list[Any]) -> bool:
    """Whether two rows have equal cells."""
    return len(row) == len(expected) and all(
        same_cell(a, b) for a, b in zip(row, expected, strict=True)
    )


def same_cell(actual: Any, expected: Any) -> bool:
    """Whether a DuckDB value is the expected one, in the value domain of its type."""
    if actual is None or expected is None:
        return actual is None and expected is None
    if isinstance(actual, str):
        return isinstance(expected, str) and actual == expected
    if isinstance(actual, bytes | bytearray):
        return f"0x{bytes(actual).hex().upper()}" == expected
    if isinstance(actual, uuid.UUID):
        return str(actual).upper() == str(expected).upper()
    if isinstance(actual, datetime.datetime | datetime.date):
        return moment(str(actual)) == moment(str(expected))
    if isinstance(actual, float):
        return abs(actual - float(expected)) <= 1e-9 * max(1.0, abs(actual))
    try:
        return Decimal(str(int(actual) if isinstance(actual, bool) else actual)) == Decimal(
            str(expected)
        )
    except InvalidOperation:
        return False


def moment(text: str) -> datetime.datetime:
    """A date or timestamp text as a value."""
    return datetime.datetime.fromisoformat(text.replace("T", " "))

"""How long binding and typing take: the leaves of a 100-line procedure, in milliseconds.

Run with ``python bench/type_tsql.py``. The corpus' procedures are parsed once; then every data
statement of each is bound and typed against its warehouse's tables, and its query translated.
Times are CPU time, the best of three rounds, scaled to 100 lines.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from sqlglot import exp  # noqa: E402

from core.tsql.binding_dml import BoundLeaf, bind_leaf  # noqa: E402
from core.tsql.errors import LeafError  # noqa: E402
from core.tsql.meaning import Options, Refused, translate_query  # noqa: E402
from core.tsql.nodes import CreateTable, Declare, Leaf, TableBody, walk  # noqa: E402
from core.tsql.parser import parse_script  # noqa: E402
from core.tsql.schema import Column, ObjectName, Schema, Table  # noqa: E402
from core.tsql.types import INT, SqlType, UnknownTypeError, parse_type  # noqa: E402
from core.tsql.typing import BindError  # noqa: E402

ROUNDS = 3
CORPUS = ROOT / "tests/core/tsql/corpus"
OPTIONS = Options(variable=lambda name, type_: exp.Placeholder(this=name.lstrip("@")))


def main() -> None:
    schemas = {path.stem: schema_of(path) for path in (CORPUS / "tables").glob("*.sql")}
    work = []
    lines = 0
    for path in sorted(CORPUS.glob("*.sql")):
        schema = schemas.get(path.stem.split("_")[0], Schema.of())
        text = path.read_bytes().decode()
        for procedure in parse_script(text).procedures:
            scope, variables = declarations(procedure, schema)
            leaves = [node for node in walk(procedure) if isinstance(node, Leaf)]
            work.append((leaves, scope, variables))
            lines += procedure.span.end_line - procedure.span.line + 1
    bound = [leaf for item in work for leaf in bind_all(*item)]
    binding = best(lambda: [bind_all(*item) for item in work])
    meaning = best(lambda: [translate(leaf) for leaf in bound])
    print(f"{len(work)} procedures, {lines} lines, {len(bound)} statements bound")
    print(
        f"100 lines: bind and type {binding / lines * 1e5:.1f} ms, translate "
        f"{meaning / lines * 1e5:.1f} ms"
    )


def best(work: object) -> float:
    """Best CPU seconds of a call over `ROUNDS`."""
    assert callable(work)
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def bind_all(leaves: list[Leaf], schema: Schema, variables: dict[str, SqlType]) -> list[BoundLeaf]:
    """Every statement of a procedure that binds; SELECT INTO adds its table for the next ones."""
    found = []
    for leaf in leaves:
        parsed = leaf.parsed
        if isinstance(parsed, LeafError):
            continue
        try:
            bound = bind_leaf(parsed, schema, variables)
        except BindError:
            continue
        if bound.target is not None and bound.target.table is not None:
            schema = schema.with_table(bound.target.table)
        found.append(bound)
    return found


def translate(bound: BoundLeaf) -> None:
    """Translate a statement's query, if it has one with a meaning in DuckDB."""
    if bound.query is None:
        return
    try:
        translate_query(bound.query, OPTIONS)
    except Refused:
        return


def declarations(procedure: object, schema: Schema) -> tuple[Schema, dict[str, SqlType]]:
    """The procedure's temp tables and variables."""
    variables: dict[str, SqlType] = {}
    for parameter in procedure.parameters:  # type: ignore[attr-defined]
        add_variable(variables, parameter.name, parameter.type.text)
    for node in walk(procedure):  # type: ignore[arg-type]
        if isinstance(node, CreateTable):
            schema = schema.with_table(table_of(str(node.name), node.body))
        elif isinstance(node, Declare):
            for variable in node.variables:
                if variable.table is not None:
                    table = table_of("x", variable.table)
                    named = replace(table, name=ObjectName(variable.name))
                    schema = schema.with_table(named)
                elif variable.type is not None:
                    add_variable(variables, variable.name, variable.type.text)
    return schema, variables


def add_variable(variables: dict[str, SqlType], name: str, text: str) -> None:
    """Add a variable unless its type is a user-defined one."""
    try:
        variables[name] = parse_type(text)
    except UnknownTypeError:
        return


def schema_of(path: Path) -> Schema:
    """The tables a DDL file creates."""
    script = parse_script(path.read_bytes().decode())
    tables = [
        table_of(str(s.name), s.body) for s in script.statements if isinstance(s, CreateTable)
    ]
    return Schema.of(tables)


def table_of(name: str, body: TableBody) -> Table:
    """A table of the schema from its definition."""
    columns = []
    for column in body.columns:
        try:
            type_ = parse_type(column.type.text) if column.type else INT
        except UnknownTypeError:
            type_ = INT
        columns.append(Column(column.name, type_, column.nullable is not False))
    return Table(ObjectName.parse(name), tuple(columns))


if __name__ == "__main__":
    main()

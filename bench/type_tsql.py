"""How long a 100-line procedure takes from text to types, in milliseconds of CPU.

Run with ``python bench/type_tsql.py``. Structure, leaves, binding and typing are measured apart
and added up; the translation of every query is measured too. Lines are those of the procedures.
Times are CPU time, the best of three rounds, scaled to 100 lines.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from sqlglot import exp  # noqa: E402

from core.tsql.binding_dml import BoundLeaf, bind_leaf  # noqa: E402
from core.tsql.errors import LeafError  # noqa: E402
from core.tsql.meaning import Options, Refused, translate_query  # noqa: E402
from core.tsql.nodes import CreateTable, Declare, Expr, Leaf, Script, TableBody, walk  # noqa: E402
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
    texts = [path.read_bytes().decode() for path in sorted(CORPUS.glob("*.sql"))]
    structure = best(lambda: [parse_script(text) for text in texts])
    scripts: list[Script] = []

    def prepare() -> None:
        scripts[:] = [parse_script(text) for text in texts]

    leaves = best(lambda: [parse_leaves(script) for script in scripts], prepare)
    bound = [leaf for item in work for leaf in bind_all(*item)]
    binding = best(lambda: [bind_all(*item) for item in work])
    meaning = best(lambda: [translate(leaf) for leaf in bound])
    print(f"{len(work)} procedures, {lines} lines, {len(bound)} statements bound")
    total = structure + leaves + binding
    per_100 = 1e5 / lines
    print(
        f"100 lines: structure {structure * per_100:.1f} ms, leaves {leaves * per_100:.1f} ms, "
        f"bind and type {binding * per_100:.1f} ms, total {total * per_100:.1f} ms; "
        f"translate {meaning * per_100:.1f} ms"
    )
    print(f"{len(work) / total:.0f} procedures/s parsed, bound and typed")


def parse_leaves(script: Script) -> None:
    """Build the trees of every data statement and expression, which happens on first use."""
    for node in walk(script):
        if isinstance(node, Leaf | Expr):
            _ = node.parsed


def best(work: Callable[[], object], prepare: Callable[[], object] = lambda: None) -> float:
    """Best CPU seconds of a call over `ROUNDS`; `prepare` runs before each and is not counted."""
    times = []
    for _ in range(ROUNDS):
        prepare()
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

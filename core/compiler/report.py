"""How much of a folder of ``.sql`` files compiles: per procedure, per construct, in total.

Any folder: the CREATE TABLE, VIEW and FUNCTION statements found in it describe the database, and
what no statement describes is inferred from use (a table's columns are the ones the procedures
name), which the report says. Every permanent table a procedure writes is a target. Files may hold
several batches and be in any encoding; a file that cannot be read is an entry of the report.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from core.compiler.compile import compile_procedure
from core.compiler.computed import with_computed_types
from core.compiler.dynamic import statements_in_texts
from core.compiler.effects import effects_of
from core.compiler.inference import with_inferred
from core.compiler.options import CompileOptions
from core.compiler.result import Compiled, Refused, Unsupported
from core.compiler.routines import is_log_name
from core.compiler.tables import table_key
from core.project.files import read_text
from core.tsql import nodes
from core.tsql import types as t
from core.tsql.errors import TsqlError
from core.tsql.parser import parse_procedure, parse_script
from core.tsql.schema import (
    Column,
    ObjectName,
    Parameter,
    ScalarFunction,
    Schema,
    Table,
    TableFunction,
    TableKind,
)

_MISFITS = frozenset({"name or type", "unknown column"})
_THREE_PARTS = re.compile(r"(?<![\w\].])(\[[^\]]+\]|\w+)\.(\[[^\]]+\]|\w*)\.(\[[^\]]+\]|\w+)(?!\.)")


@dataclass(frozen=True)
class TargetReport:
    """One target of one procedure: compiled, or why not."""

    target: str
    compiled: bool
    materialization: str = ""
    strategy: str = ""
    reason: str = ""
    construct: str = ""
    line: int = 0
    lines_out: int = 0


@dataclass(frozen=True)
class ProcedureReport:
    """One procedure. `line` is where it begins in its file; reasons count from the file's start.

    `status`: ``compiled`` (every target), ``unsupported`` (at least one target is not),
    ``no target`` (it statically writes no permanent table), ``unreadable``.
    """

    file: str
    procedure: str
    line: int
    status: str
    targets: tuple[TargetReport, ...] = ()
    lines_in: int = 0
    seconds: float = 0.0
    inferred: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """The whole folder."""

    folder: str
    files: int
    procedures: tuple[ProcedureReport, ...]
    unreadable: tuple[str, ...] = ()
    totals: dict[str, int] = field(default_factory=dict)
    constructs: dict[str, int] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """Compiled procedures among those that write a permanent table, 0 to 1."""
        written = self.totals.get("compiled", 0) + self.totals.get("unsupported", 0)
        return self.totals.get("compiled", 0) / written if written else 0.0

    def as_json(self) -> str:
        """The report as one JSON document."""
        return json.dumps({**asdict(self), "share": round(self.share, 4)}, indent=2)

    def as_text(self) -> str:
        """The report for people."""
        out: list[str] = []
        for procedure in self.procedures:
            mark = {"compiled": "ok", "unsupported": "x ", "no target": "- "}.get(
                procedure.status, "! "
            )
            out.append(f"{mark} {procedure.file}:{procedure.line} {procedure.procedure}")
            for target in procedure.targets:
                if target.compiled:
                    how = f"{target.materialization} {target.strategy}".strip()
                    out.append(f"     {target.target}: {how}")
                else:
                    out.append(
                        f"     {target.target}: line {target.line}: {target.reason} "
                        f"[{target.construct}]"
                    )
            if procedure.inferred:
                out.append(f"     columns inferred from use: {', '.join(procedure.inferred)}")
        out += [f"!  {sentence}" for sentence in self.unreadable]
        out.append("")
        counts = ", ".join(f"{name}: {count}" for name, count in self.totals.items())
        out.append(f"{self.files} files, {len(self.procedures)} procedures; {counts}")
        out.append(f"compiled {self.share:.1%} of the procedures that write a permanent table")
        if self.constructs:
            out.append("what stops the others:")
            out += [f"  {count:4}  {name}" for name, count in self.constructs.items()]
        return "\n".join(out) + "\n"


@dataclass
class Database:
    """What the files of a folder say about the database, by lower-case ``schema.name``."""

    tables: dict[str, Table] = field(default_factory=dict)
    procedures: dict[str, str] = field(default_factory=dict)
    views: dict[str, str] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)
    signatures: list[ScalarFunction | TableFunction] = field(default_factory=list)
    aliases: dict[str, t.SqlType] = field(default_factory=dict)
    databases: Counter[str] = field(default_factory=Counter)
    elsewhere: frozenset[str] = frozenset()
    """Keys of the tables that only other files than the procedure's describe."""

    def seen_from(self, own: Database) -> Database:
        """The database for the procedures of one file: what the file itself says comes first."""
        return replace(
            self,
            tables={**self.tables, **own.tables},
            views={**self.views, **own.views},
            functions={**self.functions, **own.functions},
            procedures={**self.procedures, **own.procedures},
            elsewhere=frozenset(self.tables.keys() - own.tables.keys()),
        )

    def schema(self, name: str | None = None, without: Collection[str] = ()) -> Schema:
        """The schema under a name of its own; `without` are keys of tables to leave out."""
        tables = [table for key, table in self.tables.items() if key not in without]
        schema = Schema.of(
            tables, self.signatures, database=name or self.name, alias_types=self.aliases
        )
        for table in self.tables.values():
            if any(column.computed is not None for column in table.columns):
                schema = schema.with_table(with_computed_types(table, schema))
        return schema

    @property
    def name(self) -> str | None:
        """The database's own name: the one under which its tables are called most."""
        return self.databases.most_common(1)[0][0] if self.databases else None


def compile_report(folder: Path) -> Report:
    """Compile every procedure found below a folder. Never raises for what files contain."""
    paths = sorted(p for p in Path(folder).rglob("*") if p.suffix.lower() == ".sql" and p.is_file())
    scripts: list[tuple[str, nodes.Script]] = []
    unreadable: list[str] = []
    for path in paths:
        name = path.relative_to(folder).as_posix()
        try:
            scripts.append((name, parse_script(read_text(path))))
        except TsqlError as error:
            unreadable.append(f"{name}: {error}")
        except OSError as error:
            unreadable.append(f"{name}: {error.strerror or 'cannot be read'}")
    database = Database()
    for _, script in scripts:
        collect(script, database)
    for _, script in scripts:
        count_databases(script, database)
    found: list[ProcedureReport] = []
    for name, script in scripts:
        own = Database()
        collect(script, own)
        for procedure in script.procedures:
            found.append(_procedure(name, script, procedure, database.seen_from(own)))
    return _totalled(str(folder), len(paths), found, unreadable)


def _totalled(
    folder: str, files: int, found: Sequence[ProcedureReport], unreadable: Sequence[str]
) -> Report:
    totals = Counter(procedure.status for procedure in found)
    constructs: Counter[str] = Counter()
    for procedure in found:
        constructs.update({x.construct or "other" for x in procedure.targets if not x.compiled})
    order = ("compiled", "unsupported", "no target")
    return Report(
        folder,
        files,
        tuple(found),
        tuple(unreadable),
        {name: totals[name] for name in order if totals[name]},
        dict(sorted(constructs.items(), key=lambda item: (-item[1], item[0]))),
    )


# --- reading the database ----------------------------------------------------------------------


def collect(script: nodes.Script, database: Database) -> None:
    for statement in script.statements:
        text = script.text_of(statement)
        match statement:
            case nodes.CreateTable() if not statement.name.is_temporary:
                table = _table(statement, database)
                if table is not None:
                    database.tables.setdefault(_key(statement.name), table)
            case nodes.CreateProcedure():
                database.procedures.setdefault(_key(statement.name), text)
            case nodes.CreateView():
                database.views.setdefault(_key(statement.name), text)
            case nodes.CreateFunction():
                database.functions.setdefault(_key(statement.name), text)
                _signature(statement, database)
            case nodes.CreateType() if statement.base is not None:
                _alias(statement, database)
            case _:
                pass


def _key(name: nodes.ObjectName) -> str:
    return f"{name.schema or 'dbo'}.{name.name}".lower()


def _alias(statement: nodes.CreateType, database: Database) -> None:
    assert statement.base is not None
    try:
        type_ = t.parse_type(statement.base.text)
    except t.UnknownTypeError:
        return
    database.aliases[statement.name.name.lower()] = type_


def _table(statement: nodes.CreateTable, database: Database) -> Table | None:
    columns: list[Column] = []
    for column in statement.body.columns:
        if column.type is None:
            columns.append(
                Column(column.name, t.SQL_VARIANT, computed=column.computed.text)
                if column.computed is not None
                else Column(column.name, t.SQL_VARIANT)
            )
            continue
        try:
            type_ = t.parse_type(column.type.text, aliases=database.aliases)
        except t.UnknownTypeError:
            type_ = t.SQL_VARIANT
        columns.append(
            Column(
                column.name,
                type_,
                nullable=column.nullable is not False
                and not column.primary_key
                and column.identity is None,
                identity=column.identity is not None,
                default=column.default.text if column.default is not None else None,
            )
        )
    if not columns:
        return None
    body = statement.body
    keys = tuple(
        constraint.columns
        for constraint in body.constraints
        if constraint.kind in (nodes.ConstraintKind.PRIMARY_KEY, nodes.ConstraintKind.UNIQUE)
    ) + tuple((c.name,) for c in body.columns if c.primary_key or c.unique)
    name = ObjectName(statement.name.name, statement.name.schema or "dbo")
    return Table(name, tuple(columns), TableKind.TABLE, keys)


def count_databases(script: nodes.Script, database: Database) -> None:
    for statement in nodes.statements(script):
        if not isinstance(statement, nodes.Leaf):
            continue
        for match in _THREE_PARTS.finditer(statement.text):
            parts = [part.strip("[]").lower() for part in match.groups()]
            if f"{parts[1] or 'dbo'}.{parts[2]}" in database.tables:
                database.databases[parts[0]] += 1


def _signature(statement: nodes.CreateFunction, database: Database) -> None:
    name = ObjectName(statement.name.name, statement.name.schema or "dbo")
    try:
        parameters = tuple(
            Parameter(p.name, t.parse_type(p.type.text, aliases=database.aliases))
            for p in statement.parameters
        )
        if statement.returns is not None and statement.kind is nodes.FunctionKind.SCALAR:
            returns = t.parse_type(statement.returns.text, aliases=database.aliases)
            database.signatures.append(ScalarFunction(name, parameters, returns))
    except t.UnknownTypeError:
        return


# --- compiling ---------------------------------------------------------------------------------


def written_tables(procedure: nodes.CreateProcedure) -> list[str]:
    """The permanent tables a procedure statically writes and leaves, in source order.

    Logs are left out, unless the procedure writes nothing else and calls nothing: then they are
    what it is for.
    """
    found: dict[str, None] = {}
    logs: dict[str, None] = {}
    calls = False
    statements = [*procedure.body, *statements_in_texts(procedure)]
    for statement in (inner for outer in statements for inner in nodes.statements(outer)):
        if isinstance(statement, nodes.DropTable):
            for dropped in statement.names:
                found.pop(_key(dropped), None)
            continue
        if isinstance(statement, _CONTAINERS):
            continue
        effects = effects_of([statement])
        calls = calls or bool(effects.calls)
        for name in effects.tables:
            if not name.is_temporary and not name.server:
                (logs if is_log_name(name.name) else found)[table_key(name)] = None
    return list(found or ({} if calls else logs))


_CONTAINERS = (nodes.Block, nodes.If, nodes.While, nodes.TryCatch)


def _procedure(
    file: str, script: nodes.Script, procedure: nodes.CreateProcedure, database: Database
) -> ProcedureReport:
    source = script.text_of(procedure)
    offset = procedure.span.line - 1
    lines_in = procedure.span.end_line - procedure.span.line + 1
    start = time.perf_counter()
    targets = targets_of(source, database)
    reports, inferred = _compiled(source, script, procedure, targets, database)
    status = "no target"
    if reports:
        status = "compiled" if all(r.compiled for r in reports) else "unsupported"
    return ProcedureReport(
        file,
        str(procedure.name),
        procedure.span.line,
        status,
        tuple(replace(r, line=r.line + offset if r.line else 0) for r in reports),
        lines_in,
        round(time.perf_counter() - start, 4),
        inferred,
    )


def _compiled(
    source: str,
    script: nodes.Script,
    procedure: nodes.CreateProcedure,
    targets: Sequence[str],
    database: Database,
) -> tuple[tuple[TargetReport, ...], tuple[str, ...]]:
    """Every target compiled, and the tables whose columns were inferred for it.

    Files of one folder may belong to different databases: where the descriptions found in other
    files do not fit this procedure, its tables are inferred instead.
    """
    name = own_database(script, procedure)
    nodes_ = [procedure, *_called(procedure, database)]
    schema, inferred = with_inferred(database.schema(name), nodes_, database.views)
    reports = tuple(_target(source, target, schema, database) for target in targets)
    if database.elsewhere and any(report.construct in _MISFITS for report in reports):
        apart = database.schema(name, without=database.elsewhere)
        schema, other = with_inferred(apart, nodes_, database.views)
        again = tuple(_target(source, target, schema, database) for target in targets)
        if sum(r.compiled for r in again) > sum(r.compiled for r in reports):
            return again, other
    return reports, inferred


def own_database(script: nodes.Script, procedure: nodes.CreateProcedure) -> str | None:
    """The database a procedure's tables belong to, by what it writes under three-part names, else
    by the USE before it; None when nothing tells.
    """
    written = Counter(
        name.database
        for name in effects_of(procedure.body).tables
        if name.database and not name.is_temporary and not is_log_name(name.name)
    )
    if written:
        return written.most_common(1)[0][0]
    used: str | None = None
    for statement in script.statements:
        if statement is procedure:
            break
        if isinstance(statement, nodes.SideStatement) and statement.kind == "USE":
            used = statement.text.split(None, 1)[-1].strip(' ;[]"') or None
    return used


def _called(
    procedure: nodes.CreateProcedure, database: Database
) -> Iterator[nodes.CreateProcedure]:
    """The procedures of the folder a procedure calls, directly or not."""
    seen = {_key(procedure.name)}
    pending = [procedure]
    while pending:
        for call in nodes.walk(pending.pop()):
            if not isinstance(call, nodes.Execute) or call.procedure is None:
                continue
            text = database.procedures.get(key := _key(call.procedure))
            if text is None or key in seen:
                continue
            seen.add(key)
            try:
                called = parse_procedure(text)
            except TsqlError:
                continue
            pending.append(called)
            yield called


def targets_of(source: str, database: Database) -> list[str]:
    try:
        procedure = parse_procedure(source)
    except TsqlError:
        return []
    temporary = {c.lower() for c in database.views}
    return [key for key in written_tables(procedure) if key not in temporary]


def _target(source: str, target: str, schema: Schema, database: Database) -> TargetReport:
    options = CompileOptions(
        model_name=f"stg_{target.rpartition('.')[2]}",
        procedure=database.procedures.get,
        view=database.views.get,
        function=database.functions.get,
    )
    result: Compiled | Unsupported
    try:
        result = compile_procedure(source, target, schema, options)
    except Refused as refusal:  # pragma: no cover - the compiler returns refusals
        result = refusal.at(1)
    if isinstance(result, Unsupported):
        return TargetReport(
            target,
            False,
            reason=result.reason,
            construct=result.construct,
            line=result.line,
        )
    return TargetReport(
        target,
        True,
        result.materialization,
        result.strategy,
        lines_out=result.sql.count("\n"),
    )


__all__ = [
    "Iterable",
    "ProcedureReport",
    "Report",
    "TargetReport",
    "compile_report",
    "written_tables",
]

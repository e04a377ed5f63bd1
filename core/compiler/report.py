"""How much of a folder of ``.sql`` files compiles: per procedure, per construct, in total.

Any folder: the CREATE TABLE, VIEW and FUNCTION statements found in it describe the database, and
what no statement describes is inferred from use (a table's columns are the ones the procedures
name), which the report says. Every permanent table a procedure writes is a target. Files may hold
several batches and be in any encoding; a file that cannot be read is an entry of the report.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from core.compiler.compile import compile_procedure
from core.compiler.dynamic import statements_in_texts
from core.compiler.effects import effects_of
from core.compiler.folder import Database, called_procedures, own_database, table_key_of
from core.compiler.inference import with_inferred
from core.compiler.result import Compiled, Refused, Unsupported
from core.compiler.routines import is_log_name
from core.compiler.tables import table_key
from core.project.files import read_text
from core.tsql import nodes
from core.tsql.errors import TsqlError
from core.tsql.parser import parse_script
from core.tsql.schema import Schema

_MISFITS = frozenset({"name or type", "unknown column"})


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
    database = Database.of(script for _, script in scripts)
    found: list[ProcedureReport] = []
    for name, script in scripts:
        seen = database.seen_from(Database.of([script]))
        found += [_procedure(name, script, node, seen) for node in script.procedures]
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
                found.pop(table_key_of(dropped), None)
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
    targets = targets_of(procedure, database)
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
    nodes_ = [procedure, *called_procedures(procedure, database)]
    schema, inferred = with_inferred(database.schema(name), nodes_, database.views)
    reports = tuple(_target(source, target, schema, database) for target in targets)
    if database.elsewhere and any(report.construct in _MISFITS for report in reports):
        apart = database.schema(name, without=database.elsewhere)
        schema, other = with_inferred(apart, nodes_, database.views)
        again = tuple(_target(source, target, schema, database) for target in targets)
        if sum(r.compiled for r in again) > sum(r.compiled for r in reports):
            return again, other
    return reports, inferred


def targets_of(procedure: nodes.CreateProcedure, database: Database) -> list[str]:
    """The tables among `written_tables`: what is written through a view has no name of its own."""
    views = {key.lower() for key in database.views}
    return [key for key in written_tables(procedure) if key not in views]


def _target(source: str, target: str, schema: Schema, database: Database) -> TargetReport:
    options = database.options(f"stg_{target.rpartition('.')[2]}")
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

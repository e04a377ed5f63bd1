"""What cannot be executed, found in the text before anything runs.

The scan walks a procedure and everything it calls. It is a promise in one direction: what it lists
would be refused. Dynamic SQL is only known when it runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlglot import exp

from core.interpreter import functions
from core.interpreter.errors import NotExecutable
from core.interpreter.positioned import positioned
from core.tsql import nodes as n
from core.tsql.errors import LeafError
from core.tsql.leaves import ParsedLeaf
from core.tsql.nodes import CreateProcedure, Node, walk
from core.tsql.schema import ObjectName

if TYPE_CHECKING:
    from core.interpreter.session import Session

_OUTSIDE = ("BULK", "BACKUP", "RESTORE", "SHUTDOWN", "KILL", "RECONFIGURE")


def scan(session: Session, procedure: CreateProcedure) -> tuple[NotExecutable, ...]:
    """Everything in `procedure` and in the modules it reaches that would be refused."""
    found: dict[NotExecutable, None] = {}
    seen: set[int] = set()
    pending: list[Node] = [procedure]
    while pending:
        module = pending.pop()
        if id(module) in seen:
            continue
        seen.add(id(module))
        roots: list[Node] = [module]
        if isinstance(module, CreateProcedure):
            # Statements behind the body's END are test calls left in the file.
            roots = [*module.parameters, *module.body]
        for root in roots:
            for node in walk(root):
                for problem in _problems(session, node):
                    found[problem] = None
                pending.extend(_called(session, node))
    return tuple(found)


def _problems(session: Session, node: Node) -> Iterator[NotExecutable]:
    from core.interpreter.machine import SUPPORTED

    line = node.span.line
    if isinstance(node, n.Unparsed):
        yield NotExecutable("syntax", line, node.reason)
    elif isinstance(node, n.Statement) and type(node) not in SUPPORTED:
        yield NotExecutable(type(node).__name__, line, "this statement is not supported")
    elif isinstance(node, n.SideStatement):
        if node.kind.upper().startswith(_OUTSIDE):
            yield NotExecutable(node.kind, line, "the reference reaches nothing outside of itself")
    elif isinstance(node, n.CreateTrigger):
        yield NotExecutable("CREATE TRIGGER", line, "triggers are not supported")
    elif isinstance(node, n.Leaf):
        yield from _leaf(session, node)
    elif isinstance(node, n.Expr):
        parsed = node.parsed
        if isinstance(parsed, LeafError):
            yield NotExecutable(parsed.construct, parsed.line, parsed.reason)
        else:
            yield from _tree(session, parsed.tree, line)
    elif isinstance(node, n.Execute):
        yield from _call(session, node)
    elif isinstance(node, n.ExecuteString) and node.at_server:
        yield NotExecutable("EXEC AT", line, "linked servers are not supported")


def _leaf(session: Session, leaf: n.Leaf) -> Iterator[NotExecutable]:
    at = positioned(leaf)
    parsed = at.leaf.parsed if at is not None else leaf.parsed
    if isinstance(parsed, LeafError):
        yield NotExecutable(parsed.construct, parsed.line, parsed.reason)
        return
    yield from _parsed(session, parsed, leaf.span.line)


def _parsed(session: Session, parsed: ParsedLeaf, line: int) -> Iterator[NotExecutable]:
    for remote in parsed.remote:
        yield NotExecutable(remote, line, "other servers cannot be reached")
    for tree in _trees(parsed):
        yield from _tree(session, tree, line)
    if parsed.nested is not None:
        yield from _parsed(session, parsed.nested, line)


def _trees(parsed: ParsedLeaf) -> Iterator[exp.Expr]:
    yield parsed.tree
    if parsed.output is not None:
        yield from parsed.output.items


def _tree(session: Session, tree: exp.Expr, line: int) -> Iterator[NotExecutable]:
    from core.tsql.functions import FUNCTIONS

    for node in tree.walk():
        here = int(node.meta.get("line", line))
        if isinstance(node, exp.Anonymous):
            name = node.name.upper()
            if name in FUNCTIONS and name not in functions.SUPPORTED:
                yield NotExecutable(name, here, f"the function {name} is not supported")
        elif isinstance(node, exp.Table) and node.args.get("version") is not None:
            yield NotExecutable("FOR SYSTEM_TIME", here, "temporal tables are not supported")
        elif isinstance(node, exp.Dot) and isinstance(node.expression, exp.Anonymous):
            method = node.expression.name.lower()
            plain = method == "value" and isinstance(node.this, exp.Subquery)
            if method in ("value", "query", "exist", "nodes", "modify") and not plain:
                yield NotExecutable(
                    "XML method", here, f"the XML method {method}() is not supported"
                )
        elif isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            table = ObjectName(node.name, node.db or None, node.catalog or None)
            if table.database and session.schema.is_foreign(table):
                yield NotExecutable(
                    "another database", here, f"{table} is not a table of this database"
                )


def _call(session: Session, node: n.Execute) -> Iterator[NotExecutable]:
    if node.procedure is None:
        return
    name = ObjectName(
        node.procedure.name, node.procedure.schema, node.procedure.database, node.procedure.server
    )
    if name.server or session.schema.is_foreign(name):
        yield NotExecutable("EXEC", node.span.line, f"{name} is not in this database")
    elif name.name.lower().startswith(("xp_", "sp_oa", "sp_send_dbmail", "sp_configure")):
        yield NotExecutable(name.name, node.span.line, "the reference reaches nothing outside")


def _called(session: Session, node: Node) -> Iterator[Node]:
    """Modules a node leads to: procedures, and functions and views by their names."""
    if isinstance(node, n.Execute) and node.procedure is not None:
        name = ObjectName(node.procedure.name, node.procedure.schema)
        found = session.procedures.get(name.key)
        if found is not None:
            yield found
    if isinstance(node, n.Leaf) and not isinstance(node.parsed, LeafError):
        for tree in _trees(node.parsed):
            yield from _modules_in(session, tree)
    if isinstance(node, n.Expr) and not isinstance(node.parsed, LeafError):
        yield from _modules_in(session, node.parsed.tree)


def _modules_in(session: Session, tree: exp.Expr) -> Iterator[Node]:
    for node in tree.walk():
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            view = session.views.get(ObjectName(node.name, node.db or None).key)
            if view is not None:
                yield view
        if isinstance(node, exp.Anonymous):
            parent = node.parent
            schema = None
            if isinstance(parent, exp.Dot):
                schema = parent.this.name
            elif isinstance(parent, exp.Table):
                schema = parent.db or None
            function = session.functions.get(ObjectName(node.name, schema or None).key)
            if function is not None:
                yield function

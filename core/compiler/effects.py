"""What a statement writes, read off the tree: needed where it could not be executed.

The answer errs on the side of more: a statement whose effects cannot be told may write anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from core.tsql import nodes
from core.tsql.binding_from import table_name
from core.tsql.leaves import Assignment, ParsedLeaf
from core.tsql.schema import ObjectName


@dataclass
class Effects:
    """Tables and variables (lower case) written; `everything` when that cannot be told."""

    tables: list[ObjectName] = field(default_factory=list)
    variables: set[str] = field(default_factory=set)
    everything: nodes.Statement | None = None
    calls: list[nodes.Statement] = field(default_factory=list)


_WRITING = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE", "INTO", "EXEC", "EXECUTE"})


def effects_of(
    statements: Iterable[nodes.Statement],
    is_harmless: Callable[[nodes.Statement], bool] = lambda _: False,
) -> Effects:
    """What the statements, and everything inside them, may write.

    `is_harmless` tells calls that are known to write no table of interest.
    """
    found = Effects()
    for statement in statements:
        for node in nodes.statements(statement):
            _add(node, found, is_harmless)
    return found


def _add(
    node: nodes.Statement, found: Effects, is_harmless: Callable[[nodes.Statement], bool]
) -> None:
    match node:
        case nodes.Leaf():
            _add_leaf(node, found)
        case nodes.SelectAssign() | nodes.SetVariable() | nodes.Declare() | nodes.Fetch():
            _add_variables(node, found)
        case nodes.Execute() | nodes.ExecuteString() | nodes.ExecuteSql():
            _add_call(node, found, is_harmless)
        case nodes.InsertExec():
            found.tables.append(schema_name(node.target))
            found.calls.append(node.execute)
        case nodes.AlterTable():
            found.tables.append(schema_name(node.name))
            if node.action.upper() == "SWITCH":
                other = switch_target(node)
                if other is None:
                    found.everything = node
                else:
                    found.tables.append(other)
        case nodes.CreateTable():
            found.tables.append(schema_name(node.name))
        case nodes.DropTable():
            found.tables += [schema_name(name) for name in node.names]
        case nodes.Unparsed():
            words = {word.strip("[]();,").upper() for word in node.text.split()}
            if words & _WRITING:
                found.everything = node
        case _:
            pass


def _add_variables(
    node: nodes.SelectAssign | nodes.SetVariable | nodes.Declare | nodes.Fetch, found: Effects
) -> None:
    match node:
        case nodes.SelectAssign():
            parsed = node.leaf.parsed
            if isinstance(parsed, ParsedLeaf):
                found.variables |= _assigned(parsed.assignments)
            else:
                found.everything = node
        case nodes.SetVariable():
            found.variables.add(node.name.lower())
        case nodes.Declare():
            found.variables |= {v.name.lower() for v in node.variables}
        case nodes.Fetch():
            found.variables |= {name.lower() for name in node.into}


def _add_call(
    node: nodes.Execute | nodes.ExecuteString | nodes.ExecuteSql,
    found: Effects,
    is_harmless: Callable[[nodes.Statement], bool],
) -> None:
    if not is_harmless(node):
        found.calls.append(node)
    found.variables |= {
        a.value.text.lower() for a in node.arguments if a.is_output and a.value is not None
    }
    result = getattr(node, "return_variable", None)
    if result:
        found.variables.add(result.lower())


def _add_leaf(node: nodes.Leaf, found: Effects) -> None:
    if node.kind is nodes.LeafKind.SELECT:
        return
    parsed = node.parsed
    if not isinstance(parsed, ParsedLeaf):
        found.everything = node
        return
    _add_parsed(parsed, found)


def _add_parsed(parsed: ParsedLeaf, found: Effects) -> None:
    target = parsed.target
    if target is not None:
        if target.is_cte:
            with_ = parsed.ctes or (parsed.query.args.get("with_") if parsed.query else None)
            if with_ is not None:
                from sqlglot import exp

                found.tables += [table_name(t) for t in with_.find_all(exp.Table)]
        else:
            found.tables.append(table_name(target.table))
    if parsed.output is not None and parsed.output.into is not None:
        found.tables.append(table_name(parsed.output.into))
    if parsed.nested is not None:
        _add_parsed(parsed.nested, found)
    found.variables |= _assigned(parsed.assignments)


def _assigned(assignments: Iterable[Assignment]) -> set[str]:
    return {a.variable.lower() for a in assignments if a.variable}


_SWITCH = re.compile(
    r"\bSWITCH\s+TO\s+(?P<name>[\w.\[\]\"$# ]+?)(?:\s+PARTITION\s+[^\s;]+)?"
    r"\s*(?:WITH\s*\(.*\)\s*)?;?\s*$",
    re.IGNORECASE | re.DOTALL,
)


def switch_target(node: nodes.AlterTable) -> ObjectName | None:
    """The table ``ALTER TABLE a SWITCH TO b`` moves all rows to; None for a partition of a.

    ``SWITCH TO b PARTITION n`` moves all rows too: the server checks that they belong there.
    """
    match = _SWITCH.search(node.text)
    if match is None:
        return None
    try:
        return ObjectName.parse(match["name"])
    except ValueError:
        return None


def schema_name(name: nodes.ObjectName) -> ObjectName:
    """A name of the syntax tree as the schema takes it."""
    return ObjectName(name.name, name.schema, name.database, name.server)

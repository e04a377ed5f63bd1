"""The statements of a script as nested pairs, in one vocabulary for two parsers.

``ours(text)`` is `core.tsql`'s reading, ``sqlfluffs(text)`` that of sqlfluff's tsql dialect, which
shares no code with it. Both are lists of ``(kind, [children])``. What is levelled out, because it
is a difference of shape and not of reading: ELSE IF chains are one IF with all their branches, TRY
and CATCH lists follow each other, a CTE's statement has the kind of its verb.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from core.tsql import nodes as n
from core.tsql.parser import parse_script

Shape = list[tuple[str, list[Any]]]

_LEAF_KINDS = {"select_into": "select", "select_assign": "select"}
_SIMPLE = {
    n.Break: "break",
    n.Continue: "continue",
    n.Return: "return",
    n.Goto: "goto",
    n.Label: "label",
    n.Declare: "declare",
    n.DeclareCursor: "declare",
    n.SetVariable: "set variable",
    n.SetOption: "set option",
    n.Execute: "execute",
    n.ExecuteString: "execute",
    n.ExecuteSql: "execute",
    n.InsertExec: "insert",
    n.SelectAssign: "select",
    n.Print: "print",
    n.Throw: "throw",
    n.RaiseError: "raiserror",
    n.BeginTransaction: "transaction",
    n.CommitTransaction: "transaction",
    n.RollbackTransaction: "transaction",
    n.SaveTransaction: "transaction",
    n.OpenCursor: "open",
    n.Fetch: "fetch",
    n.CloseCursor: "close",
    n.DeallocateCursor: "deallocate",
    n.CreateTable: "create table",
    n.DropTable: "drop table",
    n.AlterTable: "alter table",
    n.CreateView: "create view",
    n.CreateType: "create type",
    n.Unparsed: "unparsed",
}


def ours(text: str) -> Shape:
    return [_our(statement) for statement in parse_script(text).statements]


def _our(statement: n.Statement) -> tuple[str, list[Any]]:
    match statement:
        case n.Leaf():
            return _LEAF_KINDS.get(statement.kind, statement.kind.value), []
        case n.Block():
            return "block", [_our(child) for child in statement.body]
        case n.TryCatch():
            return "try", [_our(child) for child in statement.body + statement.handler]
        case n.If():
            return "if", _branches(statement)
        case n.While():
            return "while", [_our(statement.body)]
        case n.CreateProcedure():
            return "create procedure", [_our(child) for child in statement.all_statements]
        case n.CreateFunction():
            if statement.query is not None:
                return "create function", [("return", [])]
            return "create function", [_our(child) for child in statement.body]
        case n.CreateTrigger():
            return "create trigger", [_our(child) for child in statement.body]
        case n.IndexStatement():
            return f"{statement.action.value} index", []
        case n.SideStatement(kind="CREATE STATISTICS"):
            return "create index", []  # the name sqlfluff has for it
        case n.SideStatement() | n.OtherDefinition():
            return statement.kind.split()[0].lower() if _is_waitfor(statement) else (
                statement.kind.lower()
            ), []
        case _:
            return _SIMPLE[type(statement)], []


def _is_waitfor(statement: n.Statement) -> bool:
    return isinstance(statement, n.SideStatement) and statement.kind.startswith("WAITFOR")


def _branches(statement: n.If) -> Shape:
    found = [_our(statement.then)]
    if isinstance(statement.otherwise, n.If):
        return found + _branches(statement.otherwise)
    if statement.otherwise is not None:
        found.append(_our(statement.otherwise))
    return found


# --- sqlfluff ---

_SQLFLUFF_KINDS = {
    "begin_end_block": "block",
    "atomic_begin_end_block": "block",
    "try_catch": "try",
    "if_then_statement": "if",
    "while_statement": "while",
    "break_statement": "break",
    "continue_statement": "continue",
    "return_segment": "return",
    "goto_statement": "goto",
    "label_segment": "label",
    "declare_segment": "declare",
    "set_segment": "set option",
    "set_local_variable_segment": "set variable",
    "select_statement": "select",
    "set_expression": "select",
    "insert_statement": "insert",
    "update_statement": "update",
    "delete_statement": "delete",
    "merge_statement": "merge",
    "truncate_table": "truncate",
    "truncate_statement": "truncate",
    "execute_script_statement": "execute",
    "print_statement": "print",
    "throw_statement": "throw",
    "raiserror_statement": "raiserror",
    "transaction_statement": "transaction",
    "open_cursor_statement": "open",
    "fetch_cursor_statement": "fetch",
    "close_cursor_statement": "close",
    "deallocate_cursor_statement": "deallocate",
    "create_table_statement": "create table",
    "drop_table_statement": "drop table",
    "alter_table_statement": "alter table",
    "alter_table_switch_statement": "alter table",
    "create_index_statement": "create index",
    "create_columnstore_index_statement": "create index",
    "drop_index_statement": "drop index",
    "alter_index_statement": "alter index",
    "create_view_statement": "create view",
    "create_type_statement": "create type",
    "create_procedure_statement": "create procedure",
    "create_function_statement": "create function",
    "create_trigger": "create trigger",
    "use_statement": "use",
    "update_statistics_statement": "update statistics",
    "waitfor_statement": "waitfor",
}


@cache
def _linter() -> Any:
    from sqlfluff.core import Linter

    return Linter(dialect="tsql")


def sqlfluffs(text: str) -> Shape:
    # sqlfluff knows neither no-break spaces nor a byte order mark.
    plain = text.replace("\u00a0", " ").lstrip("\ufeff")
    return _statements_below(_linter().parse_string(plain).tree)


def _statements_below(segment: Any) -> Shape:
    found: Shape = []
    for child in segment.segments:
        kind = child.get_type()
        if kind == "statement":
            found.append(_theirs(child))
        elif kind == "unparsable":
            found.append(("unparsed", []))
        elif kind == "label_segment":
            found.append(("label", []))
        else:
            found.extend(_statements_below(child))
    return found


def _theirs(statement: Any) -> tuple[str, list[Any]]:
    inner = next(s for s in statement.segments if not s.is_meta and s.is_code)
    kind = inner.get_type()
    if kind == "with_compound_statement":
        verbs = [s.get_type() for s in inner.segments if s.get_type() in _SQLFLUFF_KINDS]
        return _SQLFLUFF_KINDS[verbs[-1]], []
    named = _SQLFLUFF_KINDS.get(kind) or kind.removesuffix("_statement").replace("_", " ")
    if kind in ("insert_statement", "select_statement", "set_expression", "declare_segment"):
        return named, []
    return named, _statements_below(inner)

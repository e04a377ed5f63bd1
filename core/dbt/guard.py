"""The guard: nothing hostile, and nothing that would read past its fixtures, reaches dbt.

Three walls. The Jinja of the text is on an allow-list (``core.dbt.allowlist``). Every text the
template can give, whatever its vars are, is one SELECT as *DuckDB's own parser* sees it
(``json_serialize_sql``), made of known node kinds and known functions, and reads nothing but
its inputs and its CTEs. YAML is rendered by us; strings in it that dbt would evaluate are refused.

What the guard cannot stop (a query without end, a huge result) is for the worker's deadline and
memory limit; a locked DuckDB configuration stands behind it all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.dbt.allowlist import Finding
from core.dbt.functions import ALLOWED_FUNCTIONS, TABLE_FUNCTIONS
from core.dbt.template import ModelTemplate, Rendered, StubResolver, parse_template

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

LOCKED_CONFIG: Mapping[str, str] = {
    "enable_external_access": "false",
    "lock_configuration": "true",
    "allow_community_extensions": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_unsigned_extensions": "false",
    "allow_persistent_secrets": "false",
    "python_enable_replacements": "false",
    "threads": "1",
    "memory_limit": "1GB",
    "max_temp_directory_size": "0GB",
}
"""Every DuckDB of ours is opened so: no files, no extensions, no settings from SQL."""

MAX_TEXT = 1_000_000
"""Characters; longer texts are not models."""

_RESERVED = re.compile(r"__ref\b|__src:|__this\b|proc2dbt_", re.IGNORECASE)
_QUERIES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
_TABLES = frozenset({"SUBQUERY", "JOIN", "EXPRESSION_LIST", "EMPTY", "PIVOT"})
_CLASSES = frozenset(
    {
        "BETWEEN",
        "CASE",
        "CAST",
        "COLLATE",
        "COLUMN_REF",
        "COMPARISON",
        "CONJUNCTION",
        "CONSTANT",
        "FUNCTION",
        "LAMBDA",
        "LAMBDA_REF",
        "OPERATOR",
        "POSITIONAL_REFERENCE",
        "STAR",
        "SUBQUERY",
        "TYPE",
        "WINDOW",
    }
)
_MODIFIERS = frozenset(
    {"ORDER_MODIFIER", "LIMIT_MODIFIER", "DISTINCT_MODIFIER", "LIMIT_PERCENT_MODIFIER"}
)
_SESSION = frozenset(
    {"current_user", "session_user", "user", "current_role", "current_catalog", "current_schema"}
)
_SPOKEN_NODES = {
    "SHOW_REF": "SHOW, DESCRIBE or SUMMARIZE",
    "DELETE_QUERY_NODE": "DELETE",
    "INSERT_QUERY_NODE": "INSERT",
    "UPDATE_QUERY_NODE": "UPDATE",
    "MERGE_QUERY_NODE": "MERGE",
    "VALUE_PARAMETER": "A statement parameter",
}
_NO_LOCATION = 2**63


@dataclass(frozen=True)
class GuardReport:
    """What the guard found; ``template`` is set when the Jinja was harmless."""

    findings: tuple[Finding, ...]
    template: ModelTemplate | None = None

    @property
    def ok(self) -> bool:
        """Whether the model may be run."""
        return not self.findings


def check_model(sql: str, inputs: Collection[str] | None = None) -> GuardReport:
    """Judge a model's text.

    ``inputs`` are the relations it may read (``ref:x``, ``source:schema.table``), compared as
    they are spelled, as dbt does; ``None`` allows any ``ref`` and ``source``.
    """
    if len(sql) > MAX_TEXT:
        return GuardReport((Finding(0, f"The model is longer than {MAX_TEXT:,} characters."),))
    if "\x00" in sql:
        return GuardReport((Finding(0, "The model contains a NUL character."),))
    reserved = _RESERVED.search(sql)
    if reserved:
        line = sql.count("\n", 0, reserved.start()) + 1
        return GuardReport((Finding(line, f"The name '{reserved[0]}' is reserved."),))
    template = parse_template(sql)
    if not isinstance(template, ModelTemplate):
        return GuardReport(template)
    findings = list(_unknown_inputs(template, inputs))
    seen: set[str] = set()
    for rendered in template.paths(StubResolver(placeholder="0")):
        if rendered.text not in seen:
            seen.add(rendered.text)
            findings += check_sql(rendered, _stubs(template))
    unique = tuple(sorted(set(findings), key=lambda f: (f.line, f.message)))
    return GuardReport(unique, template)


def _unknown_inputs(template: ModelTemplate, inputs: Collection[str] | None) -> Iterator[Finding]:
    if inputs is None:
        return
    for call in template.calls:
        if call.name == "ref" and f"ref:{call.args[0]}" not in inputs:
            yield Finding(
                call.line, f"ref('{call.args[0]}') is not a model or seed of the project."
            )
        if call.name == "source" and f"source:{call.args[0]}.{call.args[1]}" not in inputs:
            where = f"source('{call.args[0]}', '{call.args[1]}')"
            yield Finding(call.line, f"{where} is not a table of the catalog.")


def _stubs(template: ModelTemplate) -> frozenset[tuple[str, str]]:
    known = {("__this", "this")}
    for call in template.calls:
        if call.name == "ref":
            known.add(("__ref", str(call.args[0])))
        elif call.name == "source":
            known.add((f"__src:{call.args[0]}", str(call.args[1])))
    return frozenset(known)


def check_sql(rendered: Rendered, stubs: Collection[tuple[str, str]]) -> list[Finding]:
    """Judge one rendered text by DuckDB's own syntax tree.

    ``stubs`` are the (schema, table) pairs it may read beside its CTEs.
    """
    tree = json.loads(_serialized(rendered.text))
    if tree.get("error"):
        return [_unparsed(tree, rendered)]
    statements = tree.get("statements") or []
    if len(statements) != 1:
        return [Finding(1, f"A model is one SELECT statement, not {len(statements)}.")]
    walk = _Walk(rendered, frozenset(stubs))
    walk.visit(statements[0].get("node"), frozenset())
    return walk.findings


def _unparsed(tree: Mapping[str, Any], rendered: Rendered) -> Finding:
    message = str(tree.get("error_message", "")).split("\n")[0].rstrip(".")
    if tree.get("error_type") == "not implemented":
        return Finding(1, "A model is one SELECT statement, and this is another kind.")
    position = str(tree.get("position", ""))
    line = rendered.model_line_at(int(position)) if position.isdigit() else 0
    return Finding(line, f"The SQL cannot be read: {message}.")


def _serialized(text: str) -> str:
    row = _parser().execute("select json_serialize_sql(?)", [text]).fetchone()
    return str(row[0]) if row else "{}"


_connections: list[duckdb.DuckDBPyConnection] = []


def _parser() -> duckdb.DuckDBPyConnection:
    """A connection of this process used for nothing but parsing."""
    if not _connections:
        import duckdb

        _connections.append(duckdb.connect(":memory:", config=dict(LOCKED_CONFIG)))
    return _connections[0].cursor()


def release_parser() -> None:
    """Close the parser's connection (before a process forks)."""
    while _connections:
        _connections.pop().close()


class _Walk:
    """Visits every node of DuckDB's tree with the CTE names that are visible there."""

    def __init__(self, rendered: Rendered, stubs: frozenset[tuple[str, str]]) -> None:
        self.rendered = rendered
        self.bytes = rendered.text.encode()
        self.stubs = stubs
        self.findings: list[Finding] = []

    def refuse(self, node: Mapping[str, Any], message: str) -> None:
        location = node.get("query_location")
        line = 0
        if isinstance(location, int) and location < _NO_LOCATION:
            line = self.rendered.model_line(self.bytes[:location].count(b"\n") + 1)
        self.findings.append(Finding(line, message))

    def visit(self, node: Any, ctes: frozenset[str]) -> None:
        if isinstance(node, list):
            for item in node:
                self.visit(item, ctes)
        elif isinstance(node, dict):
            kind = node.get("type")
            if isinstance(kind, str) and not self._known(node, kind, ctes):
                return
            if node.get("sample"):
                self.refuse(node, "TABLESAMPLE is not allowed: its rows differ from run to run.")
            self._children(node, ctes)

    def _children(self, node: Mapping[str, Any], ctes: frozenset[str]) -> None:
        ctes = self._with(node, ctes)
        for key, value in node.items():
            if key != "cte_map" and isinstance(value, dict | list):
                self.visit(value, ctes)

    def _with(self, node: Mapping[str, Any], ctes: frozenset[str]) -> frozenset[str]:
        for entry in (node.get("cte_map") or {}).get("map") or []:
            name = str(entry.get("key", "")).casefold()
            body = (entry.get("value") or {}).get("query_node") or {}
            recursive = body.get("type") == "RECURSIVE_CTE_NODE"
            self.visit(entry.get("value"), ctes | {name} if recursive else ctes)
            ctes = ctes | {name}
        return ctes

    def _known(self, node: Mapping[str, Any], kind: str, ctes: frozenset[str]) -> bool:
        """Judge one node; False: it was refused, or needs no look inside."""
        klass = node.get("class")
        if klass == "CONSTANT":
            return False
        if klass is not None:
            return self._expression(node, str(klass), kind)
        if kind == "BASE_TABLE":
            self._table(node, ctes)
            return True
        if kind == "TABLE_FUNCTION":
            return self._table_function(node)
        if kind in _QUERIES or kind in _TABLES or kind in _MODIFIERS or kind.startswith("ORDER_"):
            return True
        if {"cte_map", "function", "from_table", "query_location"} & node.keys() or kind.endswith(
            ("_NODE", "_REF", "_MODIFIER")
        ):
            self.refuse(node, f"{_SPOKEN_NODES.get(kind, kind)} is not allowed in a model.")
            return False
        return True

    def _expression(self, node: Mapping[str, Any], klass: str, kind: str) -> bool:
        if klass not in _CLASSES:
            self.refuse(node, f"{_SPOKEN_NODES.get(kind, kind)} is not allowed in a model.")
            return False
        if klass in ("FUNCTION", "WINDOW"):
            self._function(node)
        if klass == "COLUMN_REF":
            names = node.get("column_names") or []
            if len(names) == 1 and str(names[0]).casefold() in _SESSION:
                self.refuse(node, f"'{names[0]}' is not allowed in a model.")
        return True

    def _function(self, node: Mapping[str, Any]) -> None:
        name = str(node.get("function_name", ""))
        qualified = node.get("schema") or node.get("catalog")
        is_word = name[:1].isalpha() or name[:1] == "_"
        if qualified or (is_word and name.lower() not in ALLOWED_FUNCTIONS):
            shown = ".".join(str(p) for p in (node.get("schema"), name) if p)
            self.refuse(node, f"The function '{shown}' is not on the list of allowed functions.")

    def _table(self, node: Mapping[str, Any], ctes: frozenset[str]) -> None:
        schema, name = str(node.get("schema_name") or ""), str(node.get("table_name") or "")
        if node.get("catalog_name"):
            self.refuse(node, f"'{name}' is named with its database; use source() or ref().")
        elif schema:
            if (schema, name) not in self.stubs:
                self.refuse(node, f"'{schema}.{name}' is hard-coded; use source() or ref().")
        elif name.casefold() not in ctes:
            self.refuse(node, f"'{name}' is neither a CTE nor read with source() or ref().")

    def _table_function(self, node: Mapping[str, Any]) -> bool:
        function = node.get("function") or {}
        name = str(function.get("function_name", "")).lower()
        if name not in TABLE_FUNCTIONS:
            self.refuse(node, f"The table function '{name}' is not allowed in a model.")
            return False
        return True

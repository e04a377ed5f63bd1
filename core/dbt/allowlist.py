"""The allow-list for Jinja in a model: every node of the syntax tree is on it, or refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import nodes

OUTPUT_CALLS = frozenset({"ref", "source", "config", "var", "current_timestamp"})
"""Functions whose result may be written into the SQL."""

CONFIG_KEYS = frozenset(
    {
        "materialized",
        "incremental_strategy",
        "unique_key",
        "on_schema_change",
        "merge_update_columns",
        "merge_exclude_columns",
        "merge_clauses",
        "full_refresh",
        "tags",
        "meta",
    }
)
"""Configuration a model may set: nothing that runs SQL (hooks, ``sql_header``) or moves it."""

REPLACE_ALL: Mapping[str, object] = {
    "when_not_matched": [
        {"action": "insert", "mode": "by_name"},
        {"by": "source", "action": "delete"},
    ]
}
"""The one ``merge_clauses`` a model may have: without a key nothing matches, so the rows that were
there go and the rows the model emits come, in one statement. It is how a model may delete."""

_CHOICES: Mapping[str, frozenset[str]] = {
    "materialized": frozenset({"table", "incremental", "view"}),
    "incremental_strategy": frozenset({"append", "merge", "delete+insert"}),
    "on_schema_change": frozenset({"ignore", "fail", "append_new_columns", "sync_all_columns"}),
}
_COLUMN_KEYS = frozenset({"unique_key", "merge_update_columns", "merge_exclude_columns"})
_COLUMN = re.compile(r'[^\W\d]\w*|"[\w .$#@-]+"')
_MODEL = re.compile(r"\w+")
_SOURCE = re.compile(r"[\w .$#@&-]+")
_VAR = re.compile(r"[^\W\d]\w*")
_TAG = re.compile(r"[\w:.+ -]+")
_DELIMITERS = ("{{", "}}", "{%", "%}", "{#", "#}")


@dataclass(frozen=True)
class Finding:
    """One thing wrong with a model's text: 1-based line (0: none) and a sentence."""

    line: int
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}" if self.line else self.message


class TemplateCheck:
    """Walks the tree; whatever it does not know it refuses."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def refuse(self, line: int, message: str) -> None:
        self.findings.append(Finding(line, message))

    def statement(self, node: nodes.Node) -> None:
        from jinja2 import nodes

        if isinstance(node, nodes.Output):
            for part in node.nodes:
                self.output(part)
        elif isinstance(node, nodes.If):
            self.condition(node.test)
            for inner in (*node.body, *node.elif_, *node.else_):
                self.statement(inner)
        else:
            self.refuse(node.lineno, f"{_spoken(node)} is not allowed in a model.")

    def output(self, node: nodes.Node) -> None:
        from jinja2 import nodes

        if isinstance(node, nodes.TemplateData):
            if any(mark in node.data for mark in _DELIMITERS):
                self.refuse(node.lineno, "Unbalanced Jinja delimiters are not allowed in SQL text.")
        elif isinstance(node, nodes.Call):
            self.call(node, OUTPUT_CALLS)
        elif isinstance(node, nodes.Name):
            if node.name != "this":
                self.refuse(node.lineno, f"The name '{node.name}' is not allowed in a model.")
        elif isinstance(node, nodes.CondExpr | nodes.Const):
            self.condition(node)
        else:
            self.refuse(node.lineno, f"{_spoken(node)} is not allowed in a model.")

    def condition(self, node: nodes.Node) -> None:
        from jinja2 import nodes

        match node:
            case nodes.Const():
                self.literal(node)
            case nodes.Call():
                self.call(node, frozenset({"is_incremental", "var"}))
            case nodes.Not():
                self.condition(node.node)
            case nodes.And() | nodes.Or():
                self.condition(node.left)
                self.condition(node.right)
            case nodes.Compare():
                self.condition(node.expr)
                for operand in node.ops:
                    self.condition(operand.expr)
            case nodes.CondExpr():
                for part in (node.test, node.expr1, node.expr2):
                    if part is not None:
                        self.condition(part)
            case nodes.List() | nodes.Tuple():
                for item in node.items:
                    self.literal(item)
            case nodes.Neg(node=nodes.Const()):
                pass
            case nodes.Test(name="none", args=[], kwargs=[]):
                self.condition(node.node)
            case _:
                self.refuse(node.lineno, f"{_spoken(node)} is not allowed in a model.")

    def literal(self, node: nodes.Node) -> None:
        from jinja2 import nodes

        if isinstance(node, nodes.Neg):
            node = node.node
        if not isinstance(node, nodes.Const):
            self.refuse(node.lineno, f"{_spoken(node)} is not allowed where a literal belongs.")
        elif isinstance(node.value, str) and any(mark in node.value for mark in _DELIMITERS):
            self.refuse(node.lineno, "Jinja inside a string is not allowed in a model.")

    def call(self, node: nodes.Call, allowed: frozenset[str]) -> None:
        from jinja2 import nodes

        if not isinstance(node.node, nodes.Name):
            self.refuse(node.lineno, f"A call of {_spoken(node.node).lower()} is not allowed.")
            return
        name = node.node.name
        if name not in allowed:
            self.refuse(node.lineno, f"The function '{name}' is not allowed here.")
            return
        if node.dyn_args is not None or node.dyn_kwargs is not None:
            self.refuse(node.lineno, f"'{name}' takes literal arguments only.")
            return
        _CALL_CHECKS[name](self, node)

    def names(self, node: nodes.Call, count: int, pattern: re.Pattern[str]) -> None:
        from jinja2 import nodes

        function = getattr(node.node, "name", "")
        good = len(node.args) == count and not node.kwargs
        for arg in node.args:
            value = arg.value if isinstance(arg, nodes.Const) else None
            good = good and isinstance(value, str) and pattern.fullmatch(value) is not None
        if not good:
            plural = "a literal name" if count == 1 else f"{count} literal names"
            self.refuse(node.lineno, f"'{function}' takes {plural}.")

    def ref(self, node: nodes.Call) -> None:
        self.names(node, 1, _MODEL)

    def source(self, node: nodes.Call) -> None:
        self.names(node, 2, _SOURCE)

    def nothing(self, node: nodes.Call) -> None:
        if node.args or node.kwargs:
            self.refuse(node.lineno, f"'{getattr(node.node, 'name', '')}' takes no arguments.")

    def var(self, node: nodes.Call) -> None:
        from jinja2 import nodes

        values = [*node.args, *(k.value for k in node.kwargs)]
        first = node.args[0] if node.args else None
        named = isinstance(first, nodes.Const) and isinstance(first.value, str)
        if not named or len(values) > 2 or any(k.key != "default" for k in node.kwargs):
            self.refuse(node.lineno, "'var' takes a literal name and, at most, a literal default.")
            return
        if not _VAR.fullmatch(str(first.value)):  # type: ignore[union-attr]
            self.refuse(node.lineno, "The name of a var consists of letters, digits and _.")
        for value in values:
            self.literal(value)

    def config(self, node: nodes.Call) -> None:
        from jinja2 import nodes

        if node.args:
            self.refuse(node.lineno, "'config' takes keyword arguments only.")
        for keyword in node.kwargs:
            if keyword.key not in CONFIG_KEYS:
                self.refuse(
                    keyword.lineno, f"The configuration '{keyword.key}' is not allowed in a model."
                )
                continue
            if keyword.key == "merge_clauses":
                self.merge_clauses(keyword)
                continue
            for leaf in _leaves(keyword.value):
                self.condition(leaf)
                if isinstance(leaf, nodes.Const):
                    self.config_value(keyword.key, leaf)

    def merge_clauses(self, keyword: nodes.Keyword) -> None:
        from jinja2 import nodes

        try:
            value = keyword.value.as_const()
        except nodes.Impossible:
            value = None
        if value != REPLACE_ALL:
            self.refuse(
                keyword.lineno,
                "The configuration 'merge_clauses' may only insert what the model emits and "
                "delete what it does not.",
            )

    def config_value(self, key: str, node: nodes.Const) -> None:
        value = node.value
        if key in _CHOICES:
            good = isinstance(value, str) and value in _CHOICES[key]
            wanted = "one of " + ", ".join(sorted(_CHOICES[key]))
        elif key in _COLUMN_KEYS:
            good = isinstance(value, str) and _COLUMN.fullmatch(value) is not None
            wanted = "a column name"
        elif key == "tags":
            good = isinstance(value, str) and _TAG.fullmatch(value) is not None
            wanted = "a word"
        elif key == "full_refresh":
            good = value is None or isinstance(value, bool | str)
            wanted = "true, false or none"
        else:
            return
        if not good:
            self.refuse(node.lineno, f"The configuration '{key}' has to be {wanted}.")


_CALL_CHECKS: Mapping[str, Callable[[TemplateCheck, Any], None]] = {
    "ref": TemplateCheck.ref,
    "source": TemplateCheck.source,
    "var": TemplateCheck.var,
    "config": TemplateCheck.config,
    "current_timestamp": TemplateCheck.nothing,
    "is_incremental": TemplateCheck.nothing,
}

_SPOKEN = {
    "Filter": "A filter",
    "Getattr": "Reading an attribute",
    "Getitem": "Reading an element",
    "For": "A loop",
    "Assign": "'set'",
    "AssignBlock": "'set'",
    "Macro": "A macro",
    "CallBlock": "A call block",
    "FilterBlock": "A filter block",
    "Include": "'include'",
    "Import": "'import'",
    "FromImport": "'import'",
    "Extends": "'extends'",
    "Block": "A block",
    "With": "A with block",
    "Concat": "Joining with ~",
    "Name": "A bare name",
    "Dict": "A dictionary",
    "Test": "A test other than 'is none'",
}


def _spoken(node: nodes.Node) -> str:
    kind = type(node).__name__
    return _SPOKEN.get(kind, f"The Jinja construct '{kind}'")


def _leaves(node: nodes.Node) -> Iterator[nodes.Node]:
    """The values inside lists and dictionaries of a configuration."""
    from jinja2 import nodes

    if isinstance(node, nodes.List | nodes.Tuple):
        for item in node.items:
            yield from _leaves(item)
    elif isinstance(node, nodes.Dict):
        for pair in node.items:
            yield from _leaves(pair.key)
            yield from _leaves(pair.value)
    elif isinstance(node, nodes.CondExpr) and node.expr2 is not None:
        yield node.test
        yield node.expr1
        yield node.expr2
    else:
        yield node

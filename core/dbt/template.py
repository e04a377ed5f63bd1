"""The Jinja a model may use: parsed, checked against an allow-list, and rendered by us.

dbt's own Jinja sandbox does not contain a hostile model (plain Jinja in a ``.sql`` file can call
any macro and reach Python), so nothing is handed to dbt before every node of its syntax tree
was found in the list below. What is on the list is so small that rendering it here is exact,
keeps the lines, and costs no dbt.

Allowed: text, comments, ``if``/``elif``/``else``; calls of ``ref``, ``source``, ``config``,
``var``, ``current_timestamp`` and ``is_incremental`` with literal arguments; the name ``this``;
``not``, ``and``, ``or``, comparisons, ``is none`` and ``x if c else y`` over those and literals.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from jinja2 import Environment, nodes

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
        "full_refresh",
        "tags",
        "meta",
    }
)
"""Configuration a model may set: nothing that runs SQL (hooks, ``sql_header``) or moves it."""

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


@dataclass(frozen=True)
class TemplateCall:
    """One call in the template, with literal arguments where they are literal."""

    name: str
    args: tuple[object, ...]
    kwargs: Mapping[str, object]
    line: int


class Resolver(Protocol):
    """What the names of a template stand for."""

    def ref(self, name: str) -> str:
        """SQL for ``ref('name')``."""
        ...

    def source(self, source: str, table: str) -> str:
        """SQL for ``source('source', 'table')``."""
        ...

    def this(self) -> str:
        """SQL for ``this``."""
        ...

    def var(self, name: str, default: object) -> object:
        """The value of ``var('name', default)``; raises ``KeyError`` when there is none."""
        ...

    def current_timestamp(self) -> str:
        """SQL for ``current_timestamp()``."""
        ...


class MissingVarError(KeyError):
    """A ``var`` without a default has no value."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


REQUIRED = object()
"""The default of a ``var`` that has none."""


def quoted(identifier: str) -> str:
    """A DuckDB identifier in double quotes."""
    return '"' + identifier.replace('"', '""') + '"'


@dataclass(frozen=True)
class StubResolver:
    """Stands for every relation with a name that cannot be anything else.

    ``values`` are the vars; a required var without a value becomes ``placeholder`` when that
    is set, so that a model can be read (not run) without knowing its parameters.
    """

    values: Mapping[str, object] = field(default_factory=dict)
    placeholder: str | None = None

    def ref(self, name: str) -> str:
        return f'"__ref".{quoted(name)}'

    def source(self, source: str, table: str) -> str:
        return f"{quoted('__src:' + source)}.{quoted(table)}"

    def this(self) -> str:
        return '"__this"."this"'

    def var(self, name: str, default: object) -> object:
        if name in self.values:
            return self.values[name]
        if default is not REQUIRED:
            return default
        if self.placeholder is not None:
            return self.placeholder
        raise MissingVarError(name)

    def current_timestamp(self) -> str:
        return "proc2dbt_now()"


@dataclass(frozen=True)
class Rendered:
    """SQL text and, for each of its lines, the line of the model it came from."""

    text: str
    lines: tuple[int, ...]

    def model_line(self, line: int) -> int:
        """The model's line for a 1-based line of the rendered text."""
        if not self.lines or line < 1:
            return 0
        return self.lines[min(line, len(self.lines)) - 1]

    def model_line_at(self, offset: int) -> int:
        """The model's line for a character offset of the rendered text."""
        return self.model_line(self.text.count("\n", 0, offset) + 1)


@cache
def _environment() -> Environment:
    from jinja2 import Environment

    return Environment(autoescape=False)


@dataclass(frozen=True)
class ModelTemplate:
    """A model's text whose Jinja was found harmless."""

    source: str
    calls: tuple[TemplateCall, ...]
    this_lines: tuple[int, ...]
    _tree: nodes.Template = field(repr=False, compare=False)

    def render(self, resolver: Resolver, *, incremental: bool) -> Rendered:
        """The SQL with every name replaced by what ``resolver`` says.

        Raises:
            MissingVarError: a ``var`` without default has no value.
        """
        pieces: list[tuple[str, int]] = []
        _Evaluation(resolver, incremental).write(self._tree.body, pieces)
        return _joined(pieces)

    def config(self, resolver: Resolver | None = None) -> dict[str, object]:
        """The merged ``config(...)`` values (later ones win), evaluated."""
        evaluation = _Evaluation(resolver or StubResolver(placeholder=""), incremental=False)
        merged: dict[str, object] = {}
        for call in _calls(self._tree, "config"):
            merged.update({k.key: evaluation.value(k.value) for k in call.kwargs})
        return merged


def parse_template(text: str) -> ModelTemplate | tuple[Finding, ...]:
    """Parse a model's text and check it against the allow-list.

    Returns the template, or everything that is not allowed in it, in the order of the lines.
    """
    from jinja2 import TemplateSyntaxError, nodes

    try:
        tree = _environment().parse(text)
        raw = [t for t in _environment().lex(text) if t[1] in ("raw_begin", "linestatement_begin")]
    except TemplateSyntaxError as error:
        return (Finding(error.lineno or 0, f"The Jinja cannot be read: {error.message}."),)
    except RecursionError:
        return (Finding(0, "The Jinja is nested too deeply."),)
    check = _Check()
    for token in raw:
        check.refuse(token[0], "A raw block is not allowed in a model.")
    for node in tree.body:
        check.statement(node)
    if check.findings:
        return tuple(sorted(set(check.findings), key=lambda f: f.line))
    calls = tuple(_call_value(call) for call in _calls(tree))
    this_lines = tuple(n.lineno for n in tree.find_all(nodes.Name) if n.name == "this")
    return ModelTemplate(source=text, calls=calls, this_lines=this_lines, _tree=tree)


def bind_vars(text: str, values: Mapping[str, object]) -> str:
    """Replace ``var('x', ...)`` by a literal for every ``x`` in ``values``.

    Used where dbt must see another value without its ``--vars``, which would make it parse the
    whole project again. The text must have passed :func:`parse_template`.
    """
    tokens = list(_positions(text))
    pieces: list[str] = []
    copied = index = 0
    while index < len(tokens):
        end = _var_call_end(tokens, index)
        name = _string(tokens[index + 2][2]) if end else ""
        if not end or name not in values:
            index += 1
            continue
        pieces.append(text[copied : tokens[index][0]])
        pieces.append(_jinja_literal(values[name]))
        copied = tokens[end][0] + len(tokens[end][2])
        index = end + 1
    return "".join([*pieces, text[copied:]])


def _positions(text: str) -> Iterator[tuple[int, str, str]]:
    """Offset, kind and text of each token; Jinja leaves out the blanks that ``-`` strips."""
    position = 0
    for _, kind, value in _environment().lex(text):
        start = text.find(value, position)
        if kind != "whitespace":
            yield start, kind, value
        position = start + len(value)


def _var_call_end(tokens: list[tuple[int, str, str]], index: int) -> int:
    """The index of the closing parenthesis of a ``var(...)`` that starts at ``index``, or 0."""
    head = [(kind, value) for _, kind, value in tokens[index : index + 3]]
    if len(head) < 3 or head[:2] != [("name", "var"), ("operator", "(")] or head[2][0] != "string":
        return 0
    depth = 0
    for end in range(index + 1, len(tokens)):
        if tokens[end][1] == "operator":
            depth += {"(": 1, ")": -1}.get(tokens[end][2], 0)
            if depth == 0:
                return end
    return 0


def _string(token: str) -> str:
    return token[1:-1]


def _jinja_literal(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool | int):
        return str(value).lower()
    return json.dumps(str(value))


class _Check:
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
            for leaf in _leaves(keyword.value):
                self.condition(leaf)
                if isinstance(leaf, nodes.Const):
                    self.config_value(keyword.key, leaf)

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


_CALL_CHECKS: Mapping[str, Callable[[_Check, Any], None]] = {
    "ref": _Check.ref,
    "source": _Check.source,
    "var": _Check.var,
    "config": _Check.config,
    "current_timestamp": _Check.nothing,
    "is_incremental": _Check.nothing,
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


def _calls(tree: nodes.Node, name: str = "") -> Iterator[Any]:
    from jinja2 import nodes

    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and name in ("", call.node.name):
            yield call


def _call_value(call: Any) -> TemplateCall:
    from jinja2 import nodes

    def literal(node: nodes.Node) -> object:
        return node.as_const() if isinstance(node, nodes.Const | nodes.Neg) else None

    name = call.node.name
    kwargs = {} if name == "config" else {k.key: literal(k.value) for k in call.kwargs}
    return TemplateCall(name, tuple(literal(a) for a in call.args), kwargs, call.lineno)


class _Evaluation:
    """Evaluates a checked tree."""

    def __init__(self, resolver: Resolver, incremental: bool) -> None:
        self.resolver = resolver
        self.incremental = incremental

    def write(self, body: list[nodes.Node], pieces: list[tuple[str, int]]) -> None:
        from jinja2 import nodes

        for node in body:
            if isinstance(node, nodes.Output):
                for part in node.nodes:
                    if isinstance(part, nodes.TemplateData):
                        pieces.append((part.data, part.lineno))
                    else:
                        pieces.append((str(self.value(part)), -part.lineno))
            elif isinstance(node, nodes.If):
                self.write(self._branch(node), pieces)

    def _branch(self, node: nodes.If) -> list[nodes.Node]:
        for candidate in (node, *node.elif_):
            if self.value(candidate.test):
                return candidate.body
        return node.else_

    def value(self, node: nodes.Node) -> Any:
        from jinja2 import nodes

        match node:
            case nodes.Const():
                return node.value
            case nodes.Name():
                return self.resolver.this()
            case nodes.Neg():
                return -self.value(node.node)
            case nodes.List() | nodes.Tuple():
                return [self.value(item) for item in node.items]
            case nodes.Dict():
                return {self.value(p.key): self.value(p.value) for p in node.items}
            case nodes.Not():
                return not self.value(node.node)
            case nodes.And():
                return self.value(node.left) and self.value(node.right)
            case nodes.Or():
                return self.value(node.left) or self.value(node.right)
            case nodes.Test():
                return self.value(node.node) is None
            case nodes.Compare():
                return self._compare(node)
            case nodes.CondExpr():
                chosen = node.expr1 if self.value(node.test) else node.expr2
                return "" if chosen is None else self.value(chosen)
            case nodes.Call():
                return self._call(node)
        raise AssertionError(f"unchecked Jinja node {node!r}")

    def _compare(self, node: nodes.Compare) -> bool:
        left = self.value(node.expr)
        for operand in node.ops:
            right = self.value(operand.expr)
            try:
                if not _COMPARISONS[operand.op](left, right):
                    return False
            except TypeError:
                return False
            left = right
        return True

    def _call(self, node: nodes.Call) -> object:
        name = getattr(node.node, "name", "")
        args = [self.value(arg) for arg in node.args]
        if name == "ref":
            return self.resolver.ref(*args)
        if name == "source":
            return self.resolver.source(*args)
        if name == "var":
            keyword = {k.key: self.value(k.value) for k in node.kwargs}
            default = args[1] if len(args) > 1 else keyword.get("default", REQUIRED)
            return self.resolver.var(args[0], default)
        if name == "is_incremental":
            return self.incremental
        if name == "current_timestamp":
            return self.resolver.current_timestamp()
        return ""  # config writes nothing


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "lteq": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "gteq": lambda a, b: a >= b,
    "in": lambda a, b: a in b,
    "notin": lambda a, b: a not in b,
}


def _joined(pieces: list[tuple[str, int]]) -> Rendered:
    """Join pieces; a negative line marks a piece whose text all stands on that one line."""
    lines: list[int] = []
    open_line = 0
    for text, line in pieces:
        parts = text.split("\n")
        for number, part in enumerate(parts):
            here = -line if line < 0 else line + number
            if part.strip() and not open_line:
                open_line = here
            if number < len(parts) - 1:
                lines.append(open_line or here)
                open_line = 0
            last = here
    if pieces:
        lines.append(open_line or last)
    return Rendered("".join(text for text, _ in pieces), tuple(lines))

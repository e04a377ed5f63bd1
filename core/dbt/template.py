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

import itertools
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from core.dbt.allowlist import Finding, TemplateCheck

if TYPE_CHECKING:
    from jinja2 import Environment, nodes


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

    def paths(self, resolver: Resolver, limit: int = 64) -> Iterator[Rendered]:
        """Every text the template can give, whatever the vars are.

        With more than ``limit`` combinations each branch appears at least once: all first
        branches, all last ones, and each other branch among the first ones.
        """
        forks = [(node, _ways(node)) for node in _forks(self._tree)]
        for incremental in (True, False):
            for chosen in _combinations([ways for _, ways in forks], limit):
                choices = {id(node): way for (node, _), way in zip(forks, chosen, strict=True)}
                pieces: list[tuple[str, int]] = []
                _Evaluation(resolver, incremental, choices).write(self._tree.body, pieces)
                yield _joined(pieces)

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
        return (
            Finding(
                error.lineno or 0, f"The Jinja cannot be read: {(error.message or '').rstrip('.')}."
            ),
        )
    except RecursionError:
        return (Finding(0, "The Jinja is nested too deeply."),)
    check = TemplateCheck()
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


def _calls(tree: nodes.Node, name: str = "") -> Iterator[Any]:
    from jinja2 import nodes

    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and name in ("", call.node.name):
            yield call


def _calls_within(node: nodes.Node, name: str) -> Iterator[Any]:
    """Like :func:`_calls`, the node itself included."""
    from jinja2 import nodes

    if (
        isinstance(node, nodes.Call)
        and isinstance(node.node, nodes.Name)
        and node.node.name == name
    ):
        yield node
    yield from _calls(node, name)


def _call_value(call: Any) -> TemplateCall:
    from jinja2 import nodes

    def literal(node: nodes.Node) -> object:
        return node.as_const() if isinstance(node, nodes.Const | nodes.Neg) else None

    name = call.node.name
    kwargs = {} if name == "config" else {k.key: literal(k.value) for k in call.kwargs}
    return TemplateCall(name, tuple(literal(a) for a in call.args), kwargs, call.lineno)


def _forks(tree: nodes.Node) -> list[nodes.If | nodes.CondExpr]:
    """The conditions that depend on vars."""
    from jinja2 import nodes

    def depends(test: nodes.Node) -> bool:
        return next(_calls_within(test, "var"), None) is not None

    found: list[nodes.If | nodes.CondExpr] = []
    for node in tree.find_all((nodes.If, nodes.CondExpr)):
        tests = [node.test, *(e.test for e in getattr(node, "elif_", []))]  # type: ignore[attr-defined]
        if any(depends(test) for test in tests):
            found.append(node)  # type: ignore[arg-type]
    return found


def _ways(node: nodes.If | nodes.CondExpr) -> int:
    from jinja2 import nodes

    return 2 + len(node.elif_) if isinstance(node, nodes.If) else 2


def _combinations(ways: list[int], limit: int) -> Iterator[tuple[int, ...]]:
    if math.prod(ways) <= limit:
        yield from itertools.product(*(range(n) for n in ways))
        return
    yield tuple(0 for _ in ways)
    yield tuple(n - 1 for n in ways)
    for index, count in enumerate(ways):
        for way in range(1, count):
            yield tuple(way if i == index else 0 for i in range(len(ways)))


class _Evaluation:
    """Evaluates a checked tree; ``choices`` forces the outcome of conditions by node."""

    def __init__(
        self,
        resolver: Resolver,
        incremental: bool,
        choices: Mapping[int, int] | None = None,
    ) -> None:
        self.resolver = resolver
        self.incremental = incremental
        self.choices = choices or {}

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
        forced = self.choices.get(id(node))
        for number, candidate in enumerate((node, *node.elif_)):
            if self.value(candidate.test) if forced is None else number == forced:
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
                forced = self.choices.get(id(node))
                first = self.value(node.test) if forced is None else forced == 0
                chosen = node.expr1 if first else node.expr2
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

"""How the procedure is called: values for its parameters that its own data can meet.

A parameter that is compared with a column, or with an expression over one
(``CONVERT(char(6), BookingDate, 112) = @ym``), takes values which that column's candidates give
there: the expression itself is evaluated, so any of them will do, not only those known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta

from core.equivalence.case import cell_text
from core.equivalence.hints import Hints
from core.equivalence.operands import operand_after, operand_before
from core.equivalence.subject import Subject, stored_columns
from core.equivalence.values import candidates
from core.interpreter import Profile, Reference
from core.tsql.lexer import tokenize
from core.tsql.nodes import CreateProcedure, Parameter
from core.tsql.parser import parse_script
from core.tsql.schema import Column, Schema, Table
from core.tsql.tokens import Token, TokenKind, unquoted
from core.tsql.types import MAX, SqlType, TypeName, UnknownTypeError, parse_type

Pool = Callable[[Table, Column], list[object]]
"""The candidate values of a column."""

CHOICES = 5
"""Ways of calling at most: each other set of values is another recording of the model."""

_FROM_DATA = 3
"""Values a parameter takes from the data it is compared with."""

_OPERATORS = frozenset({"=", "<>", "!=", "<", ">", "<=", ">=", "!<", "!>", "LIKE", "BETWEEN"})
_BOUNDARIES = """
WHERE AND OR ON WHEN NOT HAVING IF WHILE THEN ELSE END GROUP ORDER BY SELECT SET INNER
LEFT JOIN UNION EXCEPT INTERSECT BEGIN OPTION INSERT UPDATE DELETE RETURN EXISTS IN , ;
"""
_ENDS = _OPERATORS | frozenset(_BOUNDARIES.split())
_NAMES = (TokenKind.WORD, TokenKind.QUOTED)


def parameter_choices(subject: Subject, hints: Hints, pool: Pool) -> tuple[dict[str, object], ...]:
    """Up to `CHOICES` ways to call the procedure; the first takes the defaults there are.

    Values that come from an expression are added to ``hints`` for the columns that the same
    parameter is compared with, so that rows with them are drawn, too.
    """
    given = [p for p in _parameters(subject) if not p.is_output]
    if not given:
        return ({},)
    met = _met_by_data(subject, [p.name for p in given], hints, pool)
    choices: list[dict[str, object]] = [{}]
    more: list[list[dict[str, object]]] = []
    for parameter in given:
        known = met.get(parameter.name.lower(), [])
        values = _values_for(parameter, known, hints, subject.clock)
        if parameter.default is None and values:
            choices[0][parameter.name] = values[0]
            values = values[1:]
        more.append([{parameter.name: value} for value in values[:_FROM_DATA]])
    for turn in range(_FROM_DATA):
        choices += [{**choices[0], **values[turn]} for values in more if turn < len(values)]
    return tuple(choices[:CHOICES])


def _parameters(subject: Subject) -> tuple[Parameter, ...]:
    for statement in parse_script(subject.procedure_text).statements:
        if isinstance(statement, CreateProcedure):
            return tuple(statement.parameters)
    return ()


def _values_for(
    parameter: Parameter, met: list[object], hints: Hints, clock: datetime
) -> list[object]:
    try:
        type_ = parse_type(parameter.type.text)
    except UnknownTypeError:
        return []
    literals = hints.variables.get(parameter.name.lower(), [])
    column = Column(parameter.name.lstrip("@"), type_)
    found = [value for value in (_fitting(v, type_) for v in met) if value is not None]
    found = list(dict.fromkeys(found))[:_FROM_DATA]
    if type_.is_string:
        found += [] if literals or found else ["A1"]
        return [*dict.fromkeys([*literals, *found])]
    if type_.name is TypeName.BIT:
        return [1, 0]
    if type_.is_integer:
        numbers = [int(x) for x in literals if x.lstrip("-").isdigit()]
        return list(dict.fromkeys([*numbers, *found, *([] if found else [1, 30])]))
    if type_.is_datetime:
        # The days data has are around the clock's day; a leap day, and a year without one.
        days = [clock.date() - timedelta(days=n) for n in (3, 0, 40)]
        days.insert(1, clock.date().replace(year=clock.year - 1, day=28))
        if type_.name is TypeName.DATE:
            return [*dict.fromkeys([*days[:2], *found, *days[2:]])]
        moments = [datetime(d.year, d.month, d.day) for d in days]
        return [*dict.fromkeys([*moments[:2], *found, *moments[2:]])]
    return [*dict.fromkeys([*found, *candidates(column, hints, clock, is_key=False)[:2]])]


def _fitting(value: object, type_: SqlType) -> object:
    """A value of the data as an argument of that type, or ``None``."""
    if type_.is_string:
        text = str(cell_text(value)).rstrip(" ")
        limit = type_.length
        return text if limit in (None, MAX) or len(text) <= (limit or 0) else None
    if type_.is_integer:
        try:
            return int(str(value))
        except ValueError:
            return None
    if type_.is_datetime:
        if isinstance(value, datetime):
            return value.date() if type_.name is TypeName.DATE else value
        if isinstance(value, date) and type_.name is not TypeName.TIME:
            midnight = datetime(value.year, value.month, value.day)
            return value if type_.name is TypeName.DATE else midnight
        return None
    return value


# -- what a parameter is compared with ------------------------------------------------------------


def _met_by_data(
    subject: Subject, names: Iterable[str], hints: Hints, pool: Pool
) -> dict[str, list[object]]:
    """By parameter, lower case: what the expressions it is compared with give on the data."""
    wanted = {name.lower() for name in names}
    columns: dict[str, tuple[Table, Column]] = {}
    for table in subject.tables:
        for column in stored_columns(table):
            columns.setdefault(column.name.lower(), (table, column))
    derived: dict[str, list[object]] = {}
    plain: dict[str, list[str]] = {}
    for name, expression in _compared(subject.procedure_text, wanted):
        column_name = _column_name(expression)
        if column_name in columns:
            plain.setdefault(name, []).append(column_name)
            continue
        values = _evaluated(expression, columns, pool)
        derived.setdefault(name, []).extend(v for v in values if v is not None)
    for name, values in derived.items():
        for column_name in plain.get(name, ()):
            hints.texts[column_name] += [str(cell_text(v)) for v in dict.fromkeys(values)][:3]
    for name, names_ in plain.items():
        pools = [pool(*columns[column_name])[:8] for column_name in names_]
        alternating = [value for values in zip(*pools, strict=False) for value in values]
        derived.setdefault(name, []).extend(alternating)
    return derived


def _column_name(expression: Sequence[Token]) -> str:
    """The column that an expression is nothing but, lower case; empty for any other."""
    names, dots = expression[::2], expression[1::2]
    if not names or len(names) != len(dots) + 1:
        return ""
    if any(t.kind not in _NAMES for t in names) or any(t.kind is not TokenKind.DOT for t in dots):
        return ""
    return unquoted(names[-1]).lower()


def _compared(text: str, wanted: set[str]) -> Iterator[tuple[str, list[Token]]]:
    """Each parameter (lower case) with an expression that it is compared with."""
    tokens = [t for t in tokenize(text) if not t.is_trivia]
    for at, token in enumerate(tokens):
        if token.kind is not TokenKind.VARIABLE or token.text.lower() not in wanted:
            continue
        operator = at - 1
        if at >= 3 and tokens[at - 1].upper == "AND" and tokens[at - 3].upper == "BETWEEN":
            operator = at - 3
        if operator > 0 and tokens[operator].upper in _OPERATORS:
            yield token.text.lower(), operand_before(tokens, operator, _ENDS)
        if at + 1 < len(tokens) and tokens[at + 1].upper in _OPERATORS:
            yield token.text.lower(), operand_after(tokens, at + 1, _ENDS)


def _evaluated(
    expression: list[Token], columns: dict[str, tuple[Table, Column]], pool: Pool
) -> list[object]:
    """The expression on the first candidates of its columns, at which it is not NULL."""
    used: dict[str, list[object]] = {}
    parts: list[str | tuple[str, str]] = []
    at = 0
    while at < len(expression):
        token = expression[at]
        if token.kind is TokenKind.VARIABLE or token.upper == "SELECT":
            return []
        end = at
        while token.kind in _NAMES and end + 2 < len(expression):
            if expression[end + 1].kind is not TokenKind.DOT:
                break
            end += 2
        name = unquoted(expression[end]).lower() if token.kind in _NAMES else ""
        called = end + 1 < len(expression) and expression[end + 1].kind is TokenKind.OPEN
        if name in columns and not called:
            table, column = columns[name]
            used.setdefault(name, pool(table, column))
            parts.append((name, str(column.type)))
            at = end + 1
        else:
            parts.append(token.text)
            at += 1
    if not used:
        return []
    texts = [_with_values(parts, used, number) for number in range(8)]
    with Reference(Schema.of([]), (), Profile()) as reference:
        listed = ", ".join(f"{text} AS v{number}" for number, text in enumerate(texts))
        results = reference.run_script(f"SELECT {listed}")
        sets = results[-1].result_sets if results and results[-1].error is None else ()
        return list(sets[0].rows[0]) if sets and sets[0].rows else []


def _with_values(
    parts: Sequence[str | tuple[str, str]], used: dict[str, list[object]], number: int
) -> str:
    found = []
    for part in parts:
        if isinstance(part, str):
            found.append(part)
            continue
        name, type_ = part
        values = used[name]
        spelled = str(cell_text(values[number % len(values)])).replace("'", "''")
        found.append(f"CAST(N'{spelled}' AS {type_})")
    return " ".join(found)

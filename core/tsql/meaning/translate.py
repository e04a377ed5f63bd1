"""The walk from a bound T-SQL tree to the target's: what every clause and operator means.

Nothing here knows the target's functions or types (``duckdb`` does, behind ``values.Target``); here
are T-SQL's rules: which side of a comparison is converted, what CASE unifies, how text compares.
Queries are in ``queries``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlglot import exp

from core.tsql import functions
from core.tsql import types as t
from core.tsql.binding import columns_of, user_function_of, variable_name
from core.tsql.meaning import sql
from core.tsql.meaning.options import Collation, Options
from core.tsql.meaning.queries import Queries
from core.tsql.meaning.refusal import refuse
from core.tsql.meaning.values import Call, Target, Value
from core.tsql.types import SqlType, TypeName, common_type
from core.tsql.typing import call_arguments, is_predicate, type_of, unwrapped

_WHOLE_TEXT = frozenset({".", "text()[1]", "./text()[1]", "(./text())[1]", "(.)[1]", ".[1]"})
"""The XPath expressions with which people take all the text of a FOR XML fragment."""


class Translator:
    """Translates one bound statement; stateless but for its target and options."""

    def __init__(self, target: Target, options: Options) -> None:
        self.target = target
        self.options = options
        self.queries = Queries(self)

    # --- values -----------------------------------------------------------------------------------

    def value(self, node: exp.Expr) -> exp.Expr:
        """A value of the target with the T-SQL value's meaning. Raises ``Refused``."""
        rule = _VALUES.get(type(node))
        if rule is not None:
            return rule(self, node)
        if isinstance(node, exp.Query):
            return exp.Subquery(this=self.queries.query(node))
        raise refuse(node, type(node).__name__, "this expression is not supported.")

    def typed(self, node: exp.Expr) -> Value:
        """A translated value with its type."""
        return Value(self.value(node), type_of(node), node)

    def aligned(self, node: exp.Expr, to: SqlType) -> exp.Expr:
        """A translated value in the type it is combined in."""
        return self.target.align(self.typed(node), to, self.options)

    def any(self, node: exp.Expr) -> exp.Expr:
        """A value or a predicate."""
        return self.predicate(node) if is_predicate(node) else self.value(node)

    def column(self, node: exp.Expr) -> exp.Expr:
        """A column under its relation's alias."""
        assert isinstance(node, exp.Column)
        table = node.args.get("table")
        column = exp.Column(
            this=self.target.name(node.this),
            table=self.target.name(table) if isinstance(table, exp.Expr) else None,
        )
        column.meta.update(node.meta)
        return column

    def literal(self, node: exp.Expr) -> exp.Expr:
        """A literal."""
        return self.target.literal(node, type_of(node))

    def parameter(self, node: exp.Expr) -> exp.Expr:
        """A variable, as the caller says."""
        name = variable_name(node)
        if self.options.variable is None or name.startswith("@@"):
            raise refuse(node, name, "the value of this variable is not known here.")
        return self.options.variable(name, type_of(node))

    def paren(self, node: exp.Expr) -> exp.Expr:
        """Parentheses are kept where they still surround an operator."""
        inner = self.any(node.this)
        return sql.wrap(inner) if not is_predicate(node.this) else exp.Paren(this=inner)

    def arithmetic(self, node: exp.Expr) -> exp.Expr:
        """Binary operators on values."""
        left, right = self.typed(node.this), self.typed(node.expression)
        return self.target.arithmetic(node, left, right, type_of(node), self.options)

    def negation(self, node: exp.Expr) -> exp.Expr:
        """``-x``."""
        return self.target.negated(self.typed(node.this), type_of(node))

    def bit_not(self, node: exp.Expr) -> exp.Expr:
        """``~x``: of a bit the other bit."""
        inner = self.value(node.this)
        if type_of(node.this).name is TypeName.BIT:
            return sql.fn("xor", inner, 1)
        return exp.BitwiseNot(this=sql.wrap(inner))

    def case(self, node: exp.Expr) -> exp.Expr:
        """CASE: branches in their common type; a simple CASE compares like ``=``."""
        type_ = type_of(node)
        subject = node.args.get("this")
        plain = subject is not None and self._compares_plainly(subject, node)
        ifs = []
        for branch in node.args["ifs"]:
            if subject is None:
                condition = self.predicate(branch.this)
            elif plain:
                condition = self.value(branch.this)
            else:
                condition = self.comparison(exp.EQ, subject, branch.this)
            ifs.append(exp.If(this=condition, true=self.aligned(branch.args["true"], type_)))
        default = node.args.get("default")
        return exp.Case(
            this=self.value(subject) if plain and subject is not None else None,
            ifs=ifs,
            default=self.aligned(default, type_) if default is not None else None,
        )

    def _compares_plainly(self, subject: exp.Expr, node: exp.Expr) -> bool:
        type_ = type_of(subject)
        preserve = self.options.collation is Collation.PRESERVE
        for branch in node.args["ifs"]:
            other = type_of(branch.this)
            padded = type_.name in t.FIXED_STRINGS and type_.length != other.length
            if type_.is_string and other.is_string and not preserve and not padded:
                continue
            if type_.is_numeric and other.is_numeric:
                continue
            return False
        return True

    def cast(self, node: exp.Expr) -> exp.Expr:
        """CAST, CONVERT, TRY_CAST, TRY_CONVERT."""
        source = node.expression if isinstance(node, exp.Convert) else node.this
        safe = isinstance(node, exp.TryCast) or bool(
            isinstance(node, exp.Convert) and node.args.get("safe")
        )
        return self.target.convert(
            self.typed(source), type_of(node), self.options, style=self._style(node), safe=safe
        )

    def _style(self, node: exp.Expr) -> int | None:
        style = node.args.get("style")
        if isinstance(style, exp.Expr):
            number = Value(exp.Null(), t.INT, style).integer
            if number is None:
                raise refuse(node, "CONVERT style", "the style must be a literal.")
            return number
        text = node.meta.get("tsql_style")
        return int(text) if isinstance(text, str) and text.strip().isdecimal() else None

    def collate(self, node: exp.Expr) -> exp.Expr:
        """COLLATE changes how a value compares, not the value."""
        return self.value(node.this)

    def subquery(self, node: exp.Expr) -> exp.Expr:
        """A scalar subquery; the FOR XML PATH('') idiom is a string_agg."""
        if (aggregated := self.queries.for_xml_path(node.this)) is not None:
            return aggregated
        return exp.Subquery(this=self.queries.query(node.this))

    def trim(self, node: exp.Expr) -> exp.Expr:
        """``TRIM([characters FROM] text)``."""
        arguments = [node.this]
        if isinstance(characters := node.args.get("expression"), exp.Expr):
            arguments.append(characters)
        position = str(node.args.get("position") or "").upper()
        name = {"LEADING": "LTRIM", "TRAILING": "RTRIM"}.get(position, "TRIM")
        values = tuple(self.typed(argument) for argument in arguments)
        return self.target.call(Call(name, values, type_of(node), node, self.options))

    def at_time_zone(self, node: exp.Expr) -> exp.Expr:
        """``moment AT TIME ZONE 'UTC'`` of a moment without offset keeps its clock reading."""
        zone = unwrapped(node.args["zone"])
        if type_of(node.this).name is TypeName.DATETIMEOFFSET or zone.name.upper() != "UTC":
            raise refuse(node, "AT TIME ZONE", "only AT TIME ZONE 'UTC' of a datetime is exact.")
        return self.value(node.this)

    def current_user(self, node: exp.Expr) -> exp.Expr:
        """Who is connected is not a property of the data."""
        if self.options.user is None:
            raise refuse(node, "current user", "the login is not known in the target.")
        return sql.parsed(self.options.user)

    def clock(self, node: exp.Expr) -> exp.Expr:
        """CURRENT_TIMESTAMP without parentheses."""
        return self.target.clock(type_of(node), self.options)

    # --- calls ------------------------------------------------------------------------------------

    def call(self, node: exp.Expr) -> exp.Expr:
        """A built-in or user-defined function."""
        name = node.name.upper()
        if user_function_of(node) is not None:
            return self._user_call(node, node.name, node.expressions)
        if name in functions.CLOCK:
            return self.target.clock(type_of(node), self.options)
        if name == "STUFF" and (listed := self.queries.separated_list(node)) is not None:
            return listed
        if name == "IIF":
            return self._iif(node)
        if name == "NULLIF":
            return self._nullif(node)
        if name in ("PARSE", "TRY_PARSE"):
            return self._parse(node)
        return self.target.call(self.built(node))

    def built(self, node: exp.Expr) -> Call:
        """A call with its arguments translated."""
        arguments = call_arguments(node)
        part = None
        if arguments and isinstance(arguments[0], exp.Var):
            part = arguments[0].name
            arguments = arguments[1:]
        star = any(isinstance(argument, exp.Star) for argument in arguments)
        distinct = any(isinstance(argument, exp.Distinct) for argument in node.expressions)
        values = () if star else tuple(self.typed(argument) for argument in arguments)
        if distinct and values and values[0].type.is_string and self._preserves:
            values = (self._fold(values[0]), *values[1:])
        return Call(
            node.name.upper(), values, type_of(node), node, self.options, part, distinct, star
        )

    def _iif(self, node: exp.Expr) -> exp.Expr:
        condition, yes, no = node.expressions
        type_ = type_of(node)
        return sql.case(
            (self.predicate(condition), self.aligned(yes, type_)), default=self.aligned(no, type_)
        )

    def _nullif(self, node: exp.Expr) -> exp.Expr:
        first, second = node.expressions
        left, right = type_of(first), type_of(second)
        same_kind = (left.is_numeric and right.is_numeric) or left.name is right.name
        padded = t.FIXED_STRINGS & {left.name, right.name} and left.length != right.length
        if same_kind and not (left.is_string and (self._preserves or padded)):
            return sql.fn("nullif", self.value(first), self.value(second))
        equal = self.comparison(exp.EQ, first, second)
        return sql.case((equal, exp.Null()), default=self.value(first))

    def _parse(self, node: exp.Expr) -> exp.Expr:
        value = node.expressions[0]
        culture = node.expressions[2].name.lower() if len(node.expressions) > 2 else "en-us"
        if culture not in ("en-us", "en"):
            raise refuse(node, "PARSE culture", "only en-US is supported.")
        safe = node.name.upper() == "TRY_PARSE"
        return self.target.convert(self.typed(value), type_of(node), self.options, safe=safe)

    def dotted(self, node: exp.Expr) -> exp.Expr:
        """``dbo.fn(x)``; of XML only ``(SELECT … FOR XML PATH(''), TYPE).value('.', …)``."""
        if isinstance(node.this, exp.Subquery) and node.expression.name.lower() == "value":
            joined = self.queries.for_xml_path(node.this.this, escaped=False)
            path = node.expression.expressions[0].name.strip()
            if joined is not None and path in _WHOLE_TEXT:
                value = Value(joined, t.nvarchar(t.MAX), node)
                return self.target.convert(value, type_of(node), self.options)
        if user_function_of(node) is None:
            raise refuse(node, "XML method", "XML is not supported.")
        call = node.expression
        name = f"{node.this.sql()}.{call.name}"
        return self._user_call(node, name, call.expressions)

    def _user_call(self, node: exp.Expr, name: str, arguments: list[exp.Expr]) -> exp.Expr:
        if self.options.user_function is None:
            raise refuse(node, "user function", f"the body of {name} is not known here.")
        return self.options.user_function(name, [self.value(argument) for argument in arguments])

    def window(self, node: exp.Expr) -> exp.Expr:
        """A function with OVER."""
        return self.queries.window(node)

    def within_group(self, node: exp.Expr) -> exp.Expr:
        """STRING_AGG … WITHIN GROUP (ORDER BY …): the order goes into the call."""
        inner = node.this
        if inner.name.upper() != "STRING_AGG":
            raise refuse(node, inner.name.upper(), "it is supported with OVER only.")
        call = self.target.call(self.built(inner))
        assert isinstance(call, exp.Anonymous)
        order = self.queries.order_items(node.expression, None)
        last = call.expressions[-1]
        last.replace(exp.Order(this=last.copy(), expressions=order))
        return call

    # --- predicates -------------------------------------------------------------------------------

    def predicate(self, node: exp.Expr) -> exp.Expr:
        """A predicate of the target, unknown where T-SQL's is. Raises ``Refused``."""
        rule = _PREDICATES.get(type(node))
        if rule is None:
            raise refuse(node, type(node).__name__, "this condition is not supported.")
        return rule(self, node)

    def connective(self, node: exp.Expr) -> exp.Expr:
        """AND, OR."""
        return type(node)(
            this=self.predicate(node.this), expression=self.predicate(node.expression)
        )

    def negated(self, node: exp.Expr) -> exp.Expr:
        """NOT; of IS NULL it is IS NOT NULL."""
        inner = unwrapped(node.this)
        if isinstance(inner, exp.Is):
            value = sql.operand(self.value(inner.this))
            return exp.Is(this=value, expression=exp.Not(this=exp.Null()))
        return exp.Not(this=self.predicate(node.this))

    def compare(self, node: exp.Expr) -> exp.Expr:
        """A comparison operator."""
        return self.comparison(type(node), node.this, node.expression)

    def comparison(self, kind: type[exp.Expr], left: exp.Expr, right: exp.Expr) -> exp.Expr:
        """``left kind right``: the side of lower precedence converted, text folded if asked."""
        if isinstance(right, exp.Any | exp.All):
            return self._quantified(kind, left, right)
        a, b = self.pair(left, right)
        if kind in _INEQUALITIES and self._orders_texts(left, right):
            a = self.target.without_case(a)
        return kind(this=sql.operand(a), expression=sql.operand(b))

    def _orders_texts(self, *nodes: exp.Expr) -> bool:
        """Whether these are texts whose order depends on case (one without letters has none)."""
        if self._preserves or not self.options.text_order:
            return False
        values = [Value(node, type_of(node), node) for node in nodes]
        return all(v.type.is_string and v.has_letters for v in values) and not any(
            v.is_case_sensitive for v in values
        )

    def pair(self, left: exp.Expr, right: exp.Expr) -> tuple[exp.Expr, exp.Expr]:
        """Two values ready to be compared."""
        first, second = self.typed(left), self.typed(right)
        if first.type.is_string and second.type.is_string:
            return self._text_pair(first, second)
        common = common_type(first.type, second.type)
        return (
            self.target.align(first, common, self.options),
            self.target.align(second, common, self.options),
        )

    def _text_pair(self, first: Value, second: Value) -> tuple[exp.Expr, exp.Expr]:
        if not self._preserves:
            if any(
                value.text is not None and value.text.endswith(" ") for value in (first, second)
            ):
                return self._trimmed(first).tree, self._trimmed(second).tree
            return self._unpadded(first, second).tree, self._unpadded(second, first).tree
        sensitive = first.is_case_sensitive or second.is_case_sensitive
        fold = self._trimmed if sensitive else self._fold
        return fold(first).tree, fold(second).tree

    def _unpadded(self, value: Value, other: Value) -> Value:
        """A char(n) without its padding, where the other side is not padded to the same length."""
        if value.type.name not in t.FIXED_STRINGS or value.type.length == other.type.length:
            return value
        return self._trimmed(value)

    @property
    def _preserves(self) -> bool:
        return self.options.collation is Collation.PRESERVE

    def _fold(self, value: Value) -> Value:
        return Value(self.target.folded(value.tree), value.type, value.source)

    def _trimmed(self, value: Value) -> Value:
        if value.text is not None:
            return Value(sql.text(value.text.rstrip(" ")), value.type, value.source)
        return Value(sql.fn("rtrim", value.tree), value.type, value.source)

    def comparable(self, node: exp.Expr) -> exp.Expr:
        """A key for grouping, ordering and partitioning: folded text under ``preserve``."""
        value = self.typed(node)
        if value.type.is_string and self._preserves and not value.is_case_sensitive:
            return self.target.folded(value.tree)
        return value.tree

    def _quantified(self, kind: type[exp.Expr], left: exp.Expr, right: exp.Expr) -> exp.Expr:
        query = right.this
        if self._preserves and type_of(left).is_string:
            raise refuse(right, "ANY/ALL", "text is compared without case; use EXISTS.")
        inner = query.this if isinstance(query, exp.Subquery) else query
        translated = exp.Subquery(this=self.queries.query(inner))
        return kind(this=self.value(left), expression=type(right)(this=translated))

    def is_null(self, node: exp.Expr) -> exp.Expr:
        """IS NULL (IS NOT NULL is a Not around it)."""
        return exp.Is(this=sql.operand(self.value(node.this)), expression=exp.Null())

    def in_list(self, node: exp.Expr) -> exp.Expr:
        """IN with a list or a query."""
        if isinstance(query := node.args.get("query"), exp.Expr):
            return self._in_query(node, query)
        subject = type_of(node.this)
        values = list(node.expressions)
        common = subject
        for item in values:
            common = common_type(common, type_of(item))
        first = self.typed(node.this)
        items = [self.typed(item) for item in values]
        if subject.is_string and common.is_string:
            pairs = [self._text_pair(first, item) for item in items]
            # One item that is not padded like a char(n) subject takes the padding off for all.
            subjects = [pair[0] for pair in pairs if pair[0] != first.tree]
            subject_tree = subjects[0] if subjects else first.tree
            listed = [
                self._trimmed(item).tree if subjects and not self._preserves else pair[1]
                for item, pair in zip(items, pairs, strict=True)
            ]
            return exp.In(this=sql.operand(subject_tree), expressions=listed)
        if subject.is_string and not all(type_of(item).is_string for item in values):
            # Each element is compared by its own precedence: x = 1 OR x = 'a'.
            return exp.Paren(
                this=exp.or_(*(self.comparison(exp.EQ, node.this, item) for item in values))
            )
        return exp.In(
            this=sql.operand(self.target.align(first, common, self.options)),
            expressions=[self.target.align(item, common, self.options) for item in items],
        )

    def _in_query(self, node: exp.Expr, query: exp.Expr) -> exp.Expr:
        inner = query.this if isinstance(query, exp.Subquery) else query
        left, right = type_of(node.this), columns_of(inner)[0].type
        common = common_type(left, right)
        subject = self.typed(node.this)
        translated = self.queries.query(inner, cast_to=[common])
        tree = self.target.align(subject, common, self.options)
        if left.is_string and right.is_string and self._preserves:
            tree = self.target.folded(subject.tree)
            translated = self.queries.wrapped_projection(translated, inner, self.target.folded)
        elif left.is_string and right.is_string and left.length != right.length:
            if left.name in t.FIXED_STRINGS:
                tree = self._trimmed(subject).tree
            if right.name in t.FIXED_STRINGS:
                translated = self.queries.wrapped_projection(
                    translated, inner, lambda column: sql.fn("rtrim", column)
                )
        return exp.In(this=sql.operand(tree), query=exp.Subquery(this=translated))

    def between(self, node: exp.Expr) -> exp.Expr:
        """BETWEEN: as two comparisons would."""
        low, high = node.args["low"], node.args["high"]
        subject, first = self.pair(node.this, low)
        again, last = self.pair(node.this, high)
        if self._orders_texts(node.this, low) or self._orders_texts(node.this, high):
            subject = self.target.without_case(subject)
            again = self.target.without_case(again)
        if subject == again:
            return exp.Between(
                this=sql.operand(subject), low=sql.operand(first), high=sql.operand(last)
            )
        return exp.Paren(
            this=exp.and_(
                exp.GTE(this=sql.operand(subject), expression=sql.operand(first)),
                exp.LTE(this=sql.operand(again), expression=sql.operand(last)),
            )
        )

    def like(self, node: exp.Expr) -> exp.Expr:
        """LIKE, with or without ESCAPE."""
        escape = None
        if isinstance(node, exp.Escape):
            escape = unwrapped(node.expression).name
            node = node.this
        return self.target.like(
            self.typed(node.this), self.typed(node.expression), escape, self.options
        )

    def exists(self, node: exp.Expr) -> exp.Expr:
        """EXISTS: the columns do not matter."""
        return exp.Exists(this=self.queries.existence(node.this))

    def predicate_paren(self, node: exp.Expr) -> exp.Expr:
        """A predicate in parentheses."""
        return exp.Paren(this=self.predicate(node.this))


_INEQUALITIES = (exp.LT, exp.LTE, exp.GT, exp.GTE)

_VALUES: Mapping[type[exp.Expr], Callable[[Translator, exp.Expr], exp.Expr]] = {
    exp.Column: Translator.column,
    exp.Literal: Translator.literal,
    exp.National: Translator.literal,
    exp.HexString: Translator.literal,
    exp.Null: Translator.literal,
    exp.Parameter: Translator.parameter,
    exp.Paren: Translator.paren,
    exp.Add: Translator.arithmetic,
    exp.Sub: Translator.arithmetic,
    exp.Mul: Translator.arithmetic,
    exp.Div: Translator.arithmetic,
    exp.Mod: Translator.arithmetic,
    exp.BitwiseAnd: Translator.arithmetic,
    exp.BitwiseOr: Translator.arithmetic,
    exp.BitwiseXor: Translator.arithmetic,
    exp.Neg: Translator.negation,
    exp.BitwiseNot: Translator.bit_not,
    exp.Case: Translator.case,
    exp.Cast: Translator.cast,
    exp.TryCast: Translator.cast,
    exp.Convert: Translator.cast,
    exp.Collate: Translator.collate,
    exp.Subquery: Translator.subquery,
    exp.Trim: Translator.trim,
    exp.AtTimeZone: Translator.at_time_zone,
    exp.CurrentUser: Translator.current_user,
    exp.SessionUser: Translator.current_user,
    exp.CurrentTimestamp: Translator.clock,
    exp.CurrentDate: Translator.clock,
    exp.Anonymous: Translator.call,
    exp.Dot: Translator.dotted,
    exp.Window: Translator.window,
    exp.WithinGroup: Translator.within_group,
}

_PREDICATES: Mapping[type[exp.Expr], Callable[[Translator, exp.Expr], exp.Expr]] = {
    exp.And: Translator.connective,
    exp.Or: Translator.connective,
    exp.Not: Translator.negated,
    exp.Paren: Translator.predicate_paren,
    exp.EQ: Translator.compare,
    exp.NEQ: Translator.compare,
    exp.GT: Translator.compare,
    exp.GTE: Translator.compare,
    exp.LT: Translator.compare,
    exp.LTE: Translator.compare,
    exp.NullSafeEQ: Translator.compare,
    exp.NullSafeNEQ: Translator.compare,
    exp.Is: Translator.is_null,
    exp.In: Translator.in_list,
    exp.Between: Translator.between,
    exp.Like: Translator.like,
    exp.Escape: Translator.like,
    exp.Exists: Translator.exists,
}

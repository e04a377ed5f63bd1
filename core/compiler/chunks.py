"""Loops in chunks: ``DELETE TOP (n)``, ``UPDATE TOP (n)``, ``INSERT … SELECT TOP (n)`` until done.

Every turn takes n of the rows that qualify, and a row that was taken does not qualify again. So
the loop is one statement: without TOP when it goes on until no row is left, with TOP (k * n) when
it stops after k turns. The last chunk is the one that is not full, so ``IF @@ROWCOUNT < n BREAK``
and ``IF @@ROWCOUNT = 0 BREAK`` end at the same rows.

Everything else in the body may count, wait and log; whatever may change what qualifies, or when
the loop stops, is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sqlglot import exp

from core.compiler import data, jumps, routines, trees
from core.compiler.bodies import IDLE, steps
from core.compiler.chunk_rows import Chunk
from core.compiler.effects import effects_of
from core.compiler.fold import NotConstant, fold, integer_of, truth
from core.compiler.keys import conjuncts
from core.compiler.result import Refused
from core.compiler.state import State
from core.compiler.variables import lookup, variable_name
from core.compiler.variables_exec import closed
from core.tsql import nodes
from core.tsql import types as t
from core.tsql.errors import LeafError
from core.tsql.leaves import ParsedLeaf

if TYPE_CHECKING:
    from core.compiler.executor import Executor

_QUIET = (*IDLE, nodes.IndexStatement)


def chunk_of(ex: Executor, node: nodes.While, state: State) -> Chunk | None:
    """The one statement of a loop that takes rows by chunks, or None."""
    found: list[Chunk] = []
    for statement in steps(node.body):
        if isinstance(statement, nodes.Leaf) and isinstance(statement.parsed, ParsedLeaf):
            chunk = Chunk.of(ex, statement, statement.parsed, state)
            if chunk is not None:
                found.append(chunk)
    return found[0] if len(found) == 1 else None


def run(ex: Executor, node: nodes.While, chunk: Chunk, state: State) -> None:
    """Apply a loop in chunks as one statement. Raises `Refused`."""
    loop = _Loop(ex, node, chunk, state)
    loop.read()
    loop.apply()


@dataclass
class _Loop:
    """What is known about the variables of the loop while its body is read in order.

    `counts` hold the size of this turn's chunk, `totals` the rows so far, `turns` the number of
    this turn; `fresh`: ``@@ROWCOUNT`` is the chunk's. `limits` are numbers of turns after which
    the loop stops; `ends`: it stops when no row is left.
    """

    ex: Executor
    node: nodes.While
    chunk: Chunk
    state: State
    counts: set[str] = field(default_factory=set)
    totals: set[str] = field(default_factory=set)
    turns: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)
    flags: dict[str, exp.Expr] = field(default_factory=dict)
    limits: list[exp.Expr] = field(default_factory=list)
    logs: list[nodes.Statement] = field(default_factory=list)
    fresh: bool = False
    ends: bool = False
    seen: bool = False

    # --- reading the body ---------------------------------------------------------------------

    def read(self) -> None:
        for statement in steps(self.node.body):
            self._step(statement)
        condition = self.node.condition.parsed
        if isinstance(condition, LeafError):
            raise Refused(condition.reason, condition.construct)
        self._goes_on(condition.tree)
        if not self.ends and not self.limits:
            raise Refused("a loop in chunks that may stop before no row is left", "WHILE")
        if self.flags.keys() & (self.counts | self.totals | self.turns | self.others):
            raise Refused("a flag that ends a loop is set in two ways", "WHILE")
        assigned = self.counts | self.totals | self.turns | self.others | self.flags.keys()
        read = self.chunk.variables()
        for limit in self.limits:
            read |= {variable_name(p) or "" for p in limit.find_all(exp.Parameter)}
        if read & (assigned | {"@@rowcount"}):
            raise Refused("a chunk that depends on a variable of the loop", "WHILE")

    def _step(self, statement: nodes.Statement) -> None:
        match statement:
            case nodes.Leaf() if statement is self.chunk.leaf:
                self.seen = self.fresh = True
                self.counts.clear()
                return
            case nodes.SetVariable():
                tree = _tree(statement.value)
                self._assign(statement.name.lower(), statement.operator, tree)
            case nodes.SelectAssign() if isinstance(statement.leaf.parsed, ParsedLeaf):
                query = statement.leaf.parsed.query
                if isinstance(query, exp.Select) and query.args.get("from_") is not None:
                    self._forget(statement)
                else:
                    for part in statement.leaf.parsed.assignments:
                        self._assign((part.variable or "").lower(), part.operator, part.value)
            case nodes.Declare():
                for variable in statement.variables:
                    if variable.value is not None:
                        self._assign(variable.name.lower(), "=", _tree(variable.value))
            case nodes.If():
                self._if(statement)
            case _ if isinstance(statement, _QUIET):
                pass
            case _:
                self._other(statement)
        self.fresh = False

    def _forget(self, statement: nodes.Statement) -> None:
        for name in effects_of([statement]).variables:
            self._assign(name, "=", exp.Null())

    def _assign(self, name: str, operator: str, value: exp.Expr | None) -> None:
        tree = trees.unwrapped(value) if value is not None else exp.Null()
        if operator == "=" and self._is_count(tree):
            kinds = self.counts
        elif (added := _added(name, operator, tree)) is not None:
            kinds = self.totals if self._is_count(added) else self.turns
            if kinds is self.turns and added.sql() != "1":
                kinds = self.others
        else:
            kinds = self.others
        if any(name in kind for kind in self._kinds() if kind is not kinds):
            raise Refused(f"{name} is counted in two ways in a loop", "WHILE")
        if kinds is not self.counts and name in kinds and kinds is not self.others:
            raise Refused(f"{name} is counted twice in a loop", "WHILE")
        kinds.add(name)

    def _kinds(self) -> tuple[set[str], ...]:
        return (self.counts, self.totals, self.turns, self.others)

    def _is_count(self, tree: exp.Expr) -> bool:
        name = variable_name(trees.unwrapped(tree))
        if name in ("@@rowcount",):
            return self.fresh
        if isinstance(tree, exp.Anonymous) and tree.name.upper() == "ROWCOUNT_BIG":
            return self.fresh
        return self.seen and name in self.counts

    def _if(self, node: nodes.If) -> None:
        inner = [s for s in steps(node.then) if not isinstance(s, _QUIET)]
        tree = _tree(node.condition)
        jumps_out = jumps.leaves([node.then, *([node.otherwise] if node.otherwise else [])])
        if node.otherwise is None and inner and isinstance(inner[-1], nodes.Break):
            if len(inner) > 1 or tree is None:
                raise Refused("a loop in chunks that ends in more than BREAK", "WHILE")
            self._stops(tree)
            return
        if jumps_out:
            raise Refused("a loop in chunks that is left in another way", "WHILE")
        flag = inner[0] if len(inner) == 1 else None
        if isinstance(flag, nodes.SetVariable) and tree is not None and flag.operator == "=":
            value = _tree(flag.value)
            name = flag.name.lower()
            if value is not None and _is_constant(value) and self._falsifies(name, value):
                self._stops(tree)
                self.flags[name] = value
                inner = []
        for statement in [*inner, *(steps(node.otherwise) if node.otherwise else ())]:
            if isinstance(statement, nodes.SetVariable | nodes.SelectAssign | nodes.Declare):
                self._forget(statement)
            elif not isinstance(statement, _QUIET):
                self._step(statement)

    def _falsifies(self, name: str, value: exp.Expr) -> bool:
        """Whether a flag with this value ends the loop."""
        tree = _tree(self.node.condition)
        for part in conjuncts(tree) if tree is not None else []:
            new = part.copy()
            found = [p for p in new.find_all(exp.Parameter) if variable_name(p) == name]
            if not found or len(list(new.find_all(exp.Parameter))) != len(found):
                continue
            for parameter in found:
                parameter.replace(value.copy())
            if truth(exp.Not(this=new)) is True:
                return True
        return False

    def _other(self, statement: nodes.Statement) -> None:
        """A statement beside the chunk: it must not touch what the chunk reads or writes."""
        touched = self._touched([statement])
        if touched is None or jumps.leaves([statement]):
            raise Refused(
                "a loop in chunks that does more than count", "WHILE", self.ex.line(statement)
            )
        if touched & self.chunk.tables():
            raise Refused(
                "a loop in chunks that changes its own rows", "WHILE", self.ex.line(statement)
            )
        self._forget(statement)
        self.logs.append(statement)

    def _touched(self, statements: Sequence[nodes.Statement], depth: int = 0) -> set[str] | None:
        """The tables statements and the procedures they call may write, None when unknown."""
        effects = effects_of(statements, self.ex.is_harmless)
        if effects.everything is not None or depth > 4:
            return None
        found = {self.ex.tables.key(name) for name in effects.tables}
        for call in effects.calls:
            if not routines.is_known(self.ex, call):
                return None
            for body in routines.bodies(self.ex, call):
                inner = self._touched(body, depth + 1)
                if inner is None:
                    return None
                found |= inner
        return found

    # --- when it stops ------------------------------------------------------------------------

    def _stops(self, tree: exp.Expr) -> None:
        """The loop stops when this condition holds behind the chunk."""
        if not self.seen:
            raise Refused("a loop in chunks that stops before its first chunk", "WHILE")
        tree = trees.unwrapped(tree)
        if isinstance(tree, exp.Or):
            self._stops(tree.this)
            self._stops(tree.expression)
            return
        if isinstance(tree, exp.Not) and isinstance(trees.unwrapped(tree.this), exp.Exists):
            self._goes_on(tree.this)
            return
        compared = _compared(tree)
        if compared is None or not self._stop(*compared):
            raise Refused("it is not understood when a loop in chunks stops", "WHILE")

    def _goes_on(self, tree: exp.Expr) -> None:
        """The loop goes on as long as this condition holds."""
        tree = trees.unwrapped(tree)
        if truth(tree) is True:
            return
        if isinstance(tree, exp.And):
            self._goes_on(tree.this)
            self._goes_on(tree.expression)
            return
        if isinstance(tree, exp.Exists) and self.chunk.same_rows(tree.this):
            self.ends = True
            return
        compared = _compared(tree)
        if compared is not None:
            kind, left, right = compared
            if variable_name(left) in self.flags:
                return
            if kind is exp.GT and right.sql() == "0" and self.chunk.counts_rows(left):
                self.ends = True
                return
            if kind in trees.OPPOSITE and self._stop(trees.OPPOSITE[kind], left, right):
                return
        raise Refused("the condition of a loop in chunks is not understood", "WHILE")

    def _stop(self, kind: type[exp.Expr], left: exp.Expr, right: exp.Expr) -> bool:
        name = variable_name(left)
        if self._is_count(left):
            self.ends = self.ends or self._tells_the_last(kind, right)
            return self._tells_the_last(kind, right)
        if kind not in (exp.GT, exp.GTE, exp.EQ) or not self._is_fixed(right):
            return False
        if name in self.totals and kind is not exp.EQ:
            self._starts_at_zero(name)
            self.limits.append(self._turns_of_rows(kind, right))
            return True
        if name in self.turns:
            first = self._start(name or "")
            last = exp.Sub(this=exp.Paren(this=right.copy()), expression=exp.Literal.number(first))
            more: exp.Expr = last
            if kind is exp.EQ and (integer_of(last) or 0) <= 0:
                return False
            if kind is exp.GT:
                more = exp.Add(this=exp.Paren(this=last), expression=trees.one())
            self.limits.append(more)
            return True
        return False

    def _tells_the_last(self, kind: type[exp.Expr], right: exp.Expr) -> bool:
        """Whether ``count <kind> right`` holds exactly for a chunk after which nothing is left."""
        zero = (kind in (exp.EQ, exp.LTE) and right.sql() == "0") or (
            kind is exp.LT and right.sql() == "1"
        )
        if zero:
            return True
        size = self.chunk.size
        if kind in (exp.LT, exp.NEQ) and trees.text(right) == trees.text(size):
            return True
        wanted, full = integer_of(right), integer_of(size)
        return kind is exp.LT and wanted is not None and full is not None and 0 < wanted <= full

    def _is_fixed(self, tree: exp.Expr) -> bool:
        assigned = self.counts | self.totals | self.turns | self.others
        names = {variable_name(p) for p in tree.find_all(exp.Parameter)}
        return not names & assigned and tree.find(exp.Select) is None

    def _start(self, name: str) -> int:
        value = lookup(self.state, name, self.ex.line(self.node))
        first = integer_of(value.expression) if value.expression is not None else None
        if first is None:
            raise Refused(f"the first value of {name} is not known", "WHILE")
        return first

    def _starts_at_zero(self, name: str | None) -> None:
        if self._start(name or "") != 0:
            raise Refused(f"{name} does not start at 0", "WHILE")

    def _turns_of_rows(self, kind: type[exp.Expr], rows: exp.Expr) -> exp.Expr:
        """After how many full chunks the total is above (or at) a number of rows."""
        size = trees.call("NULLIF", self._wide(self.chunk.size), exp.Literal.number(0))
        whole = exp.Paren(this=self._wide(rows))
        if kind is exp.GTE:
            whole = exp.Paren(this=exp.Sub(this=whole, expression=trees.one()))
        turns = exp.Add(this=exp.Div(this=whole, expression=size), expression=trees.one())
        if (integer_of(rows) or 0) > 0:
            return turns
        some = exp.GT(this=self._wide(rows), expression=exp.Literal.number(0))
        return exp.Case(ifs=[exp.If(this=some, true=turns)], default=trees.one())

    def _wide(self, tree: exp.Expr) -> exp.Expr:
        return trees.cast(tree.copy(), t.BIGINT)

    # --- applying it ----------------------------------------------------------------------------

    def apply(self) -> None:
        if len(self.limits) > 1:
            raise Refused("a loop in chunks with several limits", "WHILE")
        limit: exp.Expr | None = None
        if self.limits:
            turns = exp.Paren(this=self._at_least_one(self.limits[0]))
            limit = exp.Mul(this=turns, expression=self._wide(self.chunk.size))
        guard = self._begins()
        parsed = self.chunk.whole(limit)
        if guard is not None and isinstance(parsed.query, exp.Select):
            where = parsed.query.args.get("where")
            both = trees.all_of([where.this.copy() if where is not None else None, guard])
            parsed = replace(parsed, query=parsed.query.copy())
            assert parsed.query is not None
            parsed.query.set("where", exp.Where(this=both))
            guard = None
        before, self.ex.guard = self.ex.guard, trees.all_of([self.ex.guard, guard])
        try:
            data.apply(self.ex, parsed, self.chunk.leaf, self.state)
        finally:
            self.ex.guard = before
        why = Refused("what a loop writes turn by turn", "WHILE").at(self.ex.line(self.node))
        self.ex.poison(self.logs, self.state, why)

    def _at_least_one(self, turns: exp.Expr) -> exp.Expr:
        """The body runs once before it is asked whether to stop."""
        known = integer_of(turns)
        if known is not None:
            return exp.Literal.number(max(known, 1))
        wide = self._wide(turns)
        some = exp.GT(this=wide, expression=trees.one())
        return exp.Case(ifs=[exp.If(this=some, true=wide.copy())], default=trees.one())

    def _begins(self) -> exp.Expr | None:
        """The condition under which the loop begins at all, None when it always does or when its
        first chunk is empty otherwise.
        """
        tree = _tree(self.node.condition)
        assert tree is not None
        parts: list[exp.Expr] = []
        for part in conjuncts(tree):
            if isinstance(part, exp.Exists):
                continue
            compared = _compared(part)
            if compared is not None and self.chunk.counts_rows(compared[1]):
                continue
            context = self.ex.context(self.node, self.state)
            part = closed(self.ex, part, context, "condition")
            if truth(part) is not True:
                parts.append(part)
        return trees.all_of(parts)


def _tree(value: nodes.Expr | None) -> exp.Expr | None:
    parsed = value.parsed if value is not None else None
    return None if parsed is None or isinstance(parsed, LeafError) else trees.unwrapped(parsed.tree)


def _compared(tree: exp.Expr) -> tuple[type[exp.Expr], exp.Expr, exp.Expr] | None:
    """A comparison with its variable (or count) on the left."""
    if type(tree) not in trees.MIRRORED:
        return None
    left, right = trees.unwrapped(tree.this), trees.unwrapped(tree.expression)
    if isinstance(right, exp.Parameter | exp.Subquery) and isinstance(left, exp.Literal):
        return trees.MIRRORED[type(tree)], right, left
    return type(tree), left, right


def _added(name: str, operator: str, tree: exp.Expr) -> exp.Expr | None:
    """What is added to a variable by ``SET @v += x`` or ``SET @v = @v + x``."""
    if operator == "+=":
        return tree
    if operator != "=" or not isinstance(tree, exp.Add):
        return None
    one, other = trees.unwrapped(tree.this), trees.unwrapped(tree.expression)
    if variable_name(one) == name:
        return other
    return one if variable_name(other) == name else None


def _is_constant(tree: exp.Expr) -> bool:
    try:
        fold(tree)
    except NotConstant:
        return False
    return True

"""A leaf statement as one sqlglot tree, put together from its parts.

Built only when somebody asks for ``ParsedLeaf.tree``; the parts are copied, so the tree may be
changed.
"""

from __future__ import annotations

from sqlglot import exp

from core.tsql.leaves import Assignment, Merge, MergeAction, MergeMatch, MergeWhen, ParsedLeaf
from core.tsql.nodes import LeafKind


def tree_of(leaf: ParsedLeaf) -> exp.Expr:
    """The statement: a Select, SetOperation, Insert, Update, Delete, Merge or TruncateTable."""
    match leaf.kind:
        case LeafKind.INSERT:
            return _insert(leaf)
        case LeafKind.UPDATE:
            return _update(leaf)
        case LeafKind.DELETE:
            return _delete(leaf)
        case LeafKind.MERGE:
            return _merge(leaf)
        case LeafKind.TRUNCATE:
            return exp.TruncateTable(expressions=[_target(leaf)])
        case _:
            return _select(leaf)


def _copy(node: exp.Expr | None) -> exp.Expr | None:
    return node.copy() if node is not None else None


def _target(leaf: ParsedLeaf) -> exp.Table:
    assert leaf.target is not None
    return leaf.target.table.copy()


def _clause(leaf: ParsedLeaf, name: str) -> exp.Expr | None:
    return _copy(leaf.query.args.get(name)) if leaf.query is not None else None


def _select(leaf: ParsedLeaf) -> exp.Expr:
    assert leaf.query is not None
    tree = leaf.query.copy()
    if leaf.target is not None:
        first: exp.Expr = tree
        while isinstance(first, exp.SetOperation):
            first = first.this
        first.set("into", exp.Into(this=_target(leaf)))
    return tree


def _insert(leaf: ParsedLeaf) -> exp.Insert:
    into: exp.Expr = _target(leaf)
    columns = leaf.target.columns if leaf.target is not None else ()
    if columns:
        names = [exp.to_identifier(name, quoted=True) for name in columns]
        into = exp.Schema(this=into, expressions=names)
    return exp.Insert(this=into, expression=_copy(leaf.query), default=leaf.query is None)


def _sets(assignments: tuple[Assignment, ...]) -> list[exp.Expr]:
    return [
        exp.EQ(this=item.column.copy(), expression=item.value.copy())
        for item in assignments
        if item.column is not None
    ]


def _update(leaf: ParsedLeaf) -> exp.Update:
    return exp.Update(
        this=_target(leaf),
        expressions=_sets(leaf.assignments),
        from_=_clause(leaf, "from_"),
        where=_clause(leaf, "where"),
        with_=_clause(leaf, "with_"),
    )


def _delete(leaf: ParsedLeaf) -> exp.Delete:
    source = _clause(leaf, "from_")
    return exp.Delete(
        this=_target(leaf),
        using=[source.this] if source is not None else None,
        where=_clause(leaf, "where"),
        with_=_clause(leaf, "with_"),
    )


def _merge(leaf: ParsedLeaf) -> exp.Merge:
    body: Merge | None = leaf.merge
    assert body is not None
    table = _target(leaf)
    if leaf.target is not None and leaf.target.alias:
        table.set("alias", exp.TableAlias(this=exp.to_identifier(leaf.target.alias)))
    return exp.Merge(
        this=table,
        using=body.source.copy(),
        on=body.on.copy(),
        whens=exp.Whens(expressions=[_when(when) for when in body.whens]),
        with_=_copy(leaf.ctes),
    )


def _when(when: MergeWhen) -> exp.When:
    if when.action is MergeAction.DELETE:
        then: exp.Expr = exp.Var(this="DELETE")
    elif when.action is MergeAction.UPDATE:
        then = exp.Update(expressions=_sets(when.assignments))
    else:
        then = exp.Insert(
            this=exp.Tuple(expressions=[exp.column(name, quoted=True) for name in when.columns]),
            expression=exp.Tuple(expressions=[value.copy() for value in when.values]),
        )
    return exp.When(
        matched=when.match is MergeMatch.MATCHED,
        source=when.match is MergeMatch.NOT_MATCHED_BY_SOURCE,
        condition=_copy(when.condition),
        then=then,
    )

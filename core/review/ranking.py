"""Which rows of a ranking are kept: ``where rn = 1`` over ``row_number() over (…) as rn``.

A rank has no base column, so that its filters are no ordinary predicates: what they mean is the
window they look at and an interval of ranks. Ranks begin at 1, so ``rn = 1``, ``rn <= 1`` and
``rn < 2`` say the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from sqlglot import exp

from core.project.codes import Code
from core.review.predicates import bare, conjuncts, constant_text
from core.review.shape import RankFilter, Shape, Window
from core.review.verdict import Issue
from core.tsql.leaves import line_of

RANKS = frozenset({"row_number", "rank", "dense_rank"})
"""Functions that number rows from 1."""

_FLIPPED: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.GT: exp.LT,
    exp.LT: exp.GT,
    exp.GTE: exp.LTE,
    exp.LTE: exp.GTE,
}

Ranked = Callable[[exp.Expr], Window | None]
"""The ranking window an expression shows; ``None`` where it is no plain rank."""


def rank_filter(atom: exp.Expr, negated: bool, ranked: Ranked) -> RankFilter | None:
    """What an atomic condition keeps of a ranking; ``None`` when it is not about one."""
    if isinstance(atom, exp.Between):
        window = ranked(bare(atom.this))
        low, high = _whole(atom.args["low"]), _whole(atom.args["high"])
        if window is None:
            return None
        kept = None if low is None or high is None else (max(low, 1), high)
        return _filter(atom, window, kept, negated)
    if not isinstance(atom, exp.EQ | exp.NEQ | exp.GT | exp.GTE | exp.LT | exp.LTE):
        return None
    kind: type[exp.Expr] = type(atom)
    window, other = ranked(bare(atom.this)), atom.expression
    if window is None:
        window, other = ranked(bare(atom.expression)), atom.this
        kind = _FLIPPED.get(kind, kind)
    if window is None:
        return None
    number = _whole(other)
    if number is None:
        return _filter(atom, window, None, negated)
    intervals: dict[type[exp.Expr], tuple[int, int | None]] = {
        exp.EQ: (number, number),
        exp.NEQ: (number, number),
        exp.GT: (number + 1, None),
        exp.GTE: (number, None),
        exp.LT: (1, number - 1),
        exp.LTE: (1, number),
    }
    low_rank, high_rank = intervals[kind]
    return _filter(atom, window, (max(low_rank, 1), high_rank), negated ^ (kind is exp.NEQ))


def _filter(
    atom: exp.Expr, window: Window, kept: tuple[int, int | None] | None, negated: bool
) -> RankFilter:
    if negated and kept is not None:
        kept, negated = _complement(kept)
    return RankFilter(window, kept, negated, line_of(atom), atom.sql()[:160])


def _complement(kept: tuple[int, int | None]) -> tuple[tuple[int, int | None], bool]:
    """Every other rank, as an interval where it is one."""
    low, high = kept
    if low == 1 and high is not None:
        return (high + 1, None), False
    if high is None and low > 1:
        return (1, low - 1), False
    return kept, True


def what_stays(shape: Shape, condition: exp.Expr | None) -> list[RankFilter]:
    """What is kept of a ranking by a DELETE under ``condition``, if it says nothing else."""
    if len(list(conjuncts(condition))) != 1 or len(shape.rank_filters) != 1:
        return []
    dropped = shape.rank_filters[0]
    if dropped.kept is None or dropped.outside:
        return [replace(dropped, outside=False)]
    kept, outside = _complement(dropped.kept)
    return [replace(dropped, kept=kept, outside=outside)]


def _whole(node: exp.Expr) -> int | None:
    text = constant_text(bare(node))
    try:
        return None if text is None else int(text)
    except ValueError:
        return None


def ranking_issues(
    required: Shape, others: Sequence[Shape], model: Shape, line: Callable[[int], int]
) -> Iterator[Issue]:
    """Rankings of which the model keeps other rows than the procedure.

    Only rankings that both have are compared; one that is missing is a finding of its own. A
    filter in ``others`` (what a DELETE drops, say) is not asked of the model, only known.
    """
    for wanted in _first_of_each(required.rank_filters):
        window = wanted.window
        ranked = window.is_traced and any(window.is_kept_by(w) for w in model.windows)
        if wanted.kept is None or not ranked:
            continue
        given = [f for f in model.rank_filters if window.is_kept_by(f.window)]
        if any(wanted.agrees_with(f) for f in given):
            continue
        yield _issue(wanted, given[0] if given else None, line)
    known = [f for side in (required, *others) for f in side.rank_filters]
    for added in _first_of_each(model.rank_filters):
        shown = [w for w in required.windows if w.is_traced and w.is_kept_by(added.window)]
        if shown and not any(f.window.is_kept_by(added.window) for f in known):
            yield Issue(
                code=Code.FILTER_MISMATCH,
                message=(
                    f"The model filters by {added.text}, "
                    "the procedure keeps every row of this ranking."
                ),
                model_line=line(added.line),
                procedure_line=shown[0].line,
                evidence=added.text,
                fix="Remove the filter: rows the procedure keeps must not be dropped.",
            )


def _first_of_each(filters: Sequence[RankFilter]) -> list[RankFilter]:
    seen: dict[object, RankFilter] = {}
    for f in filters:
        w = f.window
        seen.setdefault((w.function, w.partition, w.order, f.kept, f.outside), f)
    return list(seen.values())


def _issue(wanted: RankFilter, given: RankFilter | None, line: Callable[[int], int]) -> Issue:
    of = f"of {wanted.window.text}"
    if given is None:
        message = f"The procedure keeps only rows with {wanted.text} {of}, the model keeps all."
    else:
        message = f"The procedure keeps {wanted.text} {of}, the model keeps {given.text}."
    return Issue(
        code=Code.FILTER_MISMATCH,
        message=message,
        model_line=line(given.line) if given else 0,
        procedure_line=wanted.line,
        evidence=given.text if given else wanted.text,
        fix=f"Keep the rows with {wanted.text}.",
    )

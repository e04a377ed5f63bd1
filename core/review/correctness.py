"""Does the model say what the procedure says? Compares the two shapes, fact by fact.

Only facts that were traced with certainty make a finding. Where the procedure has parts that
cannot be seen here (dynamic SQL, a cursor, another procedure), nothing is called superfluous.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from core.dbt.facts import ModelFacts
from core.project.catalog import CatalogTable
from core.project.codes import Code, Severity
from core.review.model_shape import ModelShape
from core.review.procedure_shape import ProcedureShape
from core.review.ranking import ranking_issues
from core.review.shape import JoinKey, JoinKind, Lineage, Predicate, Shape
from core.review.verdict import Issue

_STRONG = (JoinKind.INNER, JoinKind.LEFT, JoinKind.FULL, JoinKind.SEMI, JoinKind.ANTI)
_RANKING = frozenset({"row_number", "rank", "dense_rank", "ntile", "lead", "lag"})
_ORDERED = frozenset({"gt", "gte", "lt", "lte"})
_MATCHING = frozenset({"eq", "neq", "same", "differs"})


@dataclass(frozen=True)
class Comparison:
    """Everything a comparison looks at."""

    procedure: ProcedureShape
    model: ModelShape
    facts: ModelFacts
    table: CatalogTable
    target: str

    @property
    def everything_seen(self) -> bool:
        """Whether the procedure's reads and writes are all visible.

        An UNPIVOT multiplies rows in a way that a model spells as a union of its own.
        """
        return not self.procedure.not_judged and not self.procedure.required.pivots


def correctness_issues(comparison: Comparison) -> list[Issue]:
    """All findings about the translation, in the order tables, columns, joins, filters, grain."""
    parts: tuple[Callable[[Comparison], Iterator[Issue]], ...] = (
        table_issues,
        column_issues,
        join_issues,
        filter_issues,
        grain_issues,
    )
    return [issue for part in parts for issue in part(comparison)]


# --- tables ---------------------------------------------------------------------------------


def table_issues(c: Comparison) -> Iterator[Issue]:
    """Tables the procedure reads and the model does not, and the other way round."""
    required = {**c.procedure.lenient.tables, **c.procedure.required.tables}
    read = c.model.shape.tables
    for table, line in required.items():
        if table == c.target or table in read or table in c.procedure.allowed.tables:
            continue
        yield Issue(
            code=Code.MISSING_SOURCE_TABLE,
            message=f"The procedure reads {table}, the model does not.",
            procedure_line=line,
            evidence=table,
            fix=f"Import {table} in a CTE of its own and use it as the procedure does.",
        )
    if not c.everything_seen:
        return
    known = {*required, *c.procedure.allowed.tables, c.target}
    for table, line in c.model.shape.tables.items():
        if table not in known:
            yield Issue(
                code=Code.MISSING_SOURCE_TABLE,
                message=f"The model reads {table}, which the procedure does not read.",
                model_line=c.model.line(line),
                evidence=table,
                fix=f"Read what the procedure reads instead of {table}.",
            )


# --- columns --------------------------------------------------------------------------------


def column_issues(c: Comparison) -> Iterator[Issue]:
    """Columns the procedure fills that the model does not return, or fills from elsewhere."""
    if c.model.is_open or not c.facts.columns_complete:
        return
    written = {n for write in c.procedure.writes for n in write.columns} | set(c.procedure.columns)
    identity = {n.casefold() for n in c.table.identity_columns}
    for column in c.table.columns:
        name = column.name.casefold()
        if name in c.model.columns:
            yield from _origin(c, column.name)
        elif name in written - identity:
            yield Issue(
                code=Code.MISSING_COLUMN,
                message=f"The procedure fills {column.name}, the model does not return it.",
                evidence=column.name,
                fix=f"Add {column.name} to the final select.",
            )


def _origin(c: Comparison, column: str) -> Iterator[Issue]:
    name = column.casefold()
    wanted = _foreign(c.procedure.columns.get(name, frozenset()), c.target)
    got = _foreign(c.model.columns[name], c.target)
    if wanted and got and not wanted & got and c.everything_seen:
        yield Issue(
            code=Code.MISSING_COLUMN,
            message=(
                f"{column} comes from {_listed(got)} in the model "
                f"and from {_listed(wanted)} in the procedure."
            ),
            model_line=c.facts.line_of_column(column),
            evidence=column,
            fix=f"Take {column} from {_listed(wanted)}.",
        )


def _foreign(lineage: Lineage, target: str) -> Lineage:
    return frozenset(column for column in lineage if column.table != target)


def _listed(lineage: Lineage) -> str:
    return ", ".join(str(column) for column in sorted(lineage)) or "nothing"


# --- joins ----------------------------------------------------------------------------------


def join_issues(c: Comparison) -> Iterator[Issue]:
    """Join conditions that are gone, have another kind, or were added."""
    model = _by_key(c.model.shape.joins)
    reported: set[Lineage] = set()
    for join, strict in [
        *((j, True) for j in c.procedure.required.joins),
        *((j, False) for j in c.procedure.lenient.joins),
    ]:
        if join.columns in reported:
            continue
        same = _same_keys(c, join)
        read = [key for key in same if {x.table for x in key} <= {*c.model.shape.tables, c.target}]
        if not read or any(len(key) < 2 for key in same):
            continue
        found = [j for key in same for j in model.get(key, [])]
        if not found:
            reported.add(join.columns)
            yield _lost_join(join)
        elif strict and len(same) == 1 and not _kinds_agree(c, join, found):
            reported.add(join.columns)
            yield _other_kind(c, join, found[0])
    yield from _added_joins(c)


def _same_keys(c: Comparison, join: JoinKey) -> set[Lineage]:
    """A join key, and what it says when the target's column is traced to where it was filled."""
    own = [column for column in join.columns if column.table == c.target]
    if len(own) != 1:
        return {join.columns}
    other = join.columns - frozenset(own)
    filled = c.procedure.columns.get(own[0].column, frozenset())
    return {join.columns, *(other | {origin} for origin in filled if origin.table != c.target)}


def _by_key(joins: list[JoinKey]) -> dict[Lineage, list[JoinKey]]:
    keyed: dict[Lineage, list[JoinKey]] = {}
    for join in joins:
        keyed.setdefault(join.columns, []).append(join)
    return keyed


def _kinds_agree(c: Comparison, join: JoinKey, found: list[JoinKey]) -> bool:
    wanted = [j for j in c.procedure.required.joins if j.columns == join.columns]
    kinds = {j.kind for j in found}
    if JoinKind.SCALAR in kinds or any(j.kind is JoinKind.SCALAR for j in wanted):
        return True
    for other in wanted:
        if other.kind not in _STRONG:
            return True
        if other.kind is JoinKind.ANTI and JoinKind.LEFT in kinds:
            if _null_checked(c.model.shape, join):
                return True
        elif other.kind is JoinKind.LEFT and JoinKind.LEFT in kinds:
            preserved = {j.preserved for j in found if j.kind is JoinKind.LEFT}
            if not other.preserved or "" in preserved or other.preserved in preserved:
                return True
        elif other.kind in kinds:
            return True
    return False


def _null_checked(shape: Shape, join: JoinKey) -> bool:
    return any(p.operator == "isnull" and p.columns & join.columns for p in shape.predicates)


def _lost_join(join: JoinKey) -> Issue:
    return Issue(
        code=Code.JOIN_MISMATCH,
        message=f"The procedure joins on {join.describe()}, the model does not.",
        procedure_line=join.line,
        evidence=join.text,
        fix=f"Join on {join.describe()} as well.",
    )


def _other_kind(c: Comparison, join: JoinKey, found: JoinKey) -> Issue:
    kept = f" keeping {join.preserved}" if join.preserved else ""
    return Issue(
        code=Code.JOIN_MISMATCH,
        message=(
            f"The join on {join.describe()} is {join.kind.value}{kept} in the procedure "
            f"and {found.kind.value} in the model."
        ),
        model_line=c.model.line(found.line),
        procedure_line=join.line,
        evidence=found.text,
        fix=f"Make it a {join.kind.value} join{kept}.",
    )


def _added_joins(c: Comparison) -> Iterator[Issue]:
    if not c.everything_seen:
        return
    sides = (c.procedure.required, c.procedure.lenient, c.procedure.allowed)
    known = {key for side in sides for j in side.joins for key in _same_keys(c, j)}
    tables = {t for side in sides for t in side.tables}
    for join in c.model.shape.joins:
        joined = {column.table for column in join.columns}
        if join.columns in known or c.target in joined or not joined <= tables:
            continue
        known.add(join.columns)
        yield Issue(
            code=Code.JOIN_MISMATCH,
            message=f"The model joins on {join.describe()}, the procedure does not.",
            model_line=c.model.line(join.line),
            evidence=join.text,
            fix="Join only on what the procedure joins on.",
        )


# --- filters --------------------------------------------------------------------------------


def filter_issues(c: Comparison) -> Iterator[Issue]:
    """Filters that are gone, compare with something else, or were added."""
    given = c.model.shape.predicates
    for wanted in _unique([*c.procedure.required.predicates, *c.procedure.lenient.predicates]):
        if wanted.soft or not _comparable(wanted, c.target):
            continue
        if not {column.table for column in wanted.columns} <= set(c.model.shape.tables):
            continue
        if not any(wanted.agrees_with(p) for p in given):
            yield _lost_filter(c, wanted)
    if c.everything_seen:
        yield from _added_filters(c)
        others = (c.procedure.lenient, c.procedure.allowed)
        yield from ranking_issues(c.procedure.required, others, c.model.shape, c.model.line)


def _comparable(predicate: Predicate, target: str) -> bool:
    return (
        bool(predicate.columns)
        and predicate.operator not in ("other", "is")
        and not (predicate.operator in _MATCHING and predicate.literals == ())
        and all(column.table != target for column in predicate.columns)
    )


def _lost_filter(c: Comparison, wanted: Predicate) -> Issue:
    similar = next((p for p in c.model.shape.predicates if p.columns == wanted.columns), None)
    if similar is None:
        message = f"The procedure keeps only rows with {wanted.text}, the model does not filter so."
    else:
        message = f"The procedure filters by {wanted.text}, the model by {similar.text}."
    return Issue(
        code=Code.FILTER_MISMATCH,
        message=message,
        model_line=c.model.line(similar.line) if similar else 0,
        procedure_line=wanted.line,
        evidence=similar.text if similar else wanted.text,
        fix=f"Filter by {wanted.text}.",
    )


def _added_filters(c: Comparison) -> Iterator[Issue]:
    sides = (c.procedure.required, c.procedure.lenient, c.procedure.allowed)
    known = [p for side in sides for p in side.predicates]
    for given in _unique(c.model.shape.predicates):
        if given.soft or given.operator in ("isnull", "notnull", "other", "is"):
            continue
        if given.operator in _MATCHING and given.literals == ():
            continue  # column against column: a join in other clothes
        columns = _foreign(given.columns, c.target)
        if not columns:
            continue
        if columns != given.columns:
            if given.operator in _MATCHING:
                continue
            if _watermark_known(columns, known, c.target):
                continue
        elif any(given.agrees_with(p) for p in known):
            continue
        yield Issue(
            code=Code.FILTER_MISMATCH,
            message=f"The model filters by {given.text}, the procedure has no such filter.",
            model_line=c.model.line(given.line),
            evidence=given.text,
            fix="Remove the filter: rows the procedure keeps must not be dropped.",
        )


def _watermark_known(columns: Lineage, known: list[Predicate], target: str) -> bool:
    return any(p.operator in _ORDERED and _foreign(p.columns, target) == columns for p in known)


def _unique(predicates: list[Predicate]) -> list[Predicate]:
    seen: dict[tuple[object, ...], Predicate] = {}
    for p in predicates:
        seen.setdefault((p.columns, p.operator, p.literals, p.soft), p)
    return list(seen.values())


# --- grain ----------------------------------------------------------------------------------


def grain_issues(c: Comparison) -> Iterator[Issue]:
    """Grouping, aggregates, duplicates and ranking: what one row stands for."""
    yield from _grouping(c)
    yield from _aggregates(c)
    yield from _duplicates(c)
    yield from _windows(c)


def _grain(
    message: str, fix: str, *, model_line: int = 0, procedure_line: int = 0, evidence: str = ""
) -> Issue:
    return Issue(
        code=Code.GRAIN_MISMATCH,
        message=message,
        model_line=model_line,
        procedure_line=procedure_line,
        evidence=evidence,
        fix=fix,
    )


def _grouping(c: Comparison) -> Iterator[Issue]:
    procedure, model = c.procedure.required, c.model.shape
    if procedure.pivots or c.procedure.allowed.pivots:
        return
    given = {g.keys for g in model.groupings}
    for wanted in procedure.groupings:
        if wanted.keys and wanted.keys not in given:
            yield _grain(
                f"The procedure groups by {wanted.text}, the model does not group by these keys.",
                f"Group by {wanted.text}.",
                procedure_line=wanted.line,
                evidence=wanted.text,
            )
    sides = (procedure, c.procedure.lenient, c.procedure.allowed)
    known = {g.keys for side in sides for g in side.groupings}
    if not c.everything_seen:
        return
    for added in model.groupings:
        if added.keys and added.keys not in known and not known:
            yield _grain(
                f"The model groups by {added.text}, the procedure does not group.",
                "Keep the procedure's grain.",
                model_line=c.model.line(added.line),
                evidence=added.text,
            )


def _aggregates(c: Comparison) -> Iterator[Issue]:
    if c.procedure.required.pivots:
        return
    given = {(a.function, a.columns) for a in c.model.shape.aggregates}
    given |= {(w.function, frozenset()) for w in c.model.shape.windows}
    seen = set()
    for wanted in c.procedure.required.aggregates:
        key = (wanted.function, wanted.columns)
        if key in given or key in seen or any(x.table == c.target for x in wanted.columns):
            continue
        if wanted.function == "avg" and ("sum", wanted.columns) in given:
            continue
        seen.add(key)
        yield _grain(
            f"The procedure computes {wanted.text}, the model does not.",
            f"Compute {wanted.text}.",
            procedure_line=wanted.line,
            evidence=wanted.text,
        )


def _duplicates(c: Comparison) -> Iterator[Issue]:
    procedure, model = c.procedure.required, c.model.shape
    removes = bool(model.distincts or model.union_distinct or model.groupings)
    if procedure.distincts and not removes and not _ranks(c):
        yield _grain(
            "The procedure removes duplicates with DISTINCT, the model keeps them.",
            "Select distinct rows where the procedure does.",
            procedure_line=procedure.distincts[0],
        )
    replaced = len(model.distincts) > len(procedure.distincts)
    if procedure.union_distinct and not (model.union_distinct or replaced):
        yield _grain(
            "The procedure's UNION removes duplicates, the model keeps them.",
            "Use union instead of union all.",
            procedure_line=procedure.union_distinct[0],
        )
    sides = (procedure, c.procedure.lenient, c.procedure.allowed)
    known = any(s.distincts or s.union_distinct or s.groupings for s in sides)
    if c.everything_seen and not known and (model.distincts or model.union_distinct):
        line = (model.distincts or model.union_distinct)[0]
        yield _grain(
            "The model removes duplicates, the procedure keeps them.",
            "Remove the distinct, or use union all.",
            model_line=c.model.line(line),
        )
    elif c.everything_seen and model.union_distinct and not any(s.union_distinct for s in sides):
        yield _grain(
            "The model's union removes duplicates, the procedure's UNION ALL keeps them.",
            "Use union all.",
            model_line=c.model.line(model.union_distinct[0]),
        )


def _ranks(c: Comparison) -> bool:
    return any(w.function in _RANKING for w in c.model.shape.windows)


def _windows(c: Comparison) -> Iterator[Issue]:
    model = [w for w in c.model.shape.windows if w.function in _RANKING]
    wanted_windows = [
        *c.procedure.required.windows,
        *c.procedure.lenient.windows,
    ]
    for wanted in wanted_windows:
        if wanted.function not in _RANKING or not wanted.is_traced:
            continue
        if not any(wanted.is_kept_by(w) for w in model):
            yield _grain(
                f"The procedure ranks rows by {wanted.text}, the model does not.",
                "Keep partition and order of the ranking.",
                procedure_line=wanted.line,
                evidence=wanted.text,
            )
    sides = (c.procedure.required, c.procedure.lenient, c.procedure.allowed)
    if c.everything_seen and not c.procedure.lenient.joins:
        known = {w.partition for side in sides for w in side.windows}
        for added in model:
            if added.partition and added.function == "row_number" and added.partition not in known:
                yield _grain(
                    f"The model ranks rows by {added.text}, the procedure does not.",
                    "Remove the de-duplication that the procedure does not have.",
                    model_line=c.model.line(added.line),
                    evidence=added.text,
                )


def not_judged_issue(c: Comparison) -> Iterator[Issue]:
    """One warning that names the first construct whose effect could not be compared."""
    for what, line in c.procedure.not_judged[:1]:
        yield Issue(
            code=Code.MISSING_SOURCE_TABLE,
            message=f"Not everything could be compared: {what} hides reads or writes.",
            severity=Severity.WARNING,
            procedure_line=line,
            fix="Compare this part by hand.",
        )

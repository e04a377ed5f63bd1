"""Does the materialization leave the table as the procedure's writes leave it?

The classification proposes a materialization (``docs/pipeline.md``); what the procedure does to
the target decides which materializations are sound at all, and has the last word.
"""

from __future__ import annotations

from collections.abc import Iterator

from core.dbt.allowlist import REPLACE_ALL
from core.dbt.facts import ModelFacts
from core.project.catalog import ResolvedKind
from core.project.codes import Code
from core.review.correctness import Comparison
from core.review.procedure_shape import Write, WriteKind
from core.review.verdict import Issue

MAPPING: dict[ResolvedKind, frozenset[str]] = {
    ResolvedKind.FACT_TRANSACTION: frozenset({"incremental"}),
    ResolvedKind.DIM_SCD1: frozenset({"table", "incremental"}),
    ResolvedKind.DIM_SCD2: frozenset({"incremental"}),
    ResolvedKind.DIM_NON_SCD: frozenset({"table"}),
    ResolvedKind.FACT_PERIODIC_SNAPSHOT: frozenset({"table"}),
    ResolvedKind.FACT_ACCUMULATING_SNAPSHOT: frozenset({"incremental"}),
    ResolvedKind.FACT_AGGREGATE: frozenset({"table"}),
    ResolvedKind.DIM_JUNK: frozenset({"table"}),
}
"""Classification to the materializations it maps to."""

_UPDATES = frozenset({WriteKind.UPDATE, WriteKind.MERGE_UPDATE})
_DELETES = frozenset({WriteKind.DELETE, WriteKind.MERGE_DELETE})


def sound_materializations(writes: list[Write]) -> frozenset[str]:
    """What the writes allow: a reload is a table, anything that keeps earlier rows is not."""
    kinds = [write.kind for write in writes]
    if not kinds:
        return frozenset({"table", "incremental"})
    if any(w.kind is WriteKind.EMPTY and w.conditional for w in writes):
        return frozenset({"table", "incremental"})
    if WriteKind.EMPTY in kinds:
        first = kinds.index(WriteKind.EMPTY)
        if not set(kinds[:first]) & {WriteKind.INSERT, WriteKind.MERGE_INSERT}:
            return frozenset({"table"})
        return frozenset({"table", "incremental"})
    if set(kinds) & _DELETES:
        return frozenset({"table", "incremental"})
    return frozenset({"incremental"})


def materialization_issues(c: Comparison) -> Iterator[Issue]:
    """WRONG_MATERIALIZATION, with the reason why the model's own choice does not do."""
    facts, table = c.facts, c.table
    chosen = facts.config.materialized
    line = _config_line(facts)
    if chosen not in ("table", "incremental"):
        yield _wrong(
            f"The model is materialized as a {chosen}; a loaded table is a table or incremental.",
            "Materialize it as the classification says.",
            line,
        )
        return
    mapped = MAPPING.get(table.kind, frozenset()) if table.kind else frozenset()
    if not c.everything_seen or not c.procedure.writes:
        if mapped and chosen not in mapped and not c.procedure.writes:
            yield _wrong(
                f"{table.display} is classified {table.kind}, which maps to "
                f"{' or '.join(sorted(mapped))}, not {chosen}.",
                f"Materialize it as {' or '.join(sorted(mapped))}.",
                line,
            )
        return
    sound = sound_materializations(c.procedure.writes)
    parameter_branch = "full_refresh" in facts.config.other
    if chosen not in sound and not parameter_branch and not _rebuilds(c):
        why = (
            "the procedure empties the table and loads it anew"
            if sound == {"table"}
            else "the procedure keeps the rows of earlier runs"
        )
        yield _wrong(
            f"The model is {chosen}, but {why}.",
            f"Materialize it as {' or '.join(sorted(sound))}.",
            line,
            c.procedure.writes[0].line,
        )
    elif mapped and chosen not in mapped and mapped & sound:
        yield _wrong(
            f"{table.display} is classified {table.kind}, which maps to "
            f"{' or '.join(sorted(mapped))} and would be sound here; the model is {chosen}.",
            f"Materialize it as {' or '.join(sorted(mapped & sound))}.",
            line,
        )


def _rebuilds(c: Comparison) -> bool:
    return c.facts.config.materialized == "table" and c.facts.uses_this


def _wrong(message: str, fix: str, line: int, procedure_line: int = 0) -> Issue:
    return Issue(
        code=Code.WRONG_MATERIALIZATION,
        message=message,
        model_line=line,
        procedure_line=procedure_line,
        fix=fix,
    )


def _config_line(facts: ModelFacts) -> int:
    return next((call.line for call in facts.template.calls if call.name == "config"), 1)


def merge_issues(c: Comparison) -> Iterator[Issue]:
    """MERGE_SEMANTICS_LOST: updates, deletes and keys of the procedure against the strategy."""
    if not c.everything_seen or not c.procedure.writes:
        return
    kinds = {write.kind for write in c.procedure.writes}
    config = c.facts.config
    if WriteKind.EMPTY in kinds or not config.is_incremental:
        return
    if config.other.get("merge_clauses") == REPLACE_ALL and c.facts.uses_this:
        return  # the model emits the whole table, earlier rows included
    strategy = config.incremental_strategy or ("merge" if config.unique_key else "append")
    line = _config_line(c.facts)
    updating = next((w for w in c.procedure.writes if w.kind in _UPDATES), None)
    deleting = next((w for w in c.procedure.writes if w.kind in _DELETES), None)
    if updating is not None and strategy == "append":
        yield _lost(
            "The procedure updates rows that are already there, the model only appends.",
            "Use the merge strategy on the table's key.",
            line,
            updating.line,
        )
    elif updating is not None and not config.unique_key:
        yield _lost(
            "The procedure updates rows by key, the model has no unique_key and only appends.",
            "Set unique_key to the table's key.",
            line,
            updating.line,
        )
    elif updating is not None:
        yield from _key_issues(c, updating, line)
        yield from _insert_only_columns(c, line)
    elif strategy != "append" and deleting is None and not _guards_itself(c):
        yield _lost(
            f"The procedure only inserts, the model's {strategy} replaces rows already there.",
            "Use the append strategy.",
            line,
            c.procedure.writes[0].line,
        )
    if deleting is not None and strategy in ("append", "merge"):
        yield _lost(
            f"The procedure deletes rows of the table, which {strategy} never does.",
            "Use delete+insert on the replaced key, or rebuild the table.",
            line,
            deleting.line,
        )


def _guards_itself(c: Comparison) -> bool:
    """Whether the procedure looks into the target before it inserts (NOT EXISTS and the like)."""
    joins = [*c.procedure.required.joins, *c.procedure.lenient.joins]
    return any(column.table == c.target for join in joins for column in join.columns)


def _lost(message: str, fix: str, line: int, procedure_line: int) -> Issue:
    return Issue(
        code=Code.MERGE_SEMANTICS_LOST,
        message=message,
        model_line=line,
        procedure_line=procedure_line,
        fix=fix,
    )


def _key_issues(c: Comparison, updating: Write, line: int) -> Iterator[Issue]:
    unique = frozenset(column.casefold() for column in c.facts.config.unique_key)
    table = c.table
    natural = table.profile.natural_key.columns if table.profile else ()
    keys = [table.key_columns, table.identity_columns, natural]
    keys += [k.columns for k in (*table.primary_keys, *table.unique_indexes)]
    accepted = {frozenset(k.casefold() for k in key) for key in keys if key}
    accepted |= {w.keys for w in c.procedure.writes if w.keys}
    if unique and unique not in accepted and accepted:
        wanted = ", ".join(sorted(updating.keys or next(iter(accepted))))
        yield _lost(
            f"The model merges on {', '.join(sorted(unique))}, the procedure on {wanted}.",
            f"Use {wanted} as unique_key.",
            line,
            updating.line,
        )


def _insert_only_columns(c: Comparison, line: int) -> Iterator[Issue]:
    """Columns the MERGE fills on insert and leaves alone on update must keep their value."""
    writes = c.procedure.writes
    if any(w.kind is WriteKind.UPDATE for w in writes) or c.facts.uses_this:
        return
    updated = {n for w in writes if w.kind is WriteKind.MERGE_UPDATE for n in w.columns}
    keys = {n for w in writes for n in w.keys}
    identity = {n.casefold() for n in c.table.identity_columns}
    configured = c.facts.config.other
    listed = configured.get("merge_update_columns")
    excluded = configured.get("merge_exclude_columns")
    kept = {str(n).strip('"').casefold() for n in excluded} if isinstance(excluded, list) else set()
    for column in c.facts.columns:
        name = column.name.casefold()
        untouched = name not in updated | keys | identity | kept
        if isinstance(listed, list):
            untouched &= name in {str(n).strip('"').casefold() for n in listed}
        if untouched and updated:
            yield _lost(
                f"The procedure leaves {column.name} alone when it updates a row, "
                "the model overwrites it.",
                f"Add {column.name} to merge_exclude_columns, or keep the existing value.",
                line,
                writes[0].line,
            )

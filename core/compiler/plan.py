"""How the target's final state becomes a model: what is emitted, and with which materialization.

Soundness decides. A table for content that does not depend on what was there before; append when
old rows are untouched; merge when they are changed under a key; and where rows disappear, or no
key tells the changed rows, an incremental model that emits the whole content and replaces all rows
(dbt's merge on no key: every emitted row is inserted, every row that was there is deleted), which
is right for every state. The classification of the profile is honoured where it agrees and
answered with a note where it does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.compiler.options import CompileOptions, Correction
from core.compiler.relations import Relation, RelationKind, reaches
from core.compiler.result import Assumption, AssumptionKind
from core.compiler.state import Group, GroupKind, TableState

TABLE = "table"
INCREMENTAL = "incremental"

EXPECTED = {
    "fact_transaction": (INCREMENTAL,),
    "dim_scd1": (TABLE, INCREMENTAL),
    "dim_scd2": (INCREMENTAL,),
    "dim_non_scd": (TABLE,),
    "fact_periodic_snapshot": (TABLE,),
    "fact_accumulating_snapshot": (INCREMENTAL,),
    "fact_aggregate": (TABLE,),
    "dim_junk": (TABLE,),
}
"""The materialization a classification asks for."""


@dataclass(frozen=True)
class Plan:
    """What to emit. ``replaces_all``: every run replaces the whole content."""

    materialization: str
    rows: tuple[Relation, ...]
    strategy: str = ""
    unique_key: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    replaces_all: bool = False
    notes: tuple[str, ...] = ()
    assumptions: tuple[Assumption, ...] = ()


def planned(state: TableState, target: str, options: CompileOptions) -> Plan:
    """The plan for a target's final state."""
    plan = _sound(state, target, options)
    note = _note(plan, state, options)
    if note:
        plan = _with_note(plan, note)
    return plan


def _sound(state: TableState, target: str, options: CompileOptions) -> Plan:
    every = tuple(group.relation for group in state.groups)
    if not any(reaches(relation, RelationKind.EXISTING) for relation in every):
        if any(group.kind is not GroupKind.NEW for group in state.groups):
            raise AssertionError("prior rows that do not come from the target")
        return Plan(TABLE, every)
    changed = [group for group in state.groups if group.kind is not GroupKind.BASE]
    emitted = tuple(group.relation for group in changed)
    if not state.deleted:
        if state.upsert is not None and state.upsert.groups == state.groups:
            return _merge_like_dbt(state)
        if not any(group.kind is GroupKind.UPDATED for group in changed):
            if not changed:
                return Plan(INCREMENTAL, (), "append", notes=("the procedure adds no rows",))
            return Plan(INCREMENTAL, emitted, "append")
        key, assumptions = _key(state, changed, options)
        if key:
            return Plan(INCREMENTAL, emitted, "merge", key, assumptions=assumptions)
    reason = (
        "the procedure deletes rows of the target"
        if state.deleted
        else "the procedure updates rows of a target without a unique key"
    )
    return Plan(
        INCREMENTAL,
        every,
        "merge",
        replaces_all=True,
        notes=(f"{reason}: every run emits the whole content and replaces all rows",),
    )


def _merge_like_dbt(state: TableState) -> Plan:
    assert state.upsert is not None
    upsert = state.upsert
    return Plan(INCREMENTAL, (upsert.rows,), "merge", upsert.keys, upsert.excluded)


def _key(
    state: TableState, changed: Sequence[Group], options: CompileOptions
) -> tuple[tuple[str, ...], tuple[Assumption, ...]]:
    """A key of the target that no update changes, and what it takes to be one.

    An identity column first, then the declared keys, then what the profile says is the primary
    key: that one is not enforced by the table, so it becomes an assumption (a unique test).
    """
    touched = frozenset().union(*(group.changed for group in changed))
    table = state.table
    candidates: list[tuple[tuple[str, ...], bool]] = []
    candidates += [((c.name,), True) for c in table.columns if c.identity]
    candidates += [(key, True) for key in table.keys if key]
    if options.primary_key:
        candidates.append((options.primary_key, False))
    for names, enforced in candidates:
        columns = [table.column(name) for name in names]
        if any(column is None for column in columns):
            continue
        folded = {name.lower() for name in names}
        if folded & touched:
            continue
        spelled = tuple(column.name for column in columns if column is not None)
        if enforced:
            if any(c is not None and c.nullable and not c.identity for c in columns):
                continue
            return spelled, ()
        text = f"{', '.join(spelled)} is unique and not null in the target"
        assumption = Assumption(AssumptionKind.UNIQUE, text, "", spelled)
        return spelled, (assumption,)
    return (), ()


def _note(plan: Plan, state: TableState, options: CompileOptions) -> str:
    """Why the model is not materialized as the classification says."""
    kind = options.classification
    expected = EXPECTED.get(kind or "")
    if expected is None or plan.materialization in expected:
        return ""
    if plan.materialization == TABLE:
        return (
            f"classification {kind} asks for {expected[0]}, but the procedure rebuilds the whole "
            "table from its sources: it is materialized as a table"
        )
    return (
        f"classification {kind} asks for {expected[0]}, but the procedure keeps rows from earlier "
        "runs, which a table would lose: it is materialized incrementally"
    )


def _with_note(plan: Plan, note: str) -> Plan:
    from dataclasses import replace

    return replace(plan, notes=(*plan.notes, note))


def wants_casts(options: CompileOptions) -> bool:
    return Correction.CAST_COLUMNS in options.corrections

"""dbt practice: config block, CTE pattern, names, no hard-coded tables."""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.dbt.facts import CteRole, ModelFacts
from core.project.codes import Code, Severity
from core.review.model_shape import ModelShape
from core.review.verdict import Issue

_SNAKE_CASE = re.compile(r"[a-z][a-z0-9_]*")
_MEANINGLESS = re.compile(r"(?:src|tmp|temp|cte|foo|x|y|z|a|b|t|q|sub|data)_?\d*")


def standards_issues(
    facts: ModelFacts, shape: ModelShape, model_name: str, expected_name: str
) -> Iterator[Issue]:
    """All findings about style and structure, in reading order."""
    if not facts.config.declared:
        yield Issue(
            code=Code.MISSING_CONFIG_BLOCK,
            message="The model has no config block.",
            model_line=1,
            fix="Start with {{ config(materialized=…) }}.",
        )
    for table in shape.hard_coded:
        yield Issue(
            code=Code.HARDCODED_TABLE_NAME,
            message=f"The model names the table {table.text} itself.",
            model_line=table.line,
            evidence=table.text,
            fix="Read it through source() or ref() in an import CTE.",
        )
    yield from _pattern(facts, shape)
    yield from _names(facts, model_name, expected_name)


def _pattern(facts: ModelFacts, shape: ModelShape) -> Iterator[Issue]:
    if not facts.ctes or facts.ctes[-1].name.casefold() != "final":
        yield _violation(
            "The last CTE is not called final.", facts.ctes[-1].first_line if facts.ctes else 1
        )
    elif not shape.ends_in_final:
        yield _violation("The model does not end in select * from final.", facts.ctes[-1].last_line)
    imports = [cte for cte in facts.ctes if cte.role is CteRole.IMPORT]
    logical_before = False
    for cte in facts.ctes:
        if cte.role is CteRole.IMPORT and logical_before:
            yield _violation(
                f"The import CTE {cte.name} stands after a logical one.", cte.first_line
            )
        logical_before |= cte.role is CteRole.LOGICAL
    seen: dict[str, str] = {}
    for cte in imports:
        if cte.relation and cte.relation in seen:
            yield _violation(
                f"{cte.name} imports what {seen[cte.relation]} imports.", cte.first_line
            )
        seen.setdefault(cte.relation, cte.name)
    for line in _inputs_outside(facts):
        yield _violation("A source() or ref() is read outside an import CTE.", line)
    for line in shape.derived_tables:
        yield _violation(
            "A subquery in FROM would read better as a CTE.", line, severity=Severity.WARNING
        )


def _inputs_outside(facts: ModelFacts) -> list[int]:
    lines = [ref.line for ref in facts.refs] + [source.line for source in facts.sources]
    outside = []
    for line in lines:
        cte = facts.cte_at(line)
        if cte is None or cte.role is not CteRole.IMPORT:
            outside.append(line)
    return outside


def _violation(message: str, line: int, severity: Severity = Severity.ERROR) -> Issue:
    return Issue(
        code=Code.CTE_PATTERN_VIOLATION,
        message=message,
        severity=severity,
        model_line=line,
        fix="Import CTEs first, then one CTE per idea, then final, then select * from final.",
    )


def _names(facts: ModelFacts, model_name: str, expected_name: str) -> Iterator[Issue]:
    if model_name != expected_name:
        yield Issue(
            code=Code.NAMING_VIOLATION,
            message=f"The model is called {model_name} and should be called {expected_name}.",
            evidence=model_name,
            fix=f"Name it {expected_name}.",
        )
    for cte in facts.ctes:
        if not _SNAKE_CASE.fullmatch(cte.name):
            yield _bad_name(cte.name, cte.first_line, "is not lower snake case", Severity.ERROR)
        elif cte.role is not CteRole.FINAL and _MEANINGLESS.fullmatch(cte.name):
            yield _bad_name(cte.name, cte.first_line, "says nothing", Severity.WARNING)


def _bad_name(name: str, line: int, what: str, severity: Severity) -> Issue:
    return Issue(
        code=Code.NAMING_VIOLATION,
        message=f"The CTE name {name} {what}.",
        severity=severity,
        model_line=line,
        evidence=name,
        fix="Name the CTE for what it does, in lower snake case.",
    )

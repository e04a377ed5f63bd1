"""A failure as findings for Claude: ordered, without repetition, at most twenty, and discreet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from core.claude.personal import Privacy
from core.dbt.outcome import Row, ScenarioOutcome, TestOutcome, Verification
from core.generation.author import Failure

MOST_FINDINGS = 20
MOST_ROWS = 5


def findings(failure: Failure, privacy: Privacy) -> dict[str, Any]:
    """What went wrong, for the last block of a correction's prompt."""
    found: list[dict[str, Any]] = []
    if failure.verification is not None:
        _learn(failure.verification, privacy)
        found += _of_verification(failure.verification, privacy)
    found += [{"said": privacy.message(words)} for words in failure.feedback]
    distinct: list[dict[str, Any]] = []
    for finding in found:
        if finding not in distinct:
            distinct.append(finding)
    document: dict[str, Any] = {
        "why": failure.kind.value,
        "summary": privacy.message(failure.summary),
        "findings": distinct[:MOST_FINDINGS],
    }
    if len(distinct) > MOST_FINDINGS:
        document["more"] = len(distinct) - MOST_FINDINGS
    if failure.counterexample is not None:
        # Its unit test says the same once more, in a text whose columns cannot be told apart.
        shown = {k: v for k, v in failure.counterexample.items() if k != "unit_test"}
        document["counterexample"] = privacy.synthetic(shown)
        # It is shrunk to what matters, and a NULL may be all that matters.
        document["about_the_counterexample"] = "columns that a row leaves out are NULL"
    return document


def _learn(verification: Verification, privacy: Privacy) -> None:
    for test in verification.tests:
        for row in (*test.expected, *test.actual, *test.failing_rows):
            privacy.learn(row)
    for scenario in verification.scenarios:
        for row in (*scenario.missing, *scenario.unexpected):
            privacy.learn(row)


def _of_verification(verification: Verification, privacy: Privacy) -> Iterator[dict[str, Any]]:
    for error in verification.errors:
        yield {"phase": verification.phase.value, "error": privacy.message(error)}
    for test in verification.tests:
        if not test.ok:
            yield _of_test(test, privacy)
    for scenario in verification.scenarios:
        if not scenario.ok:
            yield _of_scenario(scenario, privacy)


def _of_test(test: TestOutcome, privacy: Privacy) -> dict[str, Any]:
    finding: dict[str, Any] = {
        "test": test.name,
        "kind": test.kind.value,
        "status": test.status.value,
    }
    if test.column:
        finding["column"] = test.column
    if test.message:
        finding["message"] = privacy.message(test.message)
    if test.failures:
        finding["failing_rows"] = test.failures
    if test.expected or test.actual:
        finding |= difference(test.expected, test.actual, privacy)
    elif test.failing_rows and privacy.send_rows:
        finding["rows"] = [privacy.row(row) for row in test.failing_rows[:MOST_ROWS]]
    return finding


def _of_scenario(scenario: ScenarioOutcome, privacy: Privacy) -> dict[str, Any]:
    finding: dict[str, Any] = {"scenario": scenario.name, "status": scenario.status.value}
    if scenario.message:
        finding["message"] = privacy.message(scenario.message)
    if scenario.missing or scenario.unexpected:
        finding |= difference(scenario.missing, scenario.unexpected, privacy)
    return finding


def difference(expected: Sequence[Row], actual: Sequence[Row], privacy: Privacy) -> dict[str, Any]:
    """How two bags of rows differ: counts, columns, types and NULLs; values only where allowed."""
    missing, unexpected = _without_common(expected, actual)
    found: dict[str, Any] = {
        "rows_missing": len(missing),
        "rows_unexpected": len(unexpected),
        "columns": _columns(missing, unexpected),
    }
    if privacy.send_rows:
        found["missing"] = [privacy.row(row) for row in missing[:MOST_ROWS]]
        found["unexpected"] = [privacy.row(row) for row in unexpected[:MOST_ROWS]]
    return found


def _without_common(left: Sequence[Row], right: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    rest = list(right)
    only_left = []
    for row in left:
        if row in rest:
            rest.remove(row)
        else:
            only_left.append(row)
    return only_left, rest


def _columns(missing: Sequence[Row], unexpected: Sequence[Row]) -> list[dict[str, Any]]:
    """Columns in which the most similar rows differ, with what kinds of values each side has."""
    pairs = []
    rest = list(unexpected)
    for row in missing[:50]:
        if not rest:
            break
        best = min(rest, key=lambda other: len(_differing(row, other)))
        rest.remove(best)
        pairs.append((row, best))
    names: dict[str, None] = {}
    for one, other in pairs:
        names |= dict.fromkeys(_differing(one, other))
    return [
        {
            "column": name,
            "expected": sorted({_kind(one.get(name)) for one, _ in pairs}),
            "actual": sorted({_kind(other.get(name)) for _, other in pairs}),
        }
        for name in names
    ]


def _differing(one: Mapping[str, object], other: Mapping[str, object]) -> list[str]:
    return [name for name, value in one.items() if other.get(name) != value]


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int():
            return "whole number"
        case float() | Decimal():
            return "number"
        case str():
            return "text" if value else "empty text"
        case _:
            return type(value).__name__

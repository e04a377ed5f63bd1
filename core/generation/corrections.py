"""Which of the compiler's corrections answer a failure: read from the evidence, not guessed.

A correction is something a second compilation can do differently (``core.compiler.options``). The
order is by how well the evidence points at it; a correction that nothing points at is not tried,
because a model that passes by accident is worse than one that is known to be red.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.compiler.options import Correction
from core.dbt.outcome import Row, ScenarioStatus, TestKind, TestStatus, Verification
from core.generation.author import Failure, FailureKind, Job
from core.project.testspec import UnitTest

WORDS: Mapping[Correction, str] = {
    Correction.CAST_COLUMNS: "cast every column to the type the table declares",
    Correction.ADD_TIE_BREAKERS: "made row numbers and TOP deterministic with tie-breakers",
    Correction.FOLD_COLLATION: "compare text without case and trailing blanks",
    Correction.AS_TABLE: "materialize as a table",
    Correction.AS_INCREMENTAL: "materialize incrementally",
}
"""What each correction changed, as the draft's ``changes`` say it."""

_BY_WORDS = {words: correction for correction, words in WORDS.items()}
_TYPE_WORDS = (
    "cannot compare",
    "cannot cast",
    "could not convert",
    "conversion error",
    "type mismatch",
    "cannot mix",
    "binder error: cannot",
    "on_schema_change",
    "different data type",
    "out of range",
)


def applied(texts: Iterable[str]) -> frozenset[Correction]:
    """The corrections that a draft's notes and changes say it has."""
    return frozenset(_BY_WORDS[text] for text in texts if text in _BY_WORDS)


def candidates(job: Job, failure: Failure) -> tuple[Correction, ...]:
    """Corrections the failure points at, the likeliest first, without repetition."""
    return tuple(dict.fromkeys(_candidates(job, failure)))


def _candidates(job: Job, failure: Failure) -> Iterator[Correction]:
    verification = failure.verification
    if verification is not None:
        yield from _from_errors(verification)
        yield from _from_differences(job, verification)
        yield from _from_data_tests(verification)
    if failure.kind in (FailureKind.REVIEW, FailureKind.PERSON):
        yield from _from_words(failure.feedback)
    if failure.kind is FailureKind.COUNTEREXAMPLE and failure.counterexample is not None:
        yield from _from_counterexample(failure.counterexample)


def _from_errors(verification: Verification) -> Iterator[Correction]:
    messages = [
        *verification.errors,
        *(t.message for t in verification.tests if t.status is TestStatus.ERROR),
        *(s.message for s in verification.scenarios if s.status is ScenarioStatus.ERROR),
    ]
    text = "\n".join(messages).lower()
    if any(words in text for words in _TYPE_WORDS):
        yield Correction.CAST_COLUMNS


def _from_data_tests(verification: Verification) -> Iterator[Correction]:
    """Duplicates under a key that has to be unique come from ties or from an append."""
    for test in verification.tests:
        if test.kind is TestKind.DATA and not test.ok and "unique" in test.name.lower():
            yield Correction.ADD_TIE_BREAKERS


@dataclass(frozen=True)
class _Difference:
    """Rows of one failed test or scenario that only one side has."""

    name: str
    missing: tuple[Row, ...]
    unexpected: tuple[Row, ...]


def _from_differences(job: Job, verification: Verification) -> Iterator[Correction]:
    for difference in _differences(verification):
        kind = _kind_of(difference)
        if kind is not None:
            yield kind
        scenario = next((t for t in job.spec.unit_tests if t.name == difference.name), None)
        if scenario is not None and _varies_in_case(scenario):
            yield Correction.FOLD_COLLATION
        if scenario is not None and _has_prior_rows(job, scenario):
            if difference.unexpected and not difference.missing:
                yield Correction.AS_TABLE
            elif difference.missing and not difference.unexpected:
                yield Correction.AS_INCREMENTAL


def _differences(verification: Verification) -> Iterator[_Difference]:
    for scenario in verification.scenarios:
        if scenario.status is ScenarioStatus.FAIL:
            yield _Difference(scenario.name, scenario.missing, scenario.unexpected)
    for test in verification.tests:
        if test.status is TestStatus.FAIL and test.kind is TestKind.UNIT:
            expected, actual = _without_common(test.expected, test.actual)
            yield _Difference(test.name, expected, actual)


def _without_common(
    left: Sequence[Row], right: Sequence[Row]
) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """The bag differences of both sides."""
    rest = list(right)
    only_left: list[Row] = []
    for row in left:
        match = next((other for other in rest if dict(other) == dict(row)), None)
        if match is None:
            only_left.append(row)
        else:
            rest.remove(match)
    return tuple(only_left), tuple(rest)


def _kind_of(difference: _Difference) -> Correction | None:
    """What kind of difference the rows show, comparing them pairwise where both sides have some."""
    if not difference.missing or len(difference.missing) != len(difference.unexpected):
        return None
    pairs = _paired(difference.missing, difference.unexpected)
    values = [
        (left, right)
        for missing, unexpected in pairs
        for left, right in _different_values(missing, unexpected)
    ]
    if values and all(_same_but_for_type(left, right) for left, right in values):
        return Correction.CAST_COLUMNS
    if values and all(_folded(left) == _folded(right) for left, right in values):
        return Correction.FOLD_COLLATION
    if values and all(len(list(_different_values(a, b))) < len(a) for a, b in pairs):
        return Correction.ADD_TIE_BREAKERS
    return None


def _paired(missing: Sequence[Row], unexpected: Sequence[Row]) -> list[tuple[Row, Row]]:
    """Each missing row with the unexpected one that has most values in common."""
    rest = list(unexpected)
    pairs = []
    for row in missing:
        best = min(rest, key=lambda other: len(list(_different_values(row, other))))
        rest.remove(best)
        pairs.append((row, best))
    return pairs


def _different_values(left: Row, right: Row) -> Iterator[tuple[object, object]]:
    others = {name.casefold(): value for name, value in right.items()}
    for name, value in left.items():
        other = others.get(name.casefold())
        if value != other:
            yield value, other


def _same_but_for_type(left: object, right: object) -> bool:
    """``1.239`` and ``1.24``, ``'1'`` and ``1``, ``'ab'`` and ``'ab '``: a cast was missing."""
    if left is None or right is None:
        return False
    if str(left).rstrip() == str(right).rstrip():
        return True
    try:
        one, two = float(str(left)), float(str(right))
    except ValueError:
        shorter, longer = sorted((str(left), str(right)), key=len)
        return bool(shorter) and longer.startswith(shorter)
    return abs(one - two) < 1.0


def _folded(value: object) -> object:
    return value.casefold().rstrip() if isinstance(value, str) else value


def _varies_in_case(scenario: UnitTest) -> bool:
    """Whether the scenario's input has texts that only SQL Server takes for equal."""
    seen: dict[str, str] = {}
    for given in scenario.given:
        for row in given.rows:
            for value in row.values():
                if not isinstance(value, str):
                    continue
                if seen.setdefault(value.casefold().rstrip(), value) != value:
                    return True
    return False


def _has_prior_rows(job: Job, scenario: UnitTest) -> bool:
    return any(g.rows for g in scenario.given if g.table.item_id == job.item_id)


def _from_words(feedback: Iterable[str]) -> Iterator[Correction]:
    """The reviewer's and a person's words; codes first, then the plain words for a remedy."""
    text = "\n".join(feedback).lower()
    if "wrong_materialization" in text or "materializ" in text:
        if "incremental" in text and "as a table" not in text:
            yield Correction.AS_INCREMENTAL
        yield Correction.AS_TABLE
    if "cast" in text or "data type" in text:
        yield Correction.CAST_COLUMNS
    if "tie" in text or "determinis" in text:
        yield Correction.ADD_TIE_BREAKERS
    if "collation" in text or "case-insensitive" in text or "trailing blank" in text:
        yield Correction.FOLD_COLLATION


def _from_counterexample(document: Mapping[str, object]) -> Iterator[Correction]:
    """The rows that only the procedure leaves against those that only the model leaves."""
    missing, unexpected = (_rows(document.get(key)) for key in ("missing", "unexpected"))
    kind = _kind_of(_Difference("", missing, unexpected))
    if kind is not None:
        yield kind


def _rows(value: object) -> tuple[Row, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return ()
    return tuple(row for row in value if isinstance(row, Mapping))

"""Every seeded bug and what became of it: ``python -m tests.core.equivalence.bug_table``."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import replace

from core.equivalence.case import from_document
from core.equivalence.subject import Subject
from core.equivalence.verdict import EquivalenceVerdict
from tests.core.equivalence import compiled
from tests.core.equivalence.bugs import SAMPLES
from tests.core.equivalence.compiled_bugs import WRONG
from tests.core.equivalence.kit import check, subject


def seeded() -> Iterator[tuple[str, str, Subject]]:
    """Procedure, bug, and the subject with the wrong model."""
    for sample in SAMPLES:
        for bug, (before, after) in sample.wrong.items():
            wrong = sample.sound.replace(before, after)
            yield sample.name, bug, subject(sample.ddl, sample.procedure, sample.target, wrong)
    for name, bugs in WRONG.items():
        for bug, (before, after) in bugs.items():
            wrong = compiled.text_of(name).replace(before, after)
            yield name, bug, compiled.subject_of(name, wrong)


def main(words: list[str]) -> None:
    """Print a line per bug, and the totals."""
    total = refuted = small = quick = 0
    for procedure, bug, wanted in seeded():
        if words and not any(word in f"{procedure} {bug}" for word in words):
            continue
        started = time.process_time()
        found = check(replace(wanted, seconds=10))
        seconds = time.process_time() - started
        rows = from_document(found.counterexample).most_rows if found.counterexample else 0
        total += 1
        if found.verdict is EquivalenceVerdict.REFUTED:
            refuted += 1
            small += rows <= 3
            quick += seconds <= 10
        print(f"{procedure:42} {bug:28} {found.verdict.value:17} {seconds:5.1f} s  {rows} rows")
        if found.verdict is not EquivalenceVerdict.REFUTED or rows > 3:
            print(f"    {found.sentence}")
        sys.stdout.flush()
    print(
        f"{refuted} of {total} refuted, {quick} within 10 s, {small} with at most 3 rows per table"
    )


if __name__ == "__main__":
    main(sys.argv[1:])

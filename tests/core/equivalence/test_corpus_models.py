"""Compiled models of the corpus: sound ones stand, those with one wrong thing are refuted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.equivalence.case import from_document
from core.equivalence.verdict import EquivalenceVerdict
from tests.core.equivalence import compiled
from tests.core.equivalence.compiled_bugs import WRONG
from tests.core.equivalence.kit import check

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", compiled.names())
def test_a_compiled_model_is_not_refuted(name: str) -> None:
    found = check(compiled.subject_of(name))
    assert found.verdict is EquivalenceVerdict.NO_DIFFERENCE, found.sentence


@pytest.mark.parametrize(("name", "bug"), [(n, bug) for n, bugs in WRONG.items() for bug in bugs])
def test_a_wrong_model_is_refuted_with_few_rows(name: str, bug: str) -> None:
    before, after = WRONG[name][bug]
    sound = compiled.text_of(name)
    assert before in sound
    wrong = compiled.subject_of(name, sound.replace(before, after))
    found = check(replace(wrong, seconds=10))
    assert found.verdict is EquivalenceVerdict.REFUTED, found.sentence
    assert found.counterexample is not None
    assert from_document(found.counterexample).most_rows <= 3

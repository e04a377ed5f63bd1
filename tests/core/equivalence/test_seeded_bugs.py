"""Models with one wrong thing are refuted, with few rows; sound ones are not."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from core.equivalence.case import from_document
from core.equivalence.verdict import EquivalenceVerdict
from tests.core.equivalence.bugs import SAMPLES, Sample
from tests.core.equivalence.kit import check, subject
from tests.core.equivalence.variants import VARIANTS

BUGS = [(sample, name) for sample in SAMPLES for name in sample.wrong]


def wrong_model(sample: Sample, bug: str) -> str:
    before, after = sample.wrong[bug]
    assert before in sample.sound
    return sample.sound.replace(before, after)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: s.name)
def test_a_sound_model_is_not_refuted(sample: Sample) -> None:
    found = check(subject(sample.ddl, sample.procedure, sample.target, sample.sound))
    assert found.verdict is EquivalenceVerdict.NO_DIFFERENCE, found.sentence
    assert "proven" not in found.sentence
    assert not found.is_gap


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: s.name)
def test_a_sound_model_in_another_style_is_not_refuted(sample: Sample) -> None:
    found = check(subject(sample.ddl, sample.procedure, sample.target, VARIANTS[sample.name]))
    assert found.verdict is EquivalenceVerdict.NO_DIFFERENCE, found.sentence


@pytest.mark.parametrize(("sample", "bug"), BUGS, ids=lambda v: getattr(v, "name", v))
def test_a_wrong_model_is_refuted_with_few_rows(sample: Sample, bug: str) -> None:
    wanted = subject(sample.ddl, sample.procedure, sample.target, wrong_model(sample, bug))
    found = check(wanted)
    assert found.verdict is EquivalenceVerdict.REFUTED, found.sentence
    assert found.is_gap
    assert found.counterexample is not None
    assert from_document(found.counterexample).most_rows <= 3


def test_the_same_seed_gives_the_same_bytes_and_the_file_replays() -> None:
    sample = SAMPLES[0]
    wanted = subject(
        sample.ddl, sample.procedure, sample.target, wrong_model(sample, "inner for left")
    )
    one, two = check(wanted), check(wanted)
    assert json.dumps(one.model_dump(mode="json")) == json.dumps(two.model_dump(mode="json"))
    assert one.counterexample is not None
    document = json.loads(json.dumps(one.counterexample))
    assert check(wanted, document).verdict is EquivalenceVerdict.REFUTED
    sound = replace(wanted, sql=sample.sound)
    assert check(sound, document).verdict is EquivalenceVerdict.NO_DIFFERENCE

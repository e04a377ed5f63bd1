"""What the build at the end of a run says: one sentence that does not contradict itself."""

from __future__ import annotations

import pytest

from core.dbt.verify import ProjectVerdict
from core.pipeline.build_sentence import build_sentence

SENTENCES = [
    (ProjectVerdict(passed=True, scope="project"), "the project was built"),
    (ProjectVerdict(passed=False, scope="project"), "the project does not build"),
    (
        ProjectVerdict(
            passed=True,
            scope="accepted models",
            reason="Runtime Error   Failed to read package: No dbt_project.yml found.",
        ),
        "the new models were built; the rest of the project could not be: "
        "Failed to read package: No dbt_project.yml found",
    ),
    (
        ProjectVerdict(
            passed=False,
            scope="accepted models",
            reason="Compilation Error in model dim_old (models/dim_old.sql)   "
            "'dbt_utils' is undefined",
        ),
        "the new models do not build; the rest of the project could not be: "
        "'dbt_utils' is undefined",
    ),
    (
        ProjectVerdict(passed=False, lost="The worker process ended unexpectedly."),
        "the project was not built: The worker process ended unexpectedly",
    ),
]


@pytest.mark.parametrize(("verdict", "sentence"), SENTENCES)
def test_the_sentence(verdict: ProjectVerdict, sentence: str) -> None:
    assert build_sentence(verdict) == sentence

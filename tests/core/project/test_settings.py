"""Settings: precedence, origins, and mistakes that name their place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.project.codes import Code, ProjectError
from core.project.names import QualifiedName
from core.project.settings import Settings, all_settings, value_of
from core.project.settings_file import (
    describe_settings,
    load_settings,
    render_settings,
    settings_page,
)


def load(root: Path, toml: str = "", env: Any = None, flags: Any = None) -> Settings:
    if toml:
        (root / "proc2dbt.toml").write_text(toml)
    return load_settings(root, env, flags)


def failure(root: Path, toml: str = "", env: Any = None, flags: Any = None) -> str:
    with pytest.raises(ProjectError) as caught:
        load(root, toml, env, flags)
    assert caught.value.diagnostic.code is Code.SETTINGS_INVALID
    return caught.value.diagnostic.message


def test_flags_beat_environment_beats_file_beats_default(tmp_path: Path) -> None:
    toml = "jobs = 2\nbase = 'main'\napprove = 'all'\n"
    env = {"PROC2DBT_JOBS": "3", "PROC2DBT_BASE": "develop", "HOME": "/x"}
    settings = load(tmp_path, toml, env, {"jobs": 4, "target": None})
    assert (settings.jobs, settings.base, settings.approve) == (4, "develop", "all")
    assert settings.author == "compiler"
    assert settings.origin("jobs") == "flag --jobs"
    assert settings.origin("base") == "environment variable PROC2DBT_BASE"
    assert settings.origin("approve") == "proc2dbt.toml line 3"
    assert settings.origin("author") == "default"


def test_every_setting_can_be_set_by_file_and_by_variable(tmp_path: Path) -> None:
    samples = {
        "text": ("'x_1'", "x_1", "x_1"),
        "whole number": ("2000", "2000", 2000),
        "number": ("2.5", "2.5", 2.5),
        "true or false": ("true", "yes", True),
        "list of texts": ("['a', 'b']", "a, b", ("a", "b")),
        "table": ("{ 'S.T' = 'x' }", "S.T=x", None),
    }
    for info in all_settings():
        toml, env, value = samples[info.kind]
        if info.choices:
            toml, env, value = f"'{info.choices[-1]}'", info.choices[-1], info.choices[-1]
        if info.kind == "whole number" and info.maximum is not None:
            number = int(min(2000, info.maximum))
            toml, env, value = str(number), str(number), number
        from_file = value_of(load(tmp_path, f"{info.name} = {toml}\n"), info.name)
        (tmp_path / "proc2dbt.toml").unlink()
        from_env = value_of(load(tmp_path, env={info.environment: env}), info.name)
        assert from_file == from_env
        assert value is None or from_file == value


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("\njob = 3", ["line 2", "'job'", "did you mean jobs?"]),
        ("[claude.author]\n\nmodle = 'x'", ["line 3", "claude.author.modle", "author.model"]),
        ("[calude]\nparallel = 2", ["line 1", "calude", "claude"]),
        ("jobs = 'many'", ["line 1", "'jobs'", "'many'", "whole number"]),
        ("jobs = true", ["true", "whole number"]),
        ("jobs = 0", ["'jobs'", "at least 1"]),
        ("datefirst = 8", ["at most 7"]),
        ("[equivalence]\nseconds = nan", ["line 2", "equivalence.seconds"]),
        ("author = 'compilr'", ["line 1", "compiler, claude, both", "did you mean compiler?"]),
        ("base = ''", ["'base'", "empty"]),
        ("pr.labels = [1]", ["pr.labels", "list of texts"]),
        ('[model_names]\n"gold.customer" = "a b"', ["gold.customer", "a b"]),
        ("[model_names]\n'gold.' = 'x'", ["'gold.'", "not a table name"]),
        ("claude = 3", ["line 1", "claude"]),
        ("jobs = = 3", ["proc2dbt.toml", "line 1", "TOML"]),
    ],
)
def test_mistakes_in_the_file(tmp_path: Path, toml: str, words: list[str]) -> None:
    message = failure(tmp_path, toml)
    for word in words:
        assert word in message
    assert message.endswith(".")


def test_mistakes_elsewhere(tmp_path: Path) -> None:
    assert "PROC2DBT_JOBS" in failure(tmp_path, env={"PROC2DBT_JOB": "3"})
    assert "PROC2DBT_JOBS" in failure(tmp_path, env={"PROC2DBT_JOBS": "x"})
    assert "--jobs" in failure(tmp_path, flags={"jobs": 0})
    assert "did you mean max_cost" in failure(tmp_path, flags={"maxcost": 0})
    assert load(tmp_path, env={"PROC2DBT_ZZZ_INTERNAL": "1"}) == Settings()


def test_model_names(tmp_path: Path) -> None:
    settings = load(tmp_path, '[model_names]\n"[Gold].[Customer]" = "stg_gold_customer"\n')
    assert settings.model_name(QualifiedName("CUSTOMER", "gold")) == "stg_gold_customer"
    assert settings.model_name(QualifiedName("Customer", "silver")) == "stg_customer"
    assert settings.worktrees_folder(tmp_path / "repo") == (tmp_path / "worktrees").resolve()


def test_config_prints_every_setting_with_its_origin(tmp_path: Path) -> None:
    settings = load(tmp_path, "pr.labels = ['dbt']", flags={"author": "both"})
    text = render_settings(settings)
    for info in all_settings():
        assert f"{info.name} " in text
    assert '["dbt"]' in text
    assert "# flag --author" in text
    rows = {row["name"]: row for row in describe_settings(settings)}
    assert rows["pr.labels"]["origin"] == "proc2dbt.toml line 1"
    assert all(row["doc"] for row in rows.values())


def test_the_page_about_settings_is_current() -> None:
    page = Path(__file__).parents[3] / "docs" / "settings.md"
    assert page.read_text(encoding="utf-8") == settings_page()

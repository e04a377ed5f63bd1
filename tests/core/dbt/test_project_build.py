"""One ``dbt build`` of the whole project; what happens when it cannot be built on DuckDB."""

from __future__ import annotations

from pathlib import Path

from core.dbt.pool import WorkerPool
from core.dbt.recency import RECENCY_PATH, RECENCY_SQL
from core.dbt.sources import SOURCES_PATH, add_sources
from core.dbt.verify import ProjectBuild
from tests.core.dbt.items import Item, build_item, shop_sql


def accepted(root: Path, item: Item) -> ProjectBuild:
    """The project with the item's files written."""
    dbt = root / "dbt"
    staging = dbt / "models" / "staging"
    (staging / f"{item.model_name}.sql").write_text(item.sql)
    (staging / f"_{item.model_name}.yml").write_text(item.request.yaml_text)
    (dbt / SOURCES_PATH).write_text(add_sources(None, item.artifacts.sources))
    (dbt / RECENCY_PATH).parent.mkdir(parents=True, exist_ok=True)
    (dbt / RECENCY_PATH).write_text(RECENCY_SQL)
    return ProjectBuild(dbt, (item.model_name,), item.inputs, deadline_s=120)


async def test_the_whole_project_is_built(pool: WorkerPool, tmp_path: Path) -> None:
    build = accepted(tmp_path, build_item(tmp_path, 1, "merge"))
    verdict = await pool.build_project(build, lambda line: None)
    assert verdict.passed, verdict
    assert (verdict.scope, verdict.reason) == ("project", "")
    assert {"stg_factorderline1", "stg_dimcustomer"} <= set(verdict.models_built)
    assert {"first_load_0", "changed_row_1"} <= {r.name for r in verdict.results}
    assert not (tmp_path / "dbt" / "target").exists()


async def test_a_model_that_fails_is_named(pool: WorkerPool, tmp_path: Path) -> None:
    build = accepted(tmp_path, build_item(tmp_path, 1, "table"))
    model = tmp_path / "dbt" / "models" / "staging" / "stg_factorderline1.sql"
    model.write_text(model.read_text().replace("l.Weight,", "l.Nope as Weight,"))
    verdict = await pool.build_project(build, lambda line: None)
    assert not verdict.passed
    assert any("stg_factorderline1" in error for error in verdict.errors)


async def test_missing_packages_narrow_the_build_and_say_so(
    pool: WorkerPool, tmp_path: Path
) -> None:
    build = accepted(tmp_path, build_item(tmp_path, 1, "merge"))
    (tmp_path / "dbt" / "packages.yml").write_text(
        "packages:\n  - package: acme/things\n    version: 1.0.0\n"
    )
    verdict = await pool.build_project(build, lambda line: None)
    assert verdict.passed, verdict
    assert verdict.scope == "accepted models"
    assert "package" in verdict.reason


async def test_a_model_in_another_dialect_narrows_the_build_and_is_named(
    pool: WorkerPool, tmp_path: Path
) -> None:
    build = accepted(tmp_path, build_item(tmp_path, 1, "append"))
    other = tmp_path / "dbt" / "models" / "report.sql"
    other.write_text("select top 5 convert(varchar(10), getdate(), 120) as day\n")
    verdict = await pool.build_project(build, lambda line: None)
    assert verdict.passed, verdict
    assert verdict.scope == "accepted models"
    assert "report" in verdict.reason


async def test_two_accepted_models_are_built_together(pool: WorkerPool, tmp_path: Path) -> None:
    first = build_item(tmp_path, 1, "merge")
    build = accepted(tmp_path, first)
    second = shop_sql(2, "table").replace("ref('stg_dimcustomer')", "ref('stg_factorderline1')")
    path = tmp_path / "dbt" / "models" / "staging" / "stg_second.sql"
    path.write_text(second)
    both = ProjectBuild(build.dbt_root, (*build.models, "stg_second"), build.inputs)
    verdict = await pool.build_project(both, lambda line: None)
    assert verdict.passed, verdict
    assert {"stg_factorderline1", "stg_second"} <= set(verdict.models_built)

"""The demo agrees with itself: DDL, catalog, profiles, test specs, dbt project, README."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from core.demo import demo_project, expected_outcomes
from core.project.catalog import CatalogTable, ResolvedKind
from core.project.guards import ModelNames, check_item, check_project
from core.project.project import MigrationProject
from core.project.settings_file import load_settings
from core.project.testspec import UnitTest
from tests.core.demo.ddl import DdlTable, read_tables
from tests.core.demo.fits import misfit

ROOT = Path(str(demo_project()))
PROJECT = MigrationProject.open(ROOT)
ITEMS = sorted(expected_outcomes())
REFERENCE_KINDS = ("tables", "views", "functions", "procedures")


@cache
def ddl_tables() -> dict[str, DdlTable]:
    return read_tables((ROOT / "ddl/tables.sql").read_text(encoding="utf-8"))


def targets() -> list[str]:
    return [item for item in PROJECT.tables() if PROJECT.table(item).writer is not None]


def scenarios() -> Iterator[tuple[str, UnitTest]]:
    for item in ITEMS:
        for test in PROJECT.test_spec(item).unit_tests:
            yield item, test


def tables_with_rows(
    item: str, test: UnitTest
) -> Iterator[tuple[CatalogTable, list[dict[str, Any]]]]:
    """Every set of rows of a scenario that was one table at one moment."""
    for given in test.given:
        yield PROJECT.table(given.table.item_id), list(given.rows)
    if test.expect is not None:
        yield PROJECT.table(item), list(test.expect.rows)


each_scenario = pytest.mark.parametrize(
    ("item", "test"), [pytest.param(item, test, id=test.name) for item, test in scenarios()]
)


# -- what is in it ------------------------------------------------------------------------------


def test_every_classification_and_enough_of_everything() -> None:
    kinds = {PROJECT.table(item).kind for item in targets()}
    assert kinds >= set(ResolvedKind)
    assert len(targets()) >= 9
    sources = [PROJECT.table(item) for item in PROJECT.tables() if item.startswith("bronze.")]
    assert len(sources) >= 7
    assert all(table.is_source or table.is_seed for table in sources)


def test_outcomes_are_told_for_exactly_the_tables_with_a_writer() -> None:
    assert sorted(targets()) == ITEMS


def test_the_readme_says_the_same_as_the_file() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+\.\w+)` \| (.+?) \|.*\| (.+?) \|$", readme, re.MULTILINE)
    told = {name.lower(): (kind, tuple(re.findall(r"`(\w+)`", ends))) for name, kind, ends in rows}
    assert {item: ends for item, (_, ends) in told.items()} == {
        item: (outcome.status, *outcome.codes) for item, outcome in expected_outcomes().items()
    }
    for item, (kind, _) in told.items():
        known = PROJECT.table(item).kind
        assert kind == (f"`{known}`" if known else "not decided yet")


def test_only_the_guard_that_the_file_names_stops_an_item() -> None:
    assert check_project(PROJECT) == []
    names = ModelNames.of(PROJECT)
    stopped = {item: check_item(PROJECT, item, names) for item in ITEMS}
    assert {item: found.code for item, found in stopped.items() if found} == {
        "silver.dimpromotion": "PROFILE_NOT_COMPLETED"
    }


def test_the_repair_that_the_readme_proposes_works(tmp_path: Path) -> None:
    copy = tmp_path / "demo"
    shutil.copytree(ROOT, copy)
    file = copy / "catalog/tables/silver.dimpromotion.json"
    document = json.loads(file.read_text(encoding="utf-8"))
    document["profile"]["status"] = "ok"
    document["profile"]["classification"] = {"resolved_kind": "dim_non_scd", "source": "manual"}
    file.write_text(json.dumps(document), encoding="utf-8")
    project = MigrationProject.open(copy)

    assert check_item(project, "silver.dimpromotion", ModelNames.of(project)) is None


def test_its_settings_are_valid() -> None:
    assert load_settings(ROOT, environment={}).collation == "assume-consistent"


# -- catalog against DDL ------------------------------------------------------------------------


def test_ddl_and_catalog_name_the_same_objects() -> None:
    catalogued = {path.stem for path in (ROOT / "catalog/tables").glob("*.json")}
    assert catalogued == set(ddl_tables())
    for kind in ("procedures", "views", "functions"):
        files = {path.stem for path in (ROOT / "catalog" / kind).glob("*.json")}
        assert files == set(getattr(PROJECT, kind)), kind


@pytest.mark.parametrize("item", PROJECT.tables())
def test_catalog_columns_and_keys_are_those_of_the_ddl(item: str) -> None:
    table, defined = PROJECT.table(item), ddl_tables()[item]
    assert [
        (c.name, c.sql_type.upper(), c.is_nullable, c.name in table.identity_columns)
        for c in table.columns
    ] == [(c.name, c.sql_type, c.is_nullable, c.is_identity) for c in defined.columns]
    declared = table.primary_keys[0].columns if table.primary_keys else ()
    assert declared == defined.key


@pytest.mark.parametrize("item", PROJECT.tables())
def test_every_column_the_catalog_speaks_of_exists(item: str) -> None:
    table = PROJECT.table(item)
    spoken = [c for key in (*table.primary_keys, *table.unique_indexes) for c in key.columns]
    spoken += [s.column for s in table.sensitivity_classifications]
    if table.profile:
        profile = table.profile
        spoken += [*profile.primary_key.columns, *profile.natural_key.columns]
        spoken += [p.column for p in profile.pii_actions]
        spoken += [profile.watermark.column] if profile.watermark.column else []
        for key in profile.foreign_keys:
            spoken.append(key.column)
            assert key.references_source_relation is not None
            referenced = PROJECT.table(key.references_source_relation.item_id)
            assert referenced.column(key.references_column)
    for foreign in table.foreign_keys:
        spoken += foreign.columns
        referenced = PROJECT.table(f"{foreign.referenced_schema}.{foreign.referenced_table}")
        assert all(referenced.column(c) for c in foreign.referenced_columns)
    assert [c for c in spoken if table.column(c) is None] == []


# -- procedures ---------------------------------------------------------------------------------


@pytest.mark.parametrize("item", ITEMS)
def test_the_writer_exists_and_writes_the_table(item: str) -> None:
    table = PROJECT.table(item)
    assert table.writer is not None
    assert table.profile is not None
    assert table.profile.writer.replace("[", "").replace("]", "").lower() == table.writer.item_id
    source = PROJECT.procedure(table.writer)
    assert table.object_name.lower() in source.text.lower()
    hints = PROJECT.procedure_catalog(table.writer)
    assert hints is not None
    written = [r for r in hints.references["tables"]["in_scope"] if r["is_updated"]]
    assert item in {f"{r['schema']}.{r['name']}".lower() for r in written}


@pytest.mark.parametrize("procedure", sorted(PROJECT.procedures))
def test_every_reference_in_scope_exists_and_stands_in_the_text(procedure: str) -> None:
    hints = PROJECT.procedure_catalog(procedure)
    assert hints is not None
    text = PROJECT.procedures[procedure].text
    for kind in REFERENCE_KINDS:
        known = PROJECT.tables() if kind == "tables" else getattr(PROJECT, kind)
        for reference in hints.references[kind]["in_scope"]:
            assert f"{reference['schema']}.{reference['name']}".lower() in known
            assert re.search(rf"\b{reference['name']}\b", text, re.IGNORECASE)


@pytest.mark.parametrize("procedure", sorted(PROJECT.procedures))
def test_every_table_and_view_in_the_text_is_a_reference(procedure: str) -> None:
    hints = PROJECT.procedure_catalog(procedure)
    assert hints is not None
    code = re.sub(r"/\*.*?\*/|--[^\n]*", "", PROJECT.procedures[procedure].text, flags=re.DOTALL)
    listed = {r["name"].lower() for k in REFERENCE_KINDS for r in hints.references[k]["in_scope"]}
    # What is written in a string is not yet a reference.
    code = re.sub(r"'[^']*'", "", code).lower()
    named = {
        name
        for item in (*PROJECT.tables(), *PROJECT.views)
        if re.search(rf"\[?{(name := item.split('.')[1])}\]?(?!\w)", code)
        and re.search(rf"(bronze|silver|gold|etl)\]?\.\[?{name}\b", code)
    }
    assert named == listed


@pytest.mark.parametrize("procedure", sorted(PROJECT.procedures))
def test_parameters_are_those_of_the_text(procedure: str) -> None:
    hints = PROJECT.procedure_catalog(procedure)
    assert hints is not None
    head = re.split(r"(?im)^\s*AS\s*$", PROJECT.procedures[procedure].text)[0]
    code = re.sub(r"/\*.*?\*/|--[^\n]*", "", head, flags=re.DOTALL)
    assert re.findall(r"@\w+", code) == [parameter.name for parameter in hints.params]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["tables", "procedures", "views", "functions"])
def test_the_ddl_is_tsql_to_another_parser(kind: str) -> None:
    from sqlfluff.core import Linter

    parsed = Linter(dialect="tsql").parse_string((ROOT / f"ddl/{kind}.sql").read_text())
    assert parsed.violations == []
    tree = parsed.root_variant().tree  # type: ignore[union-attr]
    assert tree is not None
    assert "unparsable" not in tree.descendant_type_set


# -- test specs ---------------------------------------------------------------------------------


@pytest.mark.parametrize("item", ITEMS)
def test_the_spec_is_about_its_item_and_its_names_are_unique(item: str) -> None:
    spec = PROJECT.test_spec(item)
    assert spec.item_id == item
    names = [test.name for test in spec.unit_tests]
    assert len(set(names)) == len(names)
    for test in spec.unit_tests:
        assert test.target_table.item_id == item
        assert test.procedure == PROJECT.table(item).writer
    branches = {name for branch in spec.branch_manifest for name in branch.scenarios}
    assert branches <= set(names)
    assert {test.name for test in spec.unit_tests if test.expect} <= branches


def test_each_spec_has_three_to_eight_scenarios_and_one_has_none() -> None:
    counts = {item: len(PROJECT.test_spec(item).unit_tests) for item in ITEMS}
    assert [item for item, count in counts.items() if count == 0] == ["silver.dimcategory"]
    assert all(3 <= count <= 8 for count in counts.values() if count)


@each_scenario
def test_columns_exist_and_values_fit(item: str, test: UnitTest) -> None:
    problems = []
    for table, rows in tables_with_rows(item, test):
        for row in rows:
            for name, value in row.items():
                column = table.column(name)
                if column is None:
                    problems.append(f"{table.display} has no column {name}")
                elif value is None:
                    if not column.is_nullable:
                        problems.append(f"{table.display}.{name} is NULL")
                elif problem := misfit(value, column.sql_type):
                    problems.append(f"{table.display}.{name}: {problem}")
    assert problems == []


@each_scenario
def test_given_rows_have_every_column_that_needs_a_value(item: str, test: UnitTest) -> None:
    for given in test.given:
        table = PROJECT.table(given.table.item_id)
        needed = {
            c.name.lower()
            for c in table.columns
            if not c.is_nullable and c.default is None and c.name not in table.identity_columns
        }
        for row in given.rows:
            assert needed <= {name.lower() for name in row}, given.table.display


@each_scenario
def test_keys_hold(item: str, test: UnitTest) -> None:
    for table, rows in tables_with_rows(item, test):
        for key in (*table.primary_keys, *table.unique_indexes):
            values = [tuple(_folded(row, c) for c in key.columns) for row in rows]
            complete = [value for value in values if _ABSENT not in value]
            assert len(set(complete)) == len(complete), f"{table.display} {key.constraint_name}"


@each_scenario
def test_foreign_keys_hold(item: str, test: UnitTest) -> None:
    given = {g.table.item_id: g.rows for g in test.given}
    for item_id, rows in given.items():
        for key in PROJECT.table(item_id).foreign_keys:
            parents = given.get(f"{key.referenced_schema}.{key.referenced_table}".lower(), ())
            known = {tuple(_folded(p, c) for c in key.referenced_columns) for p in parents}
            for row in rows:
                assert tuple(_folded(row, c) for c in key.columns) in known, key.constraint_name


@each_scenario
def test_given_tables_matter_to_the_procedure(item: str, test: UnitTest) -> None:
    """Read by it, read through a view or by SQL in a table, or needed by a foreign key."""
    hints = PROJECT.procedure_catalog(PROJECT.table(item).writer or "")
    assert hints is not None
    matter = {item} | _names(hints.references, "tables")
    for view in _names(hints.references, "views"):
        entry = PROJECT.view_catalog(view)
        assert entry is not None
        matter |= _names(entry.references, "tables")
    for read in list(matter):
        keys = PROJECT.table(read).foreign_keys
        matter |= {f"{key.referenced_schema}.{key.referenced_table}".lower() for key in keys}
    if item == "gold.partnerfeed":
        matter.add("silver.dimproduct")
    given = [g.table.item_id for g in test.given]
    assert set(given) <= matter
    assert len(set(given)) == len(given)


@each_scenario
def test_expected_rows_compare_the_same_columns(item: str, test: UnitTest) -> None:
    if test.expect is not None:
        assert len({tuple(row) for row in test.expect.rows}) <= 1


@each_scenario
def test_a_column_fed_by_the_clock_needs_a_captured_clock(item: str, test: UnitTest) -> None:
    """What a run itself wrote into such a column can be told only with ``captured_at``."""
    if test.expect is None or test.captured_at is not None:
        return
    clocks = {"createdat", "updatedat", "loadedat", "validfrom", "validto"}
    prior = {
        tuple(sorted((k.lower(), str(v)) for k, v in row.items() if k.lower() in clocks))
        for given in test.given
        if given.table.item_id == item
        for row in given.rows
    }
    told = {
        tuple(sorted((k.lower(), str(v)) for k, v in row.items() if k.lower() in clocks and v))
        for row in test.expect.rows
    } - {()}
    assert all(any(set(row) <= set(before) for before in prior) for row in told)


def test_both_ways_with_the_clock_are_shown() -> None:
    captured = [test.captured_at is not None for _, test in scenarios()]
    assert any(captured)
    assert not all(captured)


# -- dbt ----------------------------------------------------------------------------------------


def test_declared_sources_are_tables_of_the_catalog_and_some_are_missing() -> None:
    declared = {source.key for source in PROJECT.dbt.sources}
    assert declared
    assert declared < set(PROJECT.tables())
    sources = {item for item in PROJECT.tables() if PROJECT.table(item).is_source}
    assert sources - declared


def test_the_seed_is_its_table() -> None:
    seeded = [PROJECT.table(i) for i in PROJECT.tables() if PROJECT.table(i).is_seed]
    assert [table.item_id for table in seeded] == ["bronze.country"]
    table = seeded[0]
    assert PROJECT.dbt.seed_for(table.qualified) == "country"
    with (ROOT / "dbt/seeds/country.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert rows
    for row in rows:
        assert list(row) == [c.name for c in table.columns]
        for column in table.columns:
            if row[column.name]:
                assert misfit(row[column.name], column.sql_type) is None
            else:
                assert column.is_nullable
    codes = [row["CountryCode"] for row in rows]
    assert len(set(codes)) == len(codes)


def _names(references: dict[str, Any], kind: str) -> set[str]:
    return {f"{r['schema']}.{r['name']}".lower() for r in references[kind]["in_scope"]}


_ABSENT = object()


def _folded(row: dict[str, Any], column: str) -> Any:
    """A key value as SQL Server compares it: without case and trailing blanks."""
    for name, value in row.items():
        if name.lower() == column.lower():
            return value.rstrip().lower() if isinstance(value, str) else value
    return _ABSENT

"""The demo project's scenarios: what was captured on the server, the reference must leave too."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import as_file
from typing import Any

import pytest

from core.demo import demo_project
from core.interpreter import Reference
from core.interpreter.project_reference import project_reference
from core.interpreter.values import coerced
from core.project.project import MigrationProject
from core.project.testspec import UnitTest
from core.tsql.schema import Column


@pytest.fixture(scope="module")
def project() -> Iterator[MigrationProject]:
    with as_file(demo_project()) as folder:
        yield MigrationProject.open(folder)


@pytest.fixture(scope="module")
def demo(project: MigrationProject) -> Iterator[Reference]:
    with project_reference(project) as reference:
        yield reference


def _scenarios() -> list[tuple[str, str]]:
    with as_file(demo_project()) as folder:
        opened = MigrationProject.open(folder)
        return [
            (item, test.name)
            for item in opened.tables()
            if opened.has_test_spec(item)
            for test in opened.test_spec(item).unit_tests
        ]


def test_there_are_scenarios() -> None:
    assert len(_scenarios()) > 50


@pytest.mark.parametrize(("item", "name"), _scenarios())
def test_scenario(project: MigrationProject, demo: Reference, item: str, name: str) -> None:
    spec = project.test_spec(item)
    test = next(found for found in spec.unit_tests if found.name == name)
    assert test.procedure is not None
    demo.reset()
    for given in test.given:
        demo.load(str(given.table), given.rows)
    clock = spec.clock_of(test, project.manifest.extracted_at)
    if clock is not None:
        demo.set_clock(clock.replace(tzinfo=None))
    assert demo.not_executable(str(test.procedure)) == ()
    result = demo.run_procedure(str(test.procedure), test.parameters)
    assert result.error is None, result.error
    if test.expect is not None:
        _compare(demo, test)


def _compare(demo: Reference, test: UnitTest) -> None:
    assert test.expect is not None
    table = demo.table(str(test.target_table))
    listed = {name.casefold() for row in test.expect.rows for name in row}
    kept = [c for c in table.columns if c.name.casefold() in listed]
    want = [_row({k.casefold(): v for k, v in row.items()}, kept) for row in test.expect.rows]
    got = [_row({k.casefold(): v for k, v in row.items()}, kept) for row in table.dicts()]
    assert sorted(got, key=repr) == sorted(want, key=repr)


def _row(values: dict[str, Any], columns: list[Column]) -> tuple[object, ...]:
    cells = (coerced(values.get(c.name.casefold()), c.type) for c in columns)
    return tuple(cell.rstrip() if isinstance(cell, str) else cell for cell in cells)

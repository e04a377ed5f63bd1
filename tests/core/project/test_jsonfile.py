"""Broken JSON is described, never raised through; positions are those of the file."""

from __future__ import annotations

import contextlib
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.project.codes import ProjectError
from core.project.jsonfile import JsonFileError, line_of, read_json_object
from core.project.project import MigrationProject
from tests.core.project.builder import ProjectBuilder


def read(tmp_path: Path, data: bytes | str) -> Any:
    path = tmp_path / "file.json"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return read_json_object(path, tmp_path)


@pytest.mark.parametrize(
    ("data", "problem", "line", "column"),
    [
        ("", "empty", 1, 1),
        ("[1, 2]", "a list", 1, 1),
        ("3", "a single value", 1, 1),
        ('{"a": 1,\n "b": }', "not valid JSON", 2, 7),
        ('{"a": 1,\r\n "a": 2}', "'a' appears twice", 2, 2),
        ('{"a": {"x": 1,\n\n "x": 2}}', "'x' appears twice", 3, 2),
        ('{"a":\n NaN}', "NaN is not a JSON value", 2, 2),
        ('{"a": "NaN", "b":\n -Infinity}', "-Infinity is not a JSON value", 2, 2),
        ('{"a": "\\ud83d"}', "surrogate", 1, 7),
    ],
)
def test_what_is_wrong_has_a_place(
    tmp_path: Path, data: str, problem: str, line: int, column: int
) -> None:
    with pytest.raises(JsonFileError, match=problem) as caught:
        read(tmp_path, data)
    assert (caught.value.line, caught.value.column) == (line, column)


@pytest.mark.parametrize("data", ["[" * 200_000, '{"a":' * 100_000, '{"a": ' + "1" * 5_000 + "}"])
def test_absurd_files_are_refused(tmp_path: Path, data: str) -> None:
    with pytest.raises(JsonFileError):
        read(tmp_path, data)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_files_are_read_as_people_save_them(tmp_path: Path, encoding: str) -> None:
    data = '{"name": "Größe",\r\n "price": 0.10}'.encode(encoding)
    document = read(tmp_path, data)
    assert document.value == {"name": "Größe", "price": Decimal("0.10")}
    assert str(document.value["price"]) == "0.10"


def test_emoji_pairs_are_fine(tmp_path: Path) -> None:
    assert read(tmp_path, '{"a": "\\ud83d\\ude00"}').value == {"a": "😀"}


KEYS = st.text(min_size=1, max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    if isinstance(value, dict):
        found = [((*path, key), inner) for key, inner in value.items()]
    elif isinstance(value, list):
        found = [((*path, index), inner) for index, inner in enumerate(value)]
    else:
        return []
    return [p for p, _ in found] + [q for p, inner in found for q in _paths(inner, p)]


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_every_value_is_found_on_its_line(value: dict[str, Any]) -> None:
    """With one value a line, no two values of a document share one."""
    text = json.dumps(value, indent=1)
    lines = [line_of(text, path) for path in _paths(value)]
    assert len(set(lines)) == len(lines)
    for path, number in zip(_paths(value), lines, strict=True):
        if isinstance(path[-1], str):
            assert text.splitlines()[number - 1].strip().startswith(json.dumps(path[-1]))


def test_a_path_that_does_not_exist_gives_its_parent() -> None:
    assert line_of('{\n"a": [\n1,\n{"b": 2}\n]}', ("a", 1, "c", "d")) == 4


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mutated_files_never_end_in_a_traceback(tmp_path: Path, data: st.DataObject) -> None:
    builder = ProjectBuilder(tmp_path).ready("silver.DimCustomer")
    root = builder.write()
    readers = {
        "manifest.json": lambda p: p.manifest,
        "catalog/tables/silver.dimcustomer.json": lambda p: p.table("silver.DimCustomer"),
        "test-specs/silver.dimcustomer.json": lambda p: p.test_spec("silver.DimCustomer"),
    }
    file = data.draw(st.sampled_from(sorted(readers)))
    document = json.loads((root / file).read_text())
    path = data.draw(st.sampled_from(_paths(document)))
    parent = document
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = data.draw(VALUES)
    text = json.dumps(document, indent=1)
    if data.draw(st.booleans()):
        cut = data.draw(st.integers(0, len(text)))
        text = text[:cut] + data.draw(st.text(max_size=3)) + text[cut + 1 :]
    (root / file).write_bytes(text.encode("utf-8", "surrogatepass"))
    with contextlib.suppress(ProjectError):
        readers[file](MigrationProject.open(root))
        return
    with pytest.raises(ProjectError) as caught:
        readers[file](MigrationProject.open(root))
    message = caught.value.diagnostic.message
    assert message.startswith(file)
    assert message.endswith(".")
    assert message.isprintable()

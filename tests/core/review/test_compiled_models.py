"""What the compiler makes of realistic procedures is not refused: the reviewer cries no wolf."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.compiler import report
from core.compiler.options import CompileOptions
from core.compiler.result import Compiled, Unsupported
from core.dbt.facts import ModelFacts, read_facts
from core.project.catalog import CatalogTable
from core.project.codes import Severity
from core.review.correctness import Comparison
from core.review.model_shape import ModelShape, model_shape
from core.review.procedure_shape import procedure_shape
from core.review.reviewer import translation_issues
from core.review.verdict import Issue
from core.review.writing import materialization_issues
from core.tsql import parse_procedure
from core.tsql.schema import Schema, Table

CORPUS = Path(__file__).parents[1] / "tsql" / "corpus"
DOMAINS = ("banking", "retail", "telecom")
FAMILIES = ("full_reload", "merge", "scd2", "dedupe", "watermark", "upsert", "delete_range")


def corpus_files(domain: str) -> list[Path]:
    """The domain's files of the shapes a warehouse is mostly made of."""
    return [f for family in FAMILIES if (f := CORPUS / f"{domain}_{family}.sql").is_file()]


def tables(schema: Schema) -> dict[str, Table]:
    return {f"{t.name.schema}.{t.name.name}".casefold(): t for t in schema.tables.values()}


def catalog(key: str, table: Table) -> CatalogTable:
    schema, _, name = key.partition(".")
    return CatalogTable.model_validate(
        {
            "schema": schema,
            "name": name,
            "columns": [
                {"name": c.name, "sql_type": "int", "is_identity": c.identity}
                for c in table.columns
            ],
        }
    )


def issues_of(source: str, target: str, schema: Schema, model: Compiled) -> list[Issue]:
    known = tables(schema)

    def columns_of(key: str) -> tuple[str, ...] | None:
        return tuple(c.name for c in known[key].columns) if key in known else None

    facts = read_facts(model.sql)
    assert isinstance(facts, ModelFacts), facts
    shape = model_shape(model.sql, target, {}, columns_of)
    assert isinstance(shape, ModelShape), shape
    comparison = Comparison(
        procedure=procedure_shape(parse_procedure(source), target, columns_of),
        model=shape,
        facts=facts,
        table=catalog(target, known[target]),
        target=target,
    )
    return [*translation_issues(comparison), *materialization_issues(comparison)]


@pytest.mark.parametrize("domain", DOMAINS)
def test_compiled_models_are_not_refused(
    domain: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in (CORPUS / "tables" / f"{domain}.sql", *corpus_files(domain)):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    compiled: list[tuple[str, str, Schema, Compiled]] = []
    compile_procedure = report.compile_procedure

    def spy(
        source: str, target: str, schema: Schema, options: CompileOptions
    ) -> Compiled | Unsupported:
        result = compile_procedure(source, target, schema, options)
        if isinstance(result, Compiled) and target in tables(schema):
            compiled.append((source, target, schema, result))
        return result

    monkeypatch.setattr(report, "compile_procedure", spy)
    report.compile_report(tmp_path)
    assert len(compiled) >= 5
    assert list(refusals(compiled)) == []


def refusals(compiled: list[tuple[str, str, Schema, Compiled]]) -> Iterator[tuple[str, str]]:
    for source, target, schema, model in compiled:
        for issue in issues_of(source, target, schema, model):
            if issue.severity is Severity.ERROR:
                yield target, issue.message

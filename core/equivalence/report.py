"""A verdict as text for a terminal and as a JSON document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.equivalence.verdict import EquivalenceResult


def as_document(item_id: str, result: EquivalenceResult) -> dict[str, Any]:
    """The whole result; the counterexample is what ``--replay`` takes."""
    return {
        "item_id": item_id,
        "verdict": result.verdict.value,
        "sentence": result.sentence,
        "is_gap": result.is_gap,
        "structural": [check.model_dump() for check in result.structural],
        "report": result.report,
        "counterexample": result.counterexample,
    }


def as_text(name: str, result: EquivalenceResult) -> str:
    """The verdict, what it rests on, and the counterexample if there is one."""
    lines = [f"{name}: {result.verdict.value.replace('_', ' ')}", f"  {result.sentence}"]
    report = result.report
    if report:
        scenarios = report.get("scenarios", {})
        if scenarios.get("judged"):
            lines.append(f"  the reference {scenarios['sentence']}")
        for column in report.get("not_compared", ()):
            lines.append(f"  not compared by value: {column['column']} ({column['reason']})")
        for error, count in report.get("procedure_failed", {}).items():
            lines.append(f"  the procedure itself failed in {count} trials: {error}")
        for survivor in report.get("mutation", {}).get("survivors", ()):
            lines.append(f"  not told apart: {survivor['kind']} in {survivor['text']}")
        for shrunk in report.get("constants_shrunk", ()):
            lines.append(f"  constant that gates volume: {shrunk}")
        affected = report.get("collation_affects", ())
        if affected and report.get("collation") == "assume-consistent":
            lines.append("  text compared without regard to case by the server, exactly by dbt:")
            lines += [f"    {comparison}" for comparison in affected]
        for finding in report.get("findings", ()):
            lines.append(f"  not determined by the procedure: {finding}")
        if report.get("out_of_time"):
            lines.append("  the time was up before all planned trials ran")
    for check in result.structural:
        mark = "ok" if check.passed else "x "
        lines.append(f"  {mark} structure: {check.name}: {check.reason}")
    if result.counterexample:
        lines += ["", *_counterexample(result.counterexample)]
    return "\n".join(lines) + "\n"


def _counterexample(document: Mapping[str, Any]) -> list[str]:
    lines = ["  counterexample"]
    for number, round_ in enumerate(document["rounds"], start=1):
        lines.append(f"    round {number} at {round_['clock']}: {round_['note']}")
        for table, rows in round_["tables"].items():
            lines += [f"      {table}: {_row(row)}" for row in rows]
    lines += [f"    prior row: {_row(row)}" for row in document["prior"]]
    lines += [f"    only the procedure leaves: {_row(r)}" for r in document["missing"]]
    lines += [f"    only the model leaves:     {_row(r)}" for r in document["unexpected"]]
    found = document["explanation"]
    if found["statement_line"]:
        lines.append(
            f"    they part at line {found['statement_line']} of the procedure "
            f"({found['statement']})" + (f", CTE {found['cte']} of the model" * bool(found["cte"]))
        )
    if document["unit_test"]:
        lines += ["    as a dbt unit test:", *_indented(document["unit_test"])]
    return lines


def _row(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={'NULL' if v is None else repr(v)}" for name, v in row.items())


def _indented(text: str) -> list[str]:
    return [f"      {line}" for line in text.rstrip().splitlines()]

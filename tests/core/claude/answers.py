"""What a scripted Claude answers, and how its requests are told apart."""

from __future__ import annotations

import json
from typing import Any

from tests.core.claude.stub import Body, blocks_of

CHECKS = ("standards", "correctness", "test_integration", "materialization")


def authored(sql: str = "", **parts: Any) -> dict[str, Any]:
    """An author's answer; ``edits`` as pairs."""
    edits = [{"old": old, "new": new} for old, new in parts.pop("edits", ())]
    return {
        "design": "Keeps what the procedure keeps.",
        "model_sql": sql,
        "edits": edits,
        "equivalence": [],
        "assumptions": [],
        "blockers": [],
        "changes": [],
    } | parts


def reviewed(**issues: list[dict[str, Any]]) -> dict[str, Any]:
    """A reviewer's answer; issues by check."""
    return {"checks": {name: {"issues": issues.get(name, [])} for name in CHECKS}}


def issue(code: str, evidence: str, **parts: Any) -> dict[str, Any]:
    return {
        "code": code,
        "severity": "error",
        "message": "it is not the same",
        "evidence": evidence,
        "model_line": 1,
        "procedure_line": 1,
        "fix": "mend it",
    } | parts


def purpose(body: Body) -> str:
    """``draft``, ``correct`` or ``review``."""
    last = blocks_of(body)[-1]["text"]
    if last.startswith("Review"):
        return "review"
    texts = [block["text"] for block in blocks_of(body)]
    return "correct" if any('"data": "findings"' in text for text in texts) else "draft"


def item_of(body: Body) -> str:
    """The item a request is about."""
    for block in blocks_of(body):
        if block["text"].startswith('{"data": "catalog"'):
            return str(json.loads(block["text"])["item"])
    raise AssertionError("no catalog in the request")


def prefix_of(body: Body) -> str:
    """The bytes up to the last cache breakpoint, with what else the cache depends on."""
    blocks = blocks_of(body)
    last = max(n for n, block in enumerate(blocks) if "cache_control" in block)
    return json.dumps([body["model"], body["output_config"], blocks[: last + 1]])

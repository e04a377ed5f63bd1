"""What Claude may answer: two shapes, checked here whatever the server promises about them.

Draft and correction share one shape, because another one would invalidate the prompt cache. All
fields are required, nothing is optional, nothing recursive: that is what constrained decoding
takes. YAML and tests are not among them: they are rendered by us.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from core.claude.failure import ClaudeFailure, Kind


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Relation(StrEnum):
    """What became of a piece of the procedure."""

    SAME = "same"
    CHANGED = "changed"
    DROPPED = "dropped"


class AssumptionKind(StrEnum):
    """What kind of thing is taken for granted."""

    UNIQUE = "unique"
    NOT_NULL = "not_null"
    OTHER = "other"


class Edit(_Shape):
    """A replacement: ``old`` occurs exactly once in the present model."""

    old: str
    new: str


class EquivalenceNote(_Shape):
    """What lines of the procedure became in the model; ``target`` is a CTE, or empty."""

    first_line: int
    last_line: int
    target: str
    relation: Relation
    note: str


class AnsweredAssumption(_Shape):
    """Something the model takes for granted about a table's columns, or in words."""

    kind: AssumptionKind
    relation: str
    columns: tuple[str, ...]
    text: str
    line: int


class Blocker(_Shape):
    """Why there can be no faithful model, or something suspicious in the material."""

    line: int
    kind: str
    reason: str


class Authored(_Shape):
    """The answer to a draft and to a correction."""

    design: str
    model_sql: str
    edits: tuple[Edit, ...]
    equivalence: tuple[EquivalenceNote, ...]
    assumptions: tuple[AnsweredAssumption, ...]
    blockers: tuple[Blocker, ...]
    changes: tuple[str, ...]


class IssueSeverity(StrEnum):
    """How much an issue weighs."""

    ERROR = "error"
    WARNING = "warning"


class AnsweredIssue(_Shape):
    """One finding of a review; ``evidence`` is quoted from what was sent."""

    code: str
    severity: IssueSeverity
    message: str
    evidence: str
    model_line: int
    procedure_line: int
    fix: str


class AnsweredCheck(_Shape):
    """One of the four checks."""

    issues: tuple[AnsweredIssue, ...]


class AnsweredChecks(_Shape):
    """The four checks of a review."""

    standards: AnsweredCheck
    correctness: AnsweredCheck
    test_integration: AnsweredCheck
    materialization: AnsweredCheck


class Reviewed(_Shape):
    """The answer to a review. It has no verdict: that is derived from the issues."""

    checks: AnsweredChecks


def schema_of(shape: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a shape as the API takes it: closed, all required, no references."""
    document = shape.model_json_schema()
    definitions = document.pop("$defs", {})
    plain = _plain(document, definitions)
    assert isinstance(plain, dict)
    return plain


def _plain(node: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(node, list):
        return [_plain(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _plain(definitions[node["$ref"].rpartition("/")[2]], definitions)
    kept = {k: v for k, v in node.items() if k not in ("title", "description", "default")}
    if "properties" in node:
        kept["properties"] = {k: _plain(v, definitions) for k, v in node["properties"].items()}
        kept["required"] = list(node["properties"])
        kept["additionalProperties"] = False
    return {k: v if k == "properties" else _plain(v, definitions) for k, v in kept.items()}


AUTHORED_SCHEMA = schema_of(Authored)
REVIEWED_SCHEMA = schema_of(Reviewed)

S = TypeVar("S", bound=BaseModel)


def read_answer(shape: type[S], text: str) -> S | ClaudeFailure:
    """Read an answer that the server says is complete; nothing of it is taken on trust."""
    try:
        return shape.model_validate(json.loads(text))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the answer"
        said = f"{place}: {first['msg']}"
    except ValueError as error:
        said = str(error)
    except RecursionError:
        said = "it is nested without end"
    return ClaudeFailure(
        Kind.UNREADABLE, f"The answer does not have the shape that was asked for ({said})."
    )

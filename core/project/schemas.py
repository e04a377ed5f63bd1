"""The JSON Schema of each project file, for people and tools that write them by hand.

Generated from the models that read the files, so it cannot drift from what is accepted.
"""

from __future__ import annotations

import json
from typing import Any

from core.project.catalog import CatalogTable
from core.project.lenient import FileModel
from core.project.manifest import Manifest
from core.project.suggest import did_you_mean
from core.project.testspec import TestSpec

SCHEMAS: dict[str, tuple[type[FileModel], str]] = {
    "manifest": (Manifest, "manifest.json"),
    "catalog": (CatalogTable, "catalog/tables/<schema>.<table>.json"),
    "test-spec": (TestSpec, "test-specs/<schema>.<table>.json"),
}


def json_schema(kind: str) -> dict[str, Any]:
    """The JSON Schema of ``manifest``, ``catalog`` or ``test-spec``.

    Raises:
        KeyError: for any other kind; :func:`unknown_schema` has the sentence.
    """
    model, file = SCHEMAS[kind]
    schema = model.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": file,
        **{key: value for key, value in schema.items() if key != "title"},
    }


def render_schema(kind: str) -> str:
    """The text of ``proc2dbt schema KIND``."""
    return json.dumps(json_schema(kind), indent=2).replace("``", "`")


def unknown_schema(kind: str) -> str:
    """The sentence for a kind of file that does not exist."""
    return f"There is no schema '{kind}'{did_you_mean(kind, SCHEMAS)}: use {', '.join(SCHEMAS)}."

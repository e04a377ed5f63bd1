"""``_stg_<table>.yml``: the properties of one model, laid out for people, read by dbt."""

from __future__ import annotations

from core.dbt.artifacts import ArtifactRequest, Artifacts


def render_model_yaml(request: ArtifactRequest) -> Artifacts:
    """Render the YAML of one model."""
    raise NotImplementedError

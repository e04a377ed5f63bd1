"""The models in ``golden/`` are what the compiler writes, byte for byte."""

from __future__ import annotations

from tests.core.compiler import golden_models


def test_models_are_as_they_were_read() -> None:
    written = golden_models.models()
    kept = {p.name: p.read_text(encoding="utf-8") for p in golden_models.FOLDER.glob("*.sql")}
    assert sorted(written) == sorted(kept)
    for name, text in written.items():
        assert text == kept[name], name

"""The corpus: procedures over eight small warehouses, with their tables in ``corpus/tables``.

``corpus_files()`` gives paths; ``read(path)`` the text with its line ends and byte order mark as
they are in the file; the first word of a file's name is the warehouse whose tables it uses.
"""

from __future__ import annotations

from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"


def corpus_files() -> list[Path]:
    return sorted(CORPUS.glob("*.sql"))


def read(path: Path) -> str:
    return path.read_bytes().decode("utf-8")


def tables_of(path: Path) -> Path:
    return CORPUS / "tables" / f"{path.stem.split('_')[0]}.sql"

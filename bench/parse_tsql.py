"""How fast T-SQL is read: procedures per second, and a 100-line procedure in milliseconds.

Run with ``python bench/parse_tsql.py``. Structure is what `parse_script` does; leaves are the
sqlglot trees of every data statement and expression, which are built on first use. Times are CPU
time, the best of three rounds.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from core.tsql.nodes import Expr, Leaf, walk  # noqa: E402
from core.tsql.parser import parse_script  # noqa: E402

ROUNDS = 3


def main() -> None:
    texts = [
        path.read_bytes().decode()
        for path in sorted((ROOT / "tests/core/tsql/corpus").glob("*.sql"))
    ]
    measure("warm-up", texts[:5])
    structure, leaves, lines = measure("corpus", texts)
    procedures = sum(len(parse_script(text).procedures) for text in texts)
    print(f"{procedures} procedures, {lines} lines")
    print(f"structure:          {procedures / structure:8.0f} procedures/s")
    print(f"structure + leaves: {procedures / (structure + leaves):8.0f} procedures/s")
    print(f"100 lines, structure: {structure / lines * 1e5:.1f} ms CPU")
    print(f"100 lines, leaves:    {leaves / lines * 1e5:.1f} ms CPU")


def measure(name: str, texts: list[str]) -> tuple[float, float, int]:
    """Best seconds for structure and for leaves over `ROUNDS`, and the lines read."""
    best_structure = best_leaves = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        scripts = [parse_script(text) for text in texts]
        middle = time.process_time()
        for script in scripts:
            for node in walk(script):
                if isinstance(node, Leaf | Expr):
                    _ = node.parsed
        end = time.process_time()
        best_structure = min(best_structure, middle - start)
        best_leaves = min(best_leaves, end - middle)
    return best_structure, best_leaves, sum(text.count("\n") + 1 for text in texts)


if __name__ == "__main__":
    main()

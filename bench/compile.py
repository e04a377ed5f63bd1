"""How fast the compiler is and how much it writes: ``python bench/compile.py [DIR]``.

Compiles every procedure of a folder of ``.sql`` files (the T-SQL corpus of the tests by default)
and prints the median and 90th percentile of the time per procedure, and lines out per line in.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from core.compiler.report import compile_report


def main() -> None:
    default = Path(__file__).parents[1] / "tests" / "core" / "tsql" / "corpus"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    report = compile_report(folder)
    compiled = [p for p in report.procedures if any(t.compiled for t in p.targets)]
    if not compiled:
        print(f"{folder}: nothing compiled")
        return
    times = sorted(p.seconds / len(p.targets) * 1000 for p in compiled)
    lines_in = sum(p.lines_in for p in compiled)
    lines_out = sum(t.lines_out for p in compiled for t in p.targets)
    print(f"{folder}: {len(report.procedures)} procedures, {len(compiled)} with a model")
    print(f"compile time per model: median {statistics.median(times):.0f} ms, ", end="")
    print(f"90th percentile {times[int(len(times) * 0.9)]:.0f} ms, longest {times[-1]:.0f} ms")
    print(f"lines out per line in: {lines_out} / {lines_in} = {lines_out / lines_in:.2f}")
    print(f"compiled share of the procedures that write a permanent table: {report.share:.1%}")


if __name__ == "__main__":
    main()

"""What the corpus of procedures looks like and how much of it compiles: ``bench/corpus_shapes.py``.

Prints the compiled share per shape and in all, the share among the procedures that the interpreter
can execute, what stops the others, and how often the corpus uses each construct beside the
published frequency in real code bases.
"""

from __future__ import annotations

import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from core.compiler import report
from core.compiler.folder import Database
from core.compiler.inference import with_inferred
from core.interpreter import NotExecutable, Reference
from core.project.files import read_text
from core.tsql import nodes
from core.tsql.lexer import tokenize
from core.tsql.parser import parse_script
from core.tsql.tokens import TokenKind

CORPUS = Path(__file__).parents[1] / "tests" / "core" / "tsql" / "corpus"

PUBLISHED = (
    "T-SQL load procedures in the wild: a few hundred procedures of about seventy public code bases"
)
"""Where the frequencies come from. "sample" caps each code base; "production" is the part of
organisations' production warehouses. Percent of procedures."""

_N = r"[\w.#@\[\]]+"
CONSTRUCTS: tuple[tuple[str, str, float, float], ...] = (
    # name, pattern over the text without comments and contents of strings, sample, production
    ("TRUNCATE TABLE", r"\bTRUNCATE TABLE\b", 35.7, 35.5),
    ("DELETE (any)", r"\bDELETE\b(?! ?;)", 15.5, 25.5),
    ("INSERT .. SELECT", r"\bINSERT\b(?:(?!\bINSERT\b|\bVALUES\b).)*?\bSELECT\b", 78.0, 80.1),
    ("INSERT .. VALUES", rf"\bINSERT (?:INTO )?{_N} ?(?:\([^()]*\) ?)?VALUES\b", 22.0, 26.4),
    ("INSERT .. EXEC", rf"\bINSERT (?:INTO )?{_N} ?(?:\([^()]*\) ?)?EXEC", 1.3, 2.6),
    ("MERGE", r"\bMERGE\b", 19.3, 20.8),
    ("MERGE .. NOT MATCHED BY SOURCE", r"\bNOT MATCHED BY SOURCE\b", 2.0, 3.0),
    ("MERGE .. WHEN MATCHED AND", r"\bWHEN MATCHED AND\b", 9.9, 11.7),
    ("OUTPUT clause", r"\bOUTPUT (?:INSERTED|DELETED|\$ACTION)", 5.8, 10.0),
    ("UPDATE (any)", rf"\bUPDATE (?!STATISTICS){_N}", 31.7, 28.1),
    (
        "UPDATE .. FROM",
        rf"\bUPDATE {_N} SET (?:(?!\bUPDATE\b|\bINSERT\b|\bSELECT\b).)*?\bFROM\b",
        20.4,
        19.5,
    ),
    (
        "SELECT .. INTO (any)",
        r"\bSELECT\b(?:(?!\bSELECT\b|\bINSERT\b|\bMERGE\b|\bOUTPUT\b|\bFETCH\b).)*?\bINTO\b",
        14.8,
        22.1,
    ),
    ("CREATE TABLE #temp", r"\bCREATE TABLE #", 13.9, 18.6),
    ("any #temp table", r"#\w", 23.4, 32.5),
    ("table variable", r"\bDECLARE @\w+ (?:AS )?TABLE\b", 9.9, 16.5),
    ("SELECT @v = .. FROM", r"\bSELECT @\w+ ?= (?:(?!\bSELECT\b|\bSET\b).)*?\bFROM\b", 19.8, 20.3),
    ("IF", r"\bIF\b", 42.9, 54.1),
    ("WHILE", r"\bWHILE\b", 16.6, 19.0),
    ("cursor", r"\bCURSOR\b", 10.1, 10.8),
    ("TRY/CATCH", r"\bBEGIN TRY\b", 36.9, 42.0),
    ("transaction", r"\bBEGIN TRAN", 20.4, 16.0),
    ("EXEC proc", r"\bEXEC(?:UTE)? (?!\(|SP_EXECUTESQL)", 17.1, 18.2),
    ("dynamic SQL", r"\bSP_EXECUTESQL\b|\bEXEC(?:UTE)? ?\(", 7.6, 9.1),
    ("RAISERROR", r"\bRAISERROR\b", 12.6, 17.7),
    ("THROW", r"\bTHROW\b", 10.1, 10.8),
    ("PRINT", r"\bPRINT\b", 20.4, 17.7),
    ("RETURN", r"\bRETURN\b", 15.3, 12.6),
    ("SET NOCOUNT ON", r"\bSET NOCOUNT ON\b", 52.1, 48.9),
    ("has parameters", r"\A\S.*?\bPROC(?:EDURE)? \S+ \(? ?@", 33.5, 35.1),
    ("INNER JOIN", r"(?<!LEFT )(?<!RIGHT )(?<!FULL )(?<!OUTER )(?<!CROSS )\bJOIN\b", 42.9, 52.4),
    ("LEFT JOIN", r"\bLEFT (?:OUTER )?JOIN\b", 28.3, 33.8),
    ("CROSS/OUTER APPLY", r"\bAPPLY\b", 2.9, 2.6),
    ("EXISTS", r"(?<!NOT )\bEXISTS\b", 11.7, 16.0),
    ("NOT EXISTS", r"\bNOT EXISTS\b", 12.1, 14.7),
    ("CTE", r"\bWITH \w+ (?:\([^()]*\) )?AS ?\( ?SELECT\b", 15.5, 17.7),
    ("UNION ALL", r"\bUNION ALL\b", 6.5, 5.2),
    ("UNION", r"\bUNION (?!ALL)", 3.4, 4.3),
    ("EXCEPT", r"\bEXCEPT\b", 2.0, 1.3),
    ("GROUP BY", r"\bGROUP BY\b", 22.0, 27.3),
    ("ROLLUP/CUBE/GROUPING SETS", r"\b(?:ROLLUP|CUBE|GROUPING SETS)\b", 0.7, 0.0),
    ("SELECT DISTINCT", r"\bSELECT DISTINCT\b", 23.6, 33.8),
    ("CASE", r"\bCASE\b", 28.1, 34.6),
    ("window function (OVER)", r"\bOVER ?\(", 16.9, 22.5),
    ("TOP (any)", r"\bTOP\b", 11.2, 10.4),
    ("PIVOT", r"\bPIVOT\b", 2.2, 1.7),
    ("UNPIVOT", r"\bUNPIVOT\b", 0.7, 0.9),
    ("FOR XML", r"\bFOR XML\b", 1.3, 0.9),
    ("NOLOCK hint", r"\bNOLOCK\b", 7.6, 13.0),
    ("BETWEEN", r"\bBETWEEN\b", 9.7, 16.5),
    ("SELECT *", r"\bSELECT \*", 23.1, 24.7),
    ("SCOPE_IDENTITY()", r"\bSCOPE_IDENTITY\b", 3.4, 0.4),
    ("@@ROWCOUNT", r"@@ROWCOUNT\b", 9.9, 7.8),
    ("ISNULL", r"\bISNULL\b", 27.9, 35.1),
    ("GETDATE", r"\bGETDATE\b", 31.9, 35.5),
    ("3-part name", r"(?<![\w.])\w+\.\w+\.\w+(?![\w.])", 28.8, 36.4),
    ("linked server (4-part name)", r"\w+\.\w+\.\w*\.\w+", 5.2, 9.5),
)


def plain(text: str) -> str:
    """A text for patterns: upper case, single blanks, no comments, no contents of strings."""
    words = []
    for token in tokenize(text):
        if token.is_trivia:
            words.append(" ")
        elif token.kind is TokenKind.STRING:
            words.append("''")
        elif token.kind is TokenKind.QUOTED:
            words.append(re.sub(r"\W", "_", token.text[1:-1]))
        else:
            words.append(token.upper)
    return re.sub(r"\s+", " ", "".join(words)).strip()


def shape_of(file: str) -> str:
    """``merge`` for ``retail_merge_b.sql``: the corpus names files by warehouse and shape."""
    return re.sub(r"_[a-z]$", "", Path(file).stem.partition("_")[2])


def not_executable() -> dict[tuple[str, str], tuple[NotExecutable, ...]]:
    """What the interpreter cannot run, by file and procedure."""
    found: dict[tuple[str, str], tuple[NotExecutable, ...]] = {}
    for tables in sorted((CORPUS / "tables").glob("*.sql")):
        paths = [tables, *sorted(CORPUS.glob(f"{tables.stem}_*.sql"))]
        scripts = [(path.name, parse_script(read_text(path))) for path in paths]
        database = Database.of(script for _, script in scripts)
        everything = [node for _, script in scripts for node in script.procedures]
        schema, _ = with_inferred(database.schema(), everything, database.views)
        with Reference(schema, database.modules) as reference:
            for name, script in scripts:
                for node in script.procedures:
                    key = f"{node.name.schema or 'dbo'}.{node.name.name}"
                    found[(name, str(node.name))] = reference.not_executable(key)
    return found


def coverage(found: report.Report) -> None:
    """Compiled shares, and what stops the others."""
    writers = [p for p in found.procedures if p.targets]
    compiled = [p for p in writers if p.status == "compiled"]
    print(f"{found.files} files, {len(found.procedures)} procedures, {len(writers)} write a table")
    print(
        f"compiled: {len(compiled)} of {len(writers)} writers, {len(compiled) / len(writers):.1%}"
    )
    refused = not_executable()
    runnable = [p for p in writers if not refused.get((Path(p.file).name, p.procedure))]
    loops = [
        p
        for p in runnable
        if p.status != "compiled" and all(x.compiled or x.construct == "WHILE" for x in p.targets)
    ]
    rest = [p for p in runnable if p not in loops]
    share = sum(p.status == "compiled" for p in rest) / len(rest)
    print(
        f"the interpreter executes {len(runnable)} of the writers; {len(loops)} of them stop at a"
    )
    print(f"loop without a bound ({', '.join(p.file for p in loops) or 'none'});")
    print(f"compiled among the other {len(rest)}: {share:.1%}\n")
    by_shape: dict[str, list[bool]] = defaultdict(list)
    for procedure in writers:
        by_shape[shape_of(procedure.file)].append(procedure.status == "compiled")
    print("compiled per shape:")
    for shape, results in sorted(by_shape.items(), key=lambda item: (-len(item[1]), item[0])):
        print(f"  {sum(results):3} of {len(results):3}  {shape}")
    print("\nnot compiled, by reason:")
    reasons: dict[tuple[str, str], list[str]] = defaultdict(list)
    for procedure in writers:
        first = next((x for x in procedure.targets if not x.compiled), None)
        if first is not None:
            place = f"{procedure.file}:{first.line}"
            reasons[(first.construct, first.reason)].append(place)
    for (construct, reason), places in sorted(reasons.items(), key=lambda item: -len(item[1])):
        print(f"  {len(places):3}  {construct}: {reason} ({', '.join(places)})")


def frequencies() -> None:
    """How often each construct occurs, beside the published numbers."""
    counts: Counter[str] = Counter()
    bodies: Counter[str] = Counter()
    total = terminated = statements = with_none = 0
    for path in sorted(CORPUS.glob("*.sql")):
        script = parse_script(read_text(path))
        for node in script.procedures:
            total += 1
            text = plain(script.text_of(node))
            counts.update(name for name, pattern, *_ in CONSTRUCTS if re.search(pattern, text))
            bodies[_skeleton(text)] += 1
            leaves = [x for x in nodes.statements(node) if isinstance(x, nodes.Leaf)]
            ends = sum(
                script.text_of(x).rstrip().endswith(";") or _ended(script, x) for x in leaves
            )
            statements += len(leaves)
            terminated += ends
            with_none += not ends
    print(f"\n{total} procedures; {len(bodies)} distinct bodies (names and numbers apart)")
    print(
        f"{terminated / statements:.0%} of data statements end with a semicolon (published: 43 %);"
    )
    print(f"{with_none} of {total} procedures end none with one\n")
    print(f"published: {PUBLISHED}")
    print(f"{'construct':32} {'corpus':>7} {'corpus %':>9} {'sample %':>9} {'production %':>13}")
    for name, _, sample, production in CONSTRUCTS:
        share = counts[name] / total
        print(f"{name:32} {counts[name]:7} {share:9.1%} {sample:8.1f}% {production:12.1f}%")


def _ended(script: nodes.Script, leaf: nodes.Leaf) -> bool:
    """Whether a semicolon follows a statement."""
    return script.source[leaf.span.end : leaf.span.end + 40].lstrip().startswith(";")


def _skeleton(text: str) -> str:
    """A body with every name, number and variable alike: what copies share."""
    keywords = (
        r"\b(?!SELECT|INSERT|UPDATE|DELETE|MERGE|FROM|JOIN|WHERE|GROUP|BY|ORDER|CASE|WHEN|IF|"
    )
    keywords += r"WHILE|BEGIN|END|SET|DECLARE|EXEC|INTO|VALUES|LEFT|AND|OR|NOT|IN|EXISTS|UNION)"
    return re.sub(keywords + r"[\w.@#]+", "x", text)


def main() -> None:
    """Print everything."""
    coverage(report.compile_report(CORPUS))
    frequencies()


if __name__ == "__main__":
    main()

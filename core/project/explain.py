"""What each code means, why it appears and what to do about it: ``proc2dbt explain CODE``."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from core.project.codes import WARNING_CODES, Code
from core.project.suggest import did_you_mean


@dataclass(frozen=True)
class Explanation:
    """One code for people: meaning, cause, remedy, each in a sentence or two."""

    meaning: str
    cause: str
    remedy: str


_REVIEW = "A review issue; it counts only if it is still there after the last review."

EXPLANATIONS: dict[Code, Explanation] = {
    Code.MANIFEST_NOT_FOUND: Explanation(
        "The folder is not a migration project: it has no manifest.json.",
        "The command runs in another folder, or the extraction has not been done.",
        "Change into the project, name it with --project DIR, or write a manifest.json "
        "(`proc2dbt schema manifest`).",
    ),
    Code.MANIFEST_CORRUPT: Explanation(
        "manifest.json exists but is not what it should be.",
        "Broken JSON (the message names line and column) or a field of the wrong shape.",
        "Repair the named line; `proc2dbt schema manifest` prints what is expected.",
    ),
    Code.DBT_PROJECT_MISSING: Explanation(
        "There is no dbt project to write models into.",
        "dbt/dbt_project.yml does not exist.",
        "Run `proc2dbt init-dbt`, or put your dbt project into dbt/.",
    ),
    Code.DBT_PROFILE_MISSING: Explanation(
        "A run against your own warehouse has no usable dbt profile.",
        "No profiles.yml was found in dbt's search order, it is not readable, or it has no such "
        "profile or target.",
        "Add the target to profiles.yml, or leave --target out: the embedded DuckDB needs no "
        "profile.",
    ),
    Code.DBT_CONNECTION_FAILED: Explanation(
        "The warehouse of --target could not be reached.",
        "Wrong host, database or credentials, no network, or the connection was lost in the "
        "middle of a run (then it is a warning, and the rest was checked on the embedded DuckDB).",
        "Run `dbt debug --target NAME` in dbt/ until it passes, or leave --target out.",
    ),
    Code.TABLE_UNKNOWN: Explanation(
        "No table of that name is known to the project.",
        "Neither catalog/tables nor ddl/tables.sql names it: a typo, or it was not extracted.",
        "Check the spelling (`proc2dbt status` lists every table), or extract the table.",
    ),
    Code.CATALOG_FILE_MISSING: Explanation(
        "The table is in the DDL, but nothing else is known about it.",
        "catalog/tables/<schema>.<table>.json does not exist.",
        "Run the catalog stage for the table, or write the file (`proc2dbt schema catalog`).",
    ),
    Code.CATALOG_FILE_CORRUPT: Explanation(
        "A catalog file exists but is not what it should be.",
        "Broken JSON (the message names line and column) or a field of the wrong shape.",
        "Repair the named field; `proc2dbt schema catalog` prints what is expected.",
    ),
    Code.SCOPING_NOT_COMPLETED: Explanation(
        "It is not known which procedure loads the table.",
        "scoping.selected_writer is missing: no procedure writes the table, or several do and "
        "nobody chose one.",
        "Put the writer's name into scoping.selected_writer, or mark the table is_source when no "
        "procedure loads it.",
    ),
    Code.PROFILE_NOT_COMPLETED: Explanation(
        "The table is not profiled, so its materialization cannot be chosen.",
        "profile is missing, its status is not ok, or it has no classification.",
        "Run the profiling stage, or write profile by hand: status and "
        "classification.resolved_kind are needed, primary_key and watermark wanted.",
    ),
    Code.TEST_SPEC_NOT_FOUND: Explanation(
        "The table has no usable scenarios; a model without tests is not generated.",
        "test-specs/<schema>.<table>.json does not exist, or its status is error.",
        "Run the test-spec stage, or write the file (`proc2dbt schema test-spec`).",
    ),
    Code.TEST_SPEC_CORRUPT: Explanation(
        "A test spec exists but is not what it should be.",
        "Broken JSON (the message names line and column) or a field of the wrong shape.",
        "Repair the named field; `proc2dbt schema test-spec` prints what is expected.",
    ),
    Code.PROCEDURE_NOT_FOUND: Explanation(
        "The text of the table's writer is missing.",
        "ddl/procedures.sql has no CREATE PROCEDURE of that name; an encrypted procedure cannot "
        "be scripted.",
        "Script the procedure into ddl/procedures.sql, or correct scoping.selected_writer.",
    ),
    Code.DIALECT_NOT_SUPPORTED: Explanation(
        "The source or the target speaks a SQL dialect that is not supported yet.",
        "manifest.json names another dialect than T-SQL, or --target uses an adapter that is "
        "not DuckDB or not installed.",
        "Only T-SQL procedures are compiled, and models are written in DuckDB's SQL; correct "
        "the manifest, or leave --target out.",
    ),
    Code.MODEL_NAME_CONFLICT: Explanation(
        "The model's name is taken.",
        "Two tables with a writer share it (silver.Customer and gold.Customer), or a model of "
        "that name exists that was not generated for this table.",
        'Give one of them a name in proc2dbt.toml: [model_names] "gold.customer" = '
        '"stg_gold_customer".',
    ),
    Code.GENERATION_FAILED: Explanation(
        "No usable model could be produced.",
        "The procedure does something the author cannot express; the message names the line and "
        "the reason.",
        "Read the named line: simplify the procedure, try --author both, or write the model by "
        "hand.",
    ),
    Code.EQUIVALENCE_GAP: Explanation(
        "Procedure and model differ in meaning, or that could not be excluded.",
        "Running both on the same data gave different tables, or a statement could not be "
        "executed.",
        "Look at the counterexample in .migration-runs/<item>.counterexample.json; correct the "
        "model or accept the difference in the app.",
    ),
    Code.DBT_COMPILE_FAILED: Explanation(
        "`dbt compile` still fails after the corrections.",
        "The model's SQL or YAML has an error that was not corrected in three attempts.",
        "Read execution.dbt_errors of the item, edit the model, and run `dbt compile`.",
    ),
    Code.DBT_TEST_FAILED: Explanation(
        "`dbt test` or a replayed scenario still fails after the corrections.",
        "The model gives other rows than the ones captured on SQL Server, or a data test fails.",
        "Compare expected and actual rows in the item's result; the captured rows are right.",
    ),
    Code.REVIEW_KICKED_BACK: Explanation(
        "The reviewer asked for a revision, and the model was revised.",
        "A review issue was found; the feedback is in the item's result.",
        "Nothing, when the next review approved; else look at the issues it left.",
    ),
    Code.REVIEW_APPROVED_WITH_WARNINGS: Explanation(
        "The model was approved although issues are left.",
        "The last review found issues that are not revised any more.",
        "Read the issues in the item's review and decide whether they matter.",
    ),
    Code.CANCELLED: Explanation(
        "The item was cancelled before it was finished.",
        "Somebody cancelled it or interrupted the run.",
        "Continue with --resume.",
    ),
    Code.BUDGET_REACHED: Explanation(
        "The run has spent what it may on Claude.",
        "The next request could have exceeded --max-cost.",
        "Raise --max-cost and continue with --resume.",
    ),
    Code.WORKER_LOST: Explanation(
        "The process that worked on the item died.",
        "It ran out of memory, was killed, or crashed; other items are not touched.",
        "Continue with --resume; use fewer --jobs when memory is short.",
    ),
    Code.DEADLINE_EXCEEDED: Explanation(
        "The item took longer than it may.",
        "The time of the setting deadline ran out, or one compilation or review did not end "
        "within its fixed 60 seconds (the message says which).",
        "Raise deadline in proc2dbt.toml and continue with --resume; where the 60 seconds ran "
        "out, try again with a free machine, else split the procedure and report it.",
    ),
    Code.CONSENT_MISSING: Explanation(
        "Nobody agreed that texts are sent to Claude.",
        "The author needs Claude, and a headless run cannot ask.",
        "Read what is sent (`--dry-run` says it) and agree with --yes, or use --author compiler.",
    ),
    Code.COMMIT_FAILED: Explanation(
        "The files are written but could not be committed.",
        "git refused: a hook failed, no identity is set, or the index is locked.",
        "Repair what git says and commit the files, or run again with --resume.",
    ),
    Code.PR_FAILED: Explanation(
        "The branch is committed, but the pull request was not opened.",
        "The push was refused, or neither gh nor the hosting service's API could be used.",
        "Push the branch and open the pull request with .migration-runs/pr-body.md.",
    ),
    Code.GIT_NOT_READY: Explanation(
        "git cannot be used for this run.",
        "The project is not in a repository, the repository is bare, or a merge or rebase is "
        "unfinished.",
        "Finish or abort it, run `git init`, or use --in-place, which needs no git.",
    ),
    Code.RUN_UNFINISHED: Explanation(
        "An earlier run over these tables was not finished.",
        "It was interrupted, and its work is still there.",
        "Continue it with --resume, or drop it with --discard.",
    ),
    Code.RUN_LOCKED: Explanation(
        "Another proc2dbt works in the same place.",
        "A living process holds .migration-runs/lock.",
        "Wait for it, or end it; the lock of a dead process is taken over.",
    ),
    Code.SETTINGS_INVALID: Explanation(
        "A setting cannot be used.",
        "proc2dbt.toml, a PROC2DBT_ variable or a flag has an unknown name or a wrong value.",
        "Correct the named place; `proc2dbt config` prints every setting.",
    ),
    Code.COUNTEREXAMPLE_CORRUPT: Explanation(
        "A counterexample file cannot be run again.",
        "The file of `proc2dbt check --replay` is not JSON, or lacks its table, rounds or rows.",
        "Name a file .migration-runs/<item>.counterexample.json as a check has written it.",
    ),
    Code.MISSING_CONFIG_BLOCK: Explanation(
        "The model does not say how it is materialized. " + _REVIEW,
        "It has no config() block.",
        "Begin the model with {{ config(materialized='...') }}.",
    ),
    Code.WRONG_MATERIALIZATION: Explanation(
        "The materialization does not fit the table. " + _REVIEW,
        "It differs from what the classification and the procedure ask for.",
        "Use the materialization the issue names, or correct the table's classification.",
    ),
    Code.HARDCODED_TABLE_NAME: Explanation(
        "The model names a table directly. " + _REVIEW,
        "A relation is read without source() or ref().",
        "Read it through source() or ref().",
    ),
    Code.MISSING_SCHEMA_TESTS: Explanation(
        "A data test is missing from the model's YAML. " + _REVIEW,
        "The key has no unique and not_null, a foreign key no relationships, or an incremental "
        "model no recency test.",
        "Add the test the issue names.",
    ),
    Code.MISSING_UNIT_TESTS_BLOCK: Explanation(
        "The model's YAML has no unit tests although the test spec has scenarios. " + _REVIEW,
        "unit_tests is missing.",
        "Generate the YAML again, or add every scenario of the test spec.",
    ),
    Code.CTE_PATTERN_VIOLATION: Explanation(
        "The model is not laid out as import CTEs, logical CTEs, final. " + _REVIEW,
        "A CTE is missing, does too much, or the model does not end in select * from final.",
        "Bring it into that order.",
    ),
    Code.NAMING_VIOLATION: Explanation(
        "A name does not follow the conventions. " + _REVIEW,
        "The model, its file, or a CTE is named otherwise than the contract says.",
        "Rename what the issue names.",
    ),
    Code.MISSING_DESCRIPTION: Explanation(
        "A description is missing from the model's YAML. " + _REVIEW,
        "The model or one of its columns has none.",
        "Describe it.",
    ),
    Code.MISSING_SOURCE_TABLE: Explanation(
        "The procedure reads a table the model does not. " + _REVIEW,
        "A relation was lost in translation.",
        "Read the table the issue names, or show that it has no effect.",
    ),
    Code.MISSING_COLUMN: Explanation(
        "The procedure fills a column the model does not. " + _REVIEW,
        "A column was lost in translation.",
        "Add the column the issue names.",
    ),
    Code.JOIN_MISMATCH: Explanation(
        "A join differs from the procedure's. " + _REVIEW,
        "Its kind, its keys or its conditions were changed.",
        "Join as the named line of the procedure does.",
    ),
    Code.FILTER_MISMATCH: Explanation(
        "A filter differs from the procedure's. " + _REVIEW,
        "A condition was lost, added or changed.",
        "Filter as the named line of the procedure does.",
    ),
    Code.GRAIN_MISMATCH: Explanation(
        "The model's rows stand for something else than the procedure's. " + _REVIEW,
        "A GROUP BY, a DISTINCT or a de-duplication was lost, added or changed.",
        "Group as the named line of the procedure does.",
    ),
    Code.MERGE_SEMANTICS_LOST: Explanation(
        "The model does not update, insert or delete as the procedure's MERGE does. " + _REVIEW,
        "A branch of the MERGE has no counterpart.",
        "Add the counterpart the issue names, or change the strategy.",
    ),
    Code.SCENARIO_DROPPED: Explanation(
        "A scenario of the test spec is not among the unit tests. " + _REVIEW,
        "It was left out of the YAML.",
        "Add it; no scenario may be dropped.",
    ),
    Code.SCENARIO_ALTERED: Explanation(
        "A unit test differs from its scenario. " + _REVIEW,
        "Given or expected rows were changed; they were captured on SQL Server and are right.",
        "Restore the scenario and correct the model instead.",
    ),
    Code.INPUT_REF_MISMATCH: Explanation(
        "A unit test gives rows to another input than the model reads. " + _REVIEW,
        "Its input is a source() where the model has a ref(), or the other way round.",
        "Use the input the model uses.",
    ),
}
"""Every code; a test checks that none is missing."""


def explain(code: str) -> str | None:
    """The text of ``proc2dbt explain CODE`` (any case, ``-`` for ``_``); ``None`` if unknown."""
    found = find_code(code)
    if found is None:
        return None
    entry = EXPLANATIONS[found]
    severity = "warning" if found in WARNING_CODES else "error"
    lines = [f"{found.value} ({severity})", ""]
    for title, text in (("What", entry.meaning), ("Why", entry.cause), ("Do", entry.remedy)):
        lines += textwrap.wrap(
            text,
            width=88,
            initial_indent=f"  {title:<6}",
            subsequent_indent=" " * 8,
            break_long_words=False,
            break_on_hyphens=False,
        )
    return "\n".join(lines)


def find_code(text: str) -> Code | None:
    """The code somebody typed, in any case, with ``-`` or blanks for ``_``."""
    name = "_".join(text.strip().replace("-", " ").replace("_", " ").split()).upper()
    return Code(name) if name in Code.__members__ else None


def unknown_code(text: str) -> str:
    """The sentence for a code that does not exist."""
    return f"There is no code '{text}'{did_you_mean(text, Code)}; see docs/codes.md."


def codes_page() -> str:
    """``docs/codes.md``: every code with meaning, cause and remedy; a test keeps it current."""
    lines = [
        "# Codes",
        "",
        "Everything proc2dbt complains about has a code. `proc2dbt explain CODE` prints the same.",
        "",
        "| code | what | why | do |",
        "|---|---|---|---|",
    ]
    for code in Code:
        entry = EXPLANATIONS[code]
        cells = (f"`{code.value}`", entry.meaning, entry.cause, entry.remedy)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"

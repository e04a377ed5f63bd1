"""The table list over projects of all kinds."""

from __future__ import annotations

from pathlib import Path

from tests.core.pipeline.small_project import write_spec, write_table
from tests.tui.kit import Kit, Opened
from tui.screens.tables import TablesScreen


async def test_an_empty_folder_says_what_is_missing(kit: Kit) -> None:
    kit.root.mkdir()
    async with kit.open() as app:
        assert "MANIFEST_NOT_FOUND" in app.text
        await app.press("r")
        assert "manifest.json" in app.toasts()


async def test_a_project_without_tables(kit: Kit) -> None:
    kit.tables = ()
    async with kit.write().open() as app:
        assert "no tables" in app.text
        await app.press("r", "a", "space", "enter", "o", "y")
        assert "0 tables" not in app.toasts()


async def test_a_broken_project_says_where(kit: Kit) -> None:
    kit.write()
    (kit.root / "manifest.json").write_text("{ broken", encoding="utf-8")
    async with kit.open() as app:
        assert "MANIFEST_CORRUPT" in app.text


async def test_no_ready_table(kit: Kit) -> None:
    kit.write()
    for name in ("Customer", "Sales", "Store"):
        write_table(kit.root, "silver", name, profile={"status": "partial"})
    async with kit.open() as app:
        assert "3 blocked" in app.text
        assert "not profiled" in app.text
        assert "PROFILE_NOT_COMPLETED" in app.text, "the details give code and sentence"
        await app.press("r")
        assert "ready" in app.toasts()
        await app.press("a")
        assert "No table is ready" in app.toasts()


async def test_a_broken_spec_blocks_only_its_table(kit: Kit) -> None:
    kit.write()
    (kit.root / "test-specs/silver.customer.json").write_text("[1", encoding="utf-8")
    write_spec(kit.root, "silver", "Sales", status="error", errors=["no rows"])
    async with kit.open() as app:
        assert "bad test spec" in app.text
        assert "1 ready" in app.text
        await app.started("a", "r")
        await app.done()
        assert app.state.totals.ok == 1


async def test_filter_and_sort_are_remembered(kit: Kit, tmp_path: Path) -> None:
    file = tmp_path / "app.json"
    kit.write()
    async with kit.open(prefs_file=file) as app:
        await app.press("slash")
        await app.type("sal")
        assert "silver.Customer" not in app.text
        await app.press("enter")
        await app.press("s")
        await app.press("ctrl+t")
    async with kit.open(prefs_file=file) as app:
        assert "silver.Customer" not in app.text
        assert "by status" in app.text
        assert app.app.theme == "proc2dbt-light"
        await app.press("slash", "escape")
        assert "silver.Customer" in app.text


async def test_the_details_have_procedure_columns_spec_and_last_result(kit: Kit) -> None:
    async with kit.write().open() as app:
        assert "CREATE PROCEDURE silver.usp_LoadCustomer" in app.text
        await app.press("2")
        assert "NVARCHAR(50)" in app.text
        await app.press("3")
        assert "test_load_customer" in app.text
        await app.press("4")
        assert "No run of this table yet" in app.text
        await app.started("r")
        await app.done()
        await app.press("S", "a", "C", "y")
        await app.until(lambda: app.state.finished)
        await app.press("escape", "escape")
        await app.until(lambda: app.name == "TablesScreen")
        await app.shows("✓ ok")


async def test_search_in_the_details(kit: Kit) -> None:
    async with kit.write().open() as app:
        await app.press("tab", "slash")
        await app.type("bronze")
        await app.press("enter")
        pane = app.app.screen.query_one("#detail")
        assert pane.has_focus
        assert pane._hits == [6]  # type: ignore[attr-defined]


async def test_preselected_tables_are_marked(kit: Kit) -> None:
    async with kit.write().open(preselected=("silver.sales",)) as app:
        assert "1 selected" in app.text


async def test_all_ready_keeps_what_is_preselected_and_takes_it_back_only_when_pressed_again(
    kit: Kit,
) -> None:
    names = ("silver.customer", "silver.sales", "silver.store")
    async with kit.write().open(preselected=names) as app:
        await app.press("a")
        assert "3 selected" in app.text
        await app.press("a")
        assert "selected" not in app.text.splitlines()[0]


async def test_all_ready_pressed_while_the_project_is_read_marks_what_comes(kit: Kit) -> None:
    app = kit.write().app()
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        opened = Opened(app, pilot)
        screen = app.screen
        assert isinstance(screen, TablesScreen)
        complete = app.session.view.complete
        screen.act_all_ready()
        assert not complete
        await opened.until(lambda: app.session.view.complete)
        await opened.shows("3 selected")


async def test_five_thousand_tables(kit: Kit) -> None:
    kit.tables = tuple(f"silver.Table{n:04}" for n in range(5000))
    kit.write()
    app = kit.app()
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        opened = Opened(app, pilot)
        await opened.until(lambda: len(app.session.view.tables) > 5000)
        await opened.press("G")
        await opened.press("g")
        await opened.press("slash")
        await opened.type("table4321")
        assert "silver.table4321" in opened.text.lower()
        assert "silver.table0001" not in opened.text.lower()


async def test_copy_export_and_command(kit: Kit) -> None:
    async with kit.write().open() as app:
        await app.press("y")
        assert "CREATE PROCEDURE" in app.app.clipboard
        await app.press("a", "Y")
        assert app.app.clipboard == (
            "proc2dbt --headless silver.customer silver.sales silver.store --in-place"
        )
        await app.press("o")
        (written,) = (kit.root / ".migration-runs/exports").iterdir()
        assert "usp_LoadCustomer" in written.read_text(encoding="utf-8")


async def test_help_lists_every_key_and_maximize_leaves_only_the_pane(kit: Kit) -> None:
    async with kit.write().open(size=(80, 24)) as app:
        await app.press("question_mark")
        assert "Mark or unmark the row" in app.text
        await app.press("escape")
        await app.press("m")
        assert "Kind" not in app.text
        await app.press("m")
        assert "Status" in app.text


async def test_keys_can_be_remapped(kit: Kit) -> None:
    from dataclasses import replace

    kit.settings = replace(kit.settings, keys={"run": "f5"})
    async with kit.write().open() as app:
        assert "f5 run" in app.text
        await app.started("f5")
        assert app.state.totals.total == 1


async def test_the_palette_has_the_actions_by_name(kit: Kit) -> None:
    async with kit.write().open() as app:
        await app.press("ctrl+p")
        await app.shows("All ready")
        await app.type("history")
        await app.shows("History")
        await app.press("enter")
        await app.until(lambda: app.name == "HistoryScreen")


async def test_the_details_say_what_the_compiler_would_do(kit: Kit) -> None:
    kit.write()
    ddl = kit.root / "ddl/procedures.sql"
    text = ddl.read_text(encoding="utf-8")
    ddl.write_text(
        text.replace("select s.Id, s.Name from bronze.Sales s", "exec etl.usp_Unknown"),
        encoding="utf-8",
    )
    async with kit.open(previews=True) as app:
        await app.shows("will handle it: ")
        assert "reads     bronze.customer" in app.text.lower()
        await app.press("j")
        await app.shows("refuses")

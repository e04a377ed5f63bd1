"""The built wheel, installed in another environment, does what the repository does."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy so that no build folder appears in the repository."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    subprocess.run([*command, "--wheel-dir", str(folder), str(source)], check=True, timeout=600)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel, which borrows the dependencies of this one."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home, with_pip=True)
    bin_folder = home / ("Scripts" if os.name == "nt" else "bin")
    subprocess.run(
        [bin_folder / "python", "-m", "pip", "install", "--quiet", "--no-deps", str(wheel)],
        check=True,
        timeout=600,
    )
    purelib = subprocess.run(
        [bin_folder / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    # A plain path: the .pth files there, an editable install among them, are not read.
    (Path(purelib) / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return bin_folder


def test_what_is_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "core/demo/retail/manifest.json" in names
    assert "core/demo/retail/ddl/procedures.sql" in names
    assert "core/demo/retail/gitignore" in names
    listed = subprocess.run(
        ["git", "ls-files", "core", "tui", "styles"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(listed.stdout.split()) <= set(names)
    assert not [name for name in names if name.startswith(("tests/", "docs/", "bench/"))]


def test_the_installed_command_copies_the_demo_and_reads_it(
    installed: Path, tmp_path: Path
) -> None:
    def proc2dbt(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [installed / "proc2dbt", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    assert proc2dbt("--version").stdout.startswith("proc2dbt")
    copied = proc2dbt("demo", "--no-run")
    assert copied.returncode == 0, copied.stderr
    where = subprocess.run(
        [installed / "python", "-c", "import core; print(core.__file__)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(ROOT) not in where.stdout
    status = proc2dbt("status", "--project", "proc2dbt-demo")
    assert "silver.DimCustomer" in status.stdout
    run = proc2dbt(
        *("--headless", "--in-place", "--project", "proc2dbt-demo"),
        *("silver.DimStore", "silver.DimCategory"),
    )
    assert run.returncode == 0, run.stderr
    assert "ok: 2" in run.stdout

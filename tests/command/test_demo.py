"""The demonstration proves what it says, and says so when it cannot."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from groundup.view import weave

DEMO = Path(__file__).parents[2] / "examples" / "demo.py"


@pytest.fixture
def originals(tmp_path, body):
    folder = tmp_path / "originals"
    for name in ("a.py", "b/__init__.py", "b/c/__init__.py", "b/ä #%.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode() + body)
    (folder / ".hidden").write_bytes(b"x")
    (folder / "b" / "link").symlink_to("c")
    return folder


def test_the_demo_downloads_and_compares_every_file(originals, tmp_path):
    page = tmp_path / "weave" / "demo.html"
    line = [sys.executable, str(DEMO), "--page", str(page), str(originals)]
    result = subprocess.run(line, capture_output=True, text=True, timeout=50, check=False)
    assert result.returncode == 0, result
    assert "files       4\n" in result.stdout
    assert "bytes       1,200,0" in result.stdout
    assert "SHA-256     every file of both downloads equals its original" in result.stdout
    assert result.stderr == ""
    assert result.stdout.endswith(f"weave       {page.as_uri()}\n")
    assert 'id="weave"' in page.read_text(encoding="utf-8")
    shown = weave.load(page.with_suffix(".weave"))
    assert set(shown.texts("lanes.coroutine")) >= {"_download", "Crew._work"}


def test_the_demo_sees_every_difference(originals, tmp_path):
    spec = importlib.util.spec_from_file_location("demo", DEMO)
    demo = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(demo)
    expected = {name: demo.digest(originals / name) for name in demo.names(originals)}
    copy = tmp_path / "copy"
    for name in expected:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes((originals / name).read_bytes())
    assert demo.differing(expected, copy) == []
    (copy / "a.py").write_bytes(b"other")
    (copy / "b" / "__init__.py").unlink()
    (copy / ".more.part").write_bytes(b"")
    assert demo.differing(expected, copy) == [
        str(copy / name) for name in (".more.part", "a.py", "b/__init__.py")
    ]

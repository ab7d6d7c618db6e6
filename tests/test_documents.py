"""The programs in the documents do what the text beside them says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PROGRAM = re.compile(r"```python\n((?:(?!```).)*)```\s*```text\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


def programs():
    for document in DOCUMENTS:
        for number, (program, output) in enumerate(PROGRAM.findall(document.read_text()), 1):
            yield pytest.param(program, output, id=f"{document.relative_to(ROOT)}-{number}")


@pytest.mark.parametrize(("program", "output"), list(programs()))
def test_a_program_prints_what_stands_below_it(program, output, tmp_path):
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (ran.stdout, ran.stderr) == (output, "")


def test_the_front_page_has_programs():
    assert len(PROGRAM.findall(DOCUMENTS[0].read_text())) >= 2


@pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda document: str(document.relative_to(ROOT))
)
def test_links_lead_to_files(document):
    missing = [
        link for link in LINK.findall(document.read_text()) if not (document.parent / link).exists()
    ]
    assert missing == []

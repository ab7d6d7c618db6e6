"""The chapter about the ladder shows what stands in the files."""

import re
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHAPTER = ROOT / "docs" / "ladder.md"
#: Examples that show something else.
NO_RUNGS = {"weave"}


def excerpts():
    """Its fenced excerpts of Python, Rust and output, each with the file linked last before."""
    path = None
    for link, language, code in re.findall(
        r"\]\((\.\./[^)]+)\)|^```(python|rust|text)\n(.*?)^```$",
        CHAPTER.read_text(),
        re.MULTILINE | re.DOTALL,
    ):
        if link:
            path = CHAPTER.parent / link
        else:
            yield path, language, code


def test_every_excerpt_stands_in_the_file_it_names():
    suffixes = {"python": ".py", "rust": ".rs", "text": ".txt"}
    count = 0
    for path, language, code in excerpts():
        assert path.suffix == suffixes[language], code
        assert code in windows(path.read_text(), code.count("\n")), f"{path}:\n{code}"
        count += 1
    assert count >= 25


def test_every_link_leads_somewhere():
    text = CHAPTER.read_text()
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    anchors = {"#" + re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}
    for target in re.findall(r"\]\(([^)]+)\)", text):
        assert target in anchors or (CHAPTER.parent / target).is_file(), target


def test_it_shows_every_program_of_the_ladder():
    text = CHAPTER.read_text()
    for path in (ROOT / "crates" / "groundup" / "examples").glob("*.rs"):
        if path.stem in NO_RUNGS:
            continue
        assert f"examples/{path.name}" in text
        assert f"examples/{path.stem}.py" in text


def windows(text, height):
    """All pieces of `text` that are `height` lines high, without their common indentation."""
    lines = text.splitlines(keepends=True)
    pieces = ("".join(lines[n : n + height]) for n in range(len(lines) - height + 1))
    return {textwrap.dedent(piece) for piece in pieces}

"""Downloads thousands of real files at once and proves every byte.

A file server in a process of its own (examples/file_server.py, on the groundup loop) serves the
Python standard library of this interpreter, or the folder that is given. `groundup wget` downloads
all of it, first many files at once, then the same files one after the other. Both times the
SHA-256 of every file is compared with the original's. The first download is recorded, and drawn on
a page: which task ran when, what it waited for, who woke it.

    python examples/demo.py [--page FILE] [FOLDER]

Exits with 1 when a download failed or a single byte differs.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

GROUNDUP = [sys.executable, "-m", "groundup"]
SERVER = Path(__file__).with_name("file_server.py")
# Compiled files come and go, and what is installed is not the standard library's.
LEFT_OUT = {"__pycache__", "site-packages", "dist-packages"}


def main() -> int:
    """Run the demonstration and return its exit code."""
    parser = argparse.ArgumentParser(description="Download a folder's files with groundup wget.")
    stdlib = sysconfig.get_paths()["stdlib"]
    parser.add_argument("folder", nargs="?", type=Path, default=Path(stdlib).resolve())
    parser.add_argument("--page", type=Path, metavar="FILE", help="where the picture is to lie")
    options = parser.parse_args()
    folder = options.folder
    page = (options.page or Path(tempfile.mkdtemp(prefix="groundup-weave-"), "demo.html")).resolve()
    page.parent.mkdir(parents=True, exist_ok=True)
    recording = page.with_suffix(".weave")
    originals = {name: digest(folder / name) for name in sorted(names(folder))}
    size = sum((folder / name).stat().st_size for name in originals)
    with file_server(folder) as url, tempfile.TemporaryDirectory(prefix="groundup-demo-") as work:
        print(f"{len(originals):,} files of {folder} are served at {url}", flush=True)
        urls = Path(work, "urls.txt")
        urls.write_text("".join(f"{url}/{urllib.parse.quote(name)}\n" for name in originals))
        shown = [] if sys.stdout.isatty() else ["--quiet"]
        many = download(urls, Path(work, "many"), *shown, recording=recording)
        one = download(urls, Path(work, "one"), "-j", "1", "--quiet")
        wrong = [
            *differing(originals, Path(work, "many")),
            *differing(originals, Path(work, "one")),
        ]
    print(f"files       {len(originals):,}")
    print(f"bytes       {size:,}")
    print(f"at once     {many:.2f} s   (groundup wget)")
    print(f"one by one  {one:.2f} s   (groundup wget -j 1: the same client, one file at a time)")
    for name in wrong:
        print(f"DIFFERENT   {name}", file=sys.stderr)
    if not wrong:
        print("SHA-256     every file of both downloads equals its original")
    draw(recording, page)
    print(f"weave       {page.as_uri()}")
    return 1 if wrong else 0


def names(folder: Path) -> Iterator[str]:
    """The paths below `folder` of its plain files; no links, nothing hidden."""
    for here, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in LEFT_OUT and name[0] != "."]
        for path in (Path(here, name) for name in files if name[0] != "."):
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(folder).as_posix()


def digest(path: Path) -> str:
    """The SHA-256 of the file at `path`."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def file_server(folder: Path) -> Iterator[str]:
    """Serve `folder` from a process of its own; give its URL."""
    line = [*GROUNDUP, "run", str(SERVER), str(folder)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            url = server.stdout.readline().strip()
            if not url:
                raise SystemExit("the file server did not start")
            yield url
        finally:
            server.terminate()


def download(urls: Path, folder: Path, *options: str, recording: Path | None = None) -> float:
    """Download all `urls` into `folder`, keeping their paths; return the seconds it took.

    What happens in the loop meanwhile goes to the file `recording`, if that is given.
    """
    began = time.perf_counter()
    line = [*GROUNDUP, "wget", "--paths", "-o", str(folder), "-i", str(urls), *options]
    recorded = {} if recording is None else {"GROUNDUP_RECORD": str(recording)}
    code = subprocess.run(line, check=False, env=os.environ | recorded).returncode
    if code != 0:
        raise SystemExit(f"groundup wget exited with {code}")
    return time.perf_counter() - began


def draw(recording: Path, page: Path) -> None:
    """Make a page of what was recorded."""
    line = [*GROUNDUP, "view", str(recording), "--no-open", "-o", str(page)]
    subprocess.run(line, check=True, stdout=subprocess.DEVNULL)


def differing(originals: dict[str, str], folder: Path) -> list[str]:
    """The files below `folder` that are missing, superfluous or not equal to their originals."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    found = {path.relative_to(folder).as_posix(): digest(path) for path in files}
    everything = sorted(found.keys() | originals.keys())
    return [str(folder / name) for name in everything if found.get(name) != originals.get(name)]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

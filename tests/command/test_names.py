"""Names taken from URLs stay in their folder, are told apart, and can be written."""

import pytest
from yarl import URL

from groundup.command.wget.names import LONGEST, Names, plain

from .conftest import files

HOSTILE = {
    "..": "_.",
    ".": "_",
    "...": "_..",
    "%2e%2e": "_.",
    "..%2F..%2Fetc%2Fpasswd": "_._.._etc_passwd",
    "%2Fetc%2Fpasswd": "_etc_passwd",
    "a%00b": "a_b",
    "a%0Ab": "a_b",
    "%1B[2J": "_[2J",
    "a%E2%80%AEtxt.exe": "a_txt.exe",  # A mark that makes a terminal write backwards.
    ".bashrc": "_bashrc",
    ".a.12345678.part": "_a.12345678.part",
    "%FF": "%FF",
    "%20": " ",
    "%C3%A4.txt": "ä.txt",
    "a%": "a%",
}


@pytest.mark.parametrize(("segment", "name"), HOSTILE.items())
def test_a_hostile_segment_becomes_a_plain_name(segment, name):
    assert plain(segment) == name


@pytest.mark.parametrize("name", ["a" * 300 + ".tar", "ä" * 300 + ".tar", "%C3%A4" * 300 + ".tar"])
def test_a_long_name_is_cut_but_keeps_its_suffix(name):
    short = plain(name)
    assert LONGEST - 1 <= len(short.encode()) <= LONGEST
    assert short.endswith(".tar")


def test_a_long_suffix_is_cut_as_well():
    assert plain("a." + "b" * 300) == "a." + "b" * (LONGEST - 2)


def test_names_that_are_cut_to_the_same_are_told_apart(tmp_path):
    names = Names(tmp_path)
    given = {names.place(URL(f"http://h/{'a' * 300}{number}")).path for number in range(3)}
    assert len(given) == 3


def test_hostile_urls_are_saved_inside_the_folder(wget, origin, folder, tmp_path):
    origin.default = lambda handler: handler.respond(200, b"x")
    paths = [*(f"/{segment}" for segment in HOSTILE), "//etc/passwd", "/" + "y" * 300, "/"]
    for options in ([], ["-x"]):
        assert wget(*options, *map(origin.url, paths)).code == 0
    saved = files(folder)
    assert len(saved) >= 2 * len(HOSTILE)
    assert [path for path in tmp_path.iterdir() if path != folder] == []
    assert not any(part.startswith(".") for name in saved for part in name.split("/"))


def test_hostile_folders_stay_inside_the_folder(tmp_path):
    names = Names(tmp_path, paths=True)
    for path in (
        "/..%2f../a",
        "/%2e%2e/%2e%2e/a",
        "/.ssh/authorized_keys",
        "//a//b",
        "/a%2f..%2f/b",
    ):
        place = names.place(URL(f"http://h{path}", encoded=True)).path
        assert place.is_relative_to(tmp_path)
        parts = place.relative_to(tmp_path).parts
        assert parts
        assert not any(part.startswith(".") or "/" in part for part in parts), parts


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "outside").mkdir()
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "folder").symlink_to(tmp_path / "outside")
    (inside / "file").symlink_to(tmp_path / "outside" / "file")
    names = Names(inside, paths=True, go_on=True)
    assert names.place(URL("http://h/folder/a")).path == inside / "folder.1" / "a"
    assert names.place(URL("http://h/file")).path == inside / "file.1"


def test_a_name_is_not_file_and_folder_at_once(tmp_path):
    names = Names(tmp_path, paths=True)
    given = [
        names.place(URL(f"http://h{path}")).path.relative_to(tmp_path).as_posix()
        for path in ("/a", "/a/b", "/a/c", "/d/e", "/d", "/a")
    ]
    assert given == ["a", "a.1/b", "a.1/c", "d/e", "d.1", "a.2"]


def test_the_same_urls_get_the_same_names_again(tmp_path):
    urls = [URL(f"http://h/{path}/f") for path in ("a", "b", "a/f/g", "c")]
    first, second = (
        [names.place(url).path for url in urls] for names in (Names(tmp_path), Names(tmp_path))
    )
    assert first == second


@pytest.mark.timeout(10)
def test_many_equal_names_are_given_quickly(tmp_path):
    names = Names(tmp_path)
    given = {names.place(URL(f"http://h/{number}/same")).path for number in range(5000)}
    assert len(given) == 5000

"""The `groundup` command itself."""

import os

import pytest

import groundup
from groundup.__main__ import main

from .conftest import finish


def test_version_is_the_package_s(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["--version"])
    assert exit_.value.code == 0
    assert capsys.readouterr().out == f"groundup {groundup.__version__}\n"


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["view", "--help"], ["wget", "--help"]]
)
def test_help_is_given(capsys, arguments):
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 0
    assert capsys.readouterr().out.startswith("usage: groundup")


@pytest.mark.parametrize("arguments", [[], ["curl"], ["--wget"]])
def test_an_unknown_command_is_wrong_usage(capsys, arguments):
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    assert "usage: groundup" in capsys.readouterr().err


@pytest.mark.parametrize("package", ["aiohttp", "rich"])
def test_wget_without_its_packages_says_what_to_install(command, tmp_path, package):
    # Python finds this one first, and it fails as a package that is not there.
    (tmp_path / f"{package}.py").write_text(
        f"raise ModuleNotFoundError('there is no {package}', name='{package}')\n"
    )
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = dict(os.environ, PYTHONPATH=path)
    result = finish(command("wget", "http://127.0.0.1/a", env=environment))
    assert result.code == 2
    assert f"needs the package {package}" in result.err
    assert 'pip install "groundup[wget]"' in result.err
    assert "Traceback" not in result.err


def test_the_other_commands_need_no_packages(command, tmp_path):
    for package in ("aiohttp", "rich", "yarl"):
        (tmp_path / f"{package}.py").write_text("raise ModuleNotFoundError\n")
    (tmp_path / "program.py").write_text("print('it runs')\n")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = dict(os.environ, PYTHONPATH=path)
    result = finish(command("run", str(tmp_path / "program.py"), env=environment))
    assert (result.code, result.out, result.err) == (0, "it runs\n", "")

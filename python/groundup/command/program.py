"""What `python` would run for a script's path or a module's name: its code and its `__main__`.

It promises python's search path and python's words when there is nothing to run. It must not run
anything but the packages above a module, which python imports first as well.
"""

from __future__ import annotations

import builtins
import importlib.util
import os
import pkgutil
import sys
from importlib.machinery import ModuleSpec, SourceFileLoader, SourcelessFileLoader
from types import CodeType
from typing import Any, NamedTuple


class Program(NamedTuple):
    """A program that is ready to run.

    `code` is to be executed in a `__main__` module that has `attributes`; `argv0` is its
    sys.argv[0].
    """

    code: CodeType
    attributes: dict[str, Any]
    argv0: str


class NotFound(Exception):
    """There is nothing to run; `exit_code` is what python exits with in this case."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def script(path: str) -> Program:
    """Read the program at `path`: a source or .pyc file, or a folder or zip with a __main__.py.

    Puts the script's folder, or that folder or zip itself, first on sys.path. Raises NotFound, and
    SyntaxError as the compiler does.
    """
    whole = os.path.join(os.getcwd(), path)
    importer = pkgutil.get_importer(whole)
    if importer is None:
        _search_first(os.path.dirname(os.path.realpath(whole)))
        return _from_file(whole, path)
    _search_first(whole, even_when_safe=True)
    spec = importer.find_spec("__main__", None)
    if spec is None:
        raise NotFound(f"can't find '__main__' module in {whole!r}", 1)
    return _from_spec(spec, path)


def module(name: str) -> Program:
    """Find the module `name`, or `name.__main__` of a package, with the working folder first.

    Raises NotFound, and whatever the packages above it raise while they are imported.
    """
    _search_first(os.getcwd())
    spec = _spec(name)
    if spec.submodule_search_locations is not None:
        try:
            spec = _spec(f"{name}.__main__")
        except NotFound as missing:
            problem = f"{missing}; {name!r} is a package and cannot be directly executed"
            raise NotFound(problem, 1) from None
    return _from_spec(spec, spec.origin or name)


def _search_first(folder: str, *, even_when_safe: bool = False) -> None:
    # Unless python runs in safe-path mode, sys.path[0] is now the folder of this command itself.
    if not sys.flags.safe_path:
        sys.path[0] = folder
    elif even_when_safe:
        sys.path.insert(0, folder)


def _from_file(file: str, argv0: str) -> Program:
    compiled = file.endswith(".pyc")
    loader = (SourcelessFileLoader if compiled else SourceFileLoader)("__main__", file)
    try:
        data = loader.get_data(file)
    except OSError as error:
        problem = f"can't open file {file!r}: [Errno {error.errno}] {error.strerror}"
        raise NotFound(problem, 2) from None
    code = loader.get_code("__main__") if compiled else loader.source_to_code(data, file)
    assert code is not None, "a file's loader has code or raises"
    attributes = {"__file__": file, "__loader__": loader, "__cached__": None, "__package__": None}
    return Program(code, attributes | {"__builtins__": builtins}, argv0)


def _spec(name: str) -> ModuleSpec:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        problem = f"{type(error).__name__}: {error}"
        message = f"Error while finding module specification for {name!r} ({problem})"
        if name.endswith(".py"):
            message += f". Try using {name[:-3]!r} instead of {name!r} as the module name."
        raise NotFound(message, 1) from None
    if spec is None:
        raise NotFound(f"No module named {name}", 1)
    return spec


def _from_spec(spec: ModuleSpec, argv0: str) -> Program:
    get_code = getattr(spec.loader, "get_code", None)
    code = get_code(spec.name) if get_code else None
    if code is None:
        raise NotFound(f"No code object available for {spec.name}", 1)
    attributes: dict[str, Any] = {"__file__": spec.origin, "__cached__": spec.cached}
    attributes |= {"__loader__": spec.loader, "__package__": spec.parent, "__spec__": spec}
    attributes["__builtins__"] = builtins
    return Program(code, attributes, argv0)

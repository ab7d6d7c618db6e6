"""What `inspect` says of each kind of function, of what a call gives, and of the code's flags.

The flags are those of the running interpreter; its `inspect` documents them as `inspect.CO_…`, and
their numbers are no promise between versions.
"""

import dis
import inspect
import types

import groundup


def plain(x):
    return x * x


def generator(x):
    yield
    return x * x


@types.coroutine
def types_coroutine(x):
    yield
    return x * x


@groundup.coroutine
def groundup_coroutine(x):
    yield
    return x * x


async def async_def(x):
    return x * x


async def async_generator(x):
    yield x * x


FUNCTIONS = [plain, generator, types_coroutine, groundup_coroutine, async_def, async_generator]
OF_FUNCTIONS = [
    inspect.isfunction,
    inspect.isgeneratorfunction,
    inspect.iscoroutinefunction,
    inspect.isasyncgenfunction,
]
OF_RESULTS = [inspect.isgenerator, inspect.iscoroutine, inspect.isasyncgen, inspect.isawaitable]


def holding(questions, thing):
    """The names of the questions that are answered with yes."""
    return [question.__name__ for question in questions if question(thing)]


def code_of(function, result):
    """The code that a call of the function runs: what a call gave refers to it."""
    for name in ("gi_code", "cr_code", "ag_code"):
        if hasattr(result, name):
            return getattr(result, name)
    return function.__code__


def flag_names(flags):
    """The names of the bits in `flags`, as the running interpreter calls them."""
    bits = [1 << n for n in range(flags.bit_length()) if flags & 1 << n]
    return [dis.COMPILER_FLAG_NAMES.get(bit, hex(bit)) for bit in bits]


def describe(function):
    """What there is to say of a function, as pairs of a heading and a text."""
    result = function(3)
    flags = code_of(function, result).co_flags
    if hasattr(result, "close"):
        result.close()  # it is not run: an async function's would be reported as never awaited
    yield "the function", holding(OF_FUNCTIONS, function)
    yield "a call gives", [type(result).__name__, *holding(OF_RESULTS, result)]
    yield "co_flags", [str(flags), *flag_names(flags)]


if __name__ == "__main__":
    for function in FUNCTIONS:
        print(function.__name__)
        for heading, words in describe(function):
            print(f"    {heading}: {' '.join(words)}")

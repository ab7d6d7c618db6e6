"""One after the other: to await is to wait, so the second begins when the first has ended."""

import groundup


@groundup.coroutine
def display(values):
    for value in values:
        print(value)
        yield


async def display_both(first, second):
    await display(first)
    await display(second)


groundup.run(display_both("ABC", "123"))

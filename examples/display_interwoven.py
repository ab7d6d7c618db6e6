"""By turns: the same `display`, not awaited by one function but resumed side by side."""

import groundup


@groundup.coroutine
def display(values):
    for value in values:
        print(value)
        yield


groundup.run_all([display("ABC"), display("123")])

"""Two `async` functions take turns, as the generators did: each gives way where it awaits."""

import groundup


@groundup.coroutine
def square(x):
    yield
    print("square", x)
    return x * x


async def sum_of_squares(x, y):
    return await square(x) + await square(y)


async def print_sum_of_squares(x, y):
    print(await sum_of_squares(x, y))


groundup.run_all([print_sum_of_squares(3, 4), print_sum_of_squares(30, 40)])

"""An `async` function awaits two generators: the new words and the old idea are one."""

import groundup


@groundup.coroutine
def square(x):
    yield
    print("square", x)
    return x * x


async def sum_of_squares(x, y):
    return await square(x) + await square(y)


print(groundup.run(sum_of_squares(3, 4)))

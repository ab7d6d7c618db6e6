"""A generator run to its end gives one value: seen from outside, it is a function that can wait."""

import groundup


@groundup.coroutine
def square(x):
    yield
    print("square", x)
    return x * x


print(groundup.run(square(3)))

"""A generator delegates to another with `yield from`.

The other's yields go out through it, and what the other returns is the result. Whoever takes turns
sees two generators only; that each is made of two is no concern of theirs.
"""

import groundup


def square(x):
    yield
    print("Computing square of", x)
    return x * x


def sum_of_squares(numbers):
    total = 0
    for n in numbers:
        total += yield from square(n)
    yield
    print("sum_of_squares", numbers, total)
    return total


groundup.run_all([sum_of_squares([1, 2, 3, 4, 5]), sum_of_squares([10, 20, 30, 40, 50])])

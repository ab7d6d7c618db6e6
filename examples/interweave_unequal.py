"""Two generators of unequal length take turns: when one is done, the other goes on alone."""

import groundup


def squares(numbers):
    for n in numbers:
        print("Computing square of", n)
        yield n * n


groundup.run_all([squares([1, 2, 3, 4, 5, 6]), squares([10, 20, 30, 40])])

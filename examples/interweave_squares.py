"""Two generators of equal length take turns.

Nothing runs at once: each generator computes one square, hands it out, and waits to be resumed.
"""

import groundup


def squares(numbers):
    for n in numbers:
        print("Computing square of", n)
        yield n * n


groundup.run_all([squares([1, 2, 3, 4]), squares([10, 20, 30, 40])])

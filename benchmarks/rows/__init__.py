"""All rows, a family to a file; the docstring of a row's function says what the row does."""

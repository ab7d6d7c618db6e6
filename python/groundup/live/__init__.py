"""Looking at running programs: what a program that is recorded offers, and what is seen of it.

`listener` is the program's part, `program` the part of who looks. The program hands out the files
that its loops are recorded into, open for reading; all else is read from those, and costs it
nothing.
"""

"""The sub-commands of `groundup`.

`run` starts a program on the loop, `top` looks at one that runs, `view` shows a recording of one,
`wget` downloads files.
Each offers `add_parser(commands)`, which describes its options and sets `carry_out`, a function
from the parsed options to an exit code.
"""

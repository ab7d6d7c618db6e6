"""The interpreter's own tests of asyncio, run on groundup's loop.

CPython ships the tests of asyncio with the interpreter, as the package `test.test_asyncio`. Here
they are imported from there (nothing is copied) and run on groundup's loop. The rule: every test
that asyncio's own loop passes, this loop passes. So those that it does not pass are run on
asyncio's loop as well, which says what can pass on this machine. Those that ask after private parts
of asyncio's loops do not apply; they stand in `not_applicable.toml`, each with its reason, and none
for failing.

    python -m tests.cpython                                       all, on this interpreter
    python -m tests.cpython --module test_events --test sock      some
    python -m tests.cpython --python .venv-3.11/bin/python        on another one, or several
    python -m tests.cpython --details --json results.json         with all there is to know

It prints a table of the modules and what is missing, and exits with 1 if anything is.

How the tests come to run on the loop (`hooks.py`, before a module is imported):

| how a test makes its loop                                | what is done there                  |
|----------------------------------------------------------|-------------------------------------|
| `asyncio.new_event_loop()`, `asyncio.run()`, a policy:   | asyncio's default policy makes      |
| streams, ssl, tasks, server, runners, subprocess, …      | groundup's loop                     |
| `create_event_loop()` and `new_loop()` of the mixins:    | they name `SelectorEventLoop`,      |
| events, sock_lowlevel, sendfile, server, sslproto,       | which is groundup's, as every name  |
| buffered_proto; `setUp`: base_events, unix_events,       | of a class of loops in asyncio is   |
| pep492                                                   |                                     |
| `IsolatedAsyncioTestCase`: locks, queues, timeouts, …    | its `loop_factory` (3.13 on), or    |
|                                                          | the policy                          |
| `new_test_loop()` of their `TestCase`: futures, tasks    | their `TestLoop`, on simulated time,|
|                                                          | is a subclass of groundup's loop    |
| `tasks._CTask` and `futures._CFuture`, the classes in C, | they name groundup's classes; their |
| by which tests try the same on Python's and on C's       | subclasses are driven by C's code   |

A test that makes a loop of asyncio's all the same has not run on this one, and counts as failed.

How they are run: `conformance.py` collects the tests and cuts them in shards. `crew.py` gives these
to workers, side by side; `worker.py` is one. It runs one test after the other, in a directory and
a session of its own. If a test crashes, hangs beyond the time limit or fails, its worker is ended
with all that it started, and the rest of the shard goes to a new one.
"""

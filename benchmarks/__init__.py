"""Every event loop that is installed, side by side: `python -m benchmarks`.

Reading order: `row.py` says what a row is, `rows/` has them all, a family to a file; `rounds.py`
runs them in turn, `results.py` compares, `table.py` and `chart.py` show. `worker.py` is the process
that a row runs in, on one loop. `load/` is the load, in Rust.
"""

"""Modules of tests that end in every way: what test_harness.py gives the harness to run."""

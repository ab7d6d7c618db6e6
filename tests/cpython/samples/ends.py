"""Tests that pass, fail, crash, hang, skip, and leave something behind."""

import os
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

mess: list[str] = []


class Ends(unittest.TestCase):
    def test_1_passes(self) -> None:
        pass

    def test_2_crashes(self) -> None:
        os.abort()

    def test_3_hangs_with_a_child(self) -> None:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        print(f"child={child.pid}", flush=True)
        while True:
            time.sleep(600)

    def test_4_fails_and_leaves_a_mess(self) -> None:
        mess.append("a mess")
        self.fail("on purpose")

    def test_5_sees_no_mess(self) -> None:
        assert not mess

    def test_6_skips(self) -> None:
        self.skipTest("for a reason")

    def test_7_has_a_thread_that_fails(self) -> None:
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        thread.join()

    def test_8_has_a_directory_of_its_own(self) -> None:
        assert Path.cwd().name.startswith("groundup-")
        assert os.listdir() == ["output"]

"""What asyncio.all_tasks() goes by before Python 3.14.

asyncio has a WeakSet of all tasks. Those of this package are put into it when somebody looks
at it, rather than one by one when they are made, which would take longer than their first step.
"""

import asyncio.tasks
import sys
from typing import Any
from weakref import WeakSet

from groundup import _groundup


class ScheduledTasks(WeakSet[Any]):
    """asyncio's set of tasks; when asked for them, it learns of those that it does not know."""

    @property
    def data(self) -> set[Any]:
        """The weak references that the set is made of."""
        found: set[Any] = self.__dict__["data"]
        for task in _groundup.take_unregistered_tasks():
            self.add(task)
        return found

    @data.setter
    def data(self, data: set[Any]) -> None:
        self.__dict__["data"] = data


def keep_true() -> None:
    """Have asyncio's set of tasks know those of this package, where it is a set."""
    if sys.version_info < (3, 14):
        name = "_all_tasks" if sys.version_info < (3, 12) else "_scheduled_tasks"
        getattr(asyncio.tasks, name).__class__ = ScheduledTasks

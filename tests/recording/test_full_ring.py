"""A recording that is full keeps the end, and what is needed to understand it."""

import asyncio
import math
import re

import groundup
from groundup.view import weave


async def wait_for(event: asyncio.Event) -> None:
    await event.wait()


async def among_many(count: int) -> None:
    """Let a named and a numbered task wait while many others, each with a name of its own, end."""
    event = asyncio.Event()
    named = asyncio.create_task(wait_for(event), name="the patient one")
    numbered = asyncio.create_task(wait_for(event))
    for number in range(count):
        await asyncio.create_task(asyncio.sleep(0), name=f"one of many, {number}")
    event.set()
    await asyncio.gather(named, numbered)


def recorded(path, count):
    with groundup.record(path, megabytes=1 / 16):
        groundup.run(among_many(count))
    return weave.load(path)


def lanes_of(shown, coroutine):
    numbers = range(shown.length("lanes"))
    return [it for it in numbers if shown.text("lanes.coroutine", it) == coroutine]


def test_the_oldest_records_go_and_are_counted(tmp_path):
    shown = recorded(tmp_path / "run.weave", 5_000)
    assert shown.lost > 5_000
    assert (tmp_path / "run.weave").stat().st_size < 65_536
    last = [name for name in shown.texts("lanes.name") if name.startswith("one of many")]
    assert last[-1] == "one of many, 4999"
    assert "one of many, 0" not in last


def test_tasks_that_live_since_long_ago_keep_what_is_known_of_them(tmp_path):
    shown = recorded(tmp_path / "run.weave", 5_000)
    patient = lanes_of(shown, "wait_for")
    numbered, named = sorted(shown.text("lanes.name", lane) for lane in patient)
    assert re.fullmatch(r"Task-[1-9][0-9]*", numbered)
    assert named == "the patient one"
    assert all(shown.text("lanes.file", lane) == __file__ for lane in patient)
    lanes = shown.columns["waits.lane"]
    waits = [wait for wait, lane in enumerate(lanes) if lane in patient]
    assert [shown.text("waits.what", wait).split()[0] for wait in waits] == ["event", "event"]
    assert not any(math.isnan(shown.columns["lanes.ended"][lane]) for lane in patient)


def test_what_fits_is_kept_whole(tmp_path):
    shown = recorded(tmp_path / "run.weave", 10)
    assert shown.lost == 0
    names = [name for name in shown.texts("lanes.name") if name.startswith("one of many")]
    assert names == [f"one of many, {number}" for number in range(10)]

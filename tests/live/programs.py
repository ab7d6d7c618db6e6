"""Programs to be looked at."""

#: Some tasks that wait, for known reasons; one works now and then.
WAITING = """\
import asyncio
import groundup


def say_ready():
    print("ready", flush=True)


async def inner(queue):
    await queue.get()


async def consume(queue):
    await inner(queue)


async def tick():
    while True:
        await asyncio.sleep(0.01)


async def want(lock):
    async with lock:
        pass


async def main():
    queue, lock = asyncio.Queue(), asyncio.Lock()
    await lock.acquire()
    consumer = asyncio.create_task(consume(queue), name="consumer")
    wants = asyncio.create_task(want(lock), name="wants\\x1b[31m\\u202e")
    ticker = asyncio.create_task(tick(), name="ticker")
    asyncio.get_running_loop().call_later(0.1, say_ready)
    await consumer
    await asyncio.wait([wants, ticker])


groundup.run(main())
"""

#: One task takes steps without end while another waits, and each says nothing of it.
BUSY = """\
import asyncio
import groundup


def say_ready():
    print("ready", flush=True)


async def spin():
    while True:
        await asyncio.sleep(0)


async def main():
    asyncio.get_running_loop().call_later(0.2, say_ready)
    waits = asyncio.create_task(asyncio.sleep(1000), name="waits")
    spins = asyncio.create_task(spin(), name="spins")
    await asyncio.gather(waits, spins)


groundup.run(main())
"""

#: A step that blocks the loop for long.
BLOCKED = """\
import asyncio
import time
import groundup


def say_ready():
    print("ready", flush=True)


async def block():
    say_ready()
    time.sleep(50)


async def main():
    await asyncio.create_task(block(), name="blocks")


groundup.run(main())
"""

#: It goes on until it reads a line, and says then what it finds.
ENDING = """\
import asyncio
import sys
import threading
import groundup


def say_ready():
    print("ready", flush=True)


async def main():
    say_ready()
    await asyncio.to_thread(sys.stdin.readline)


threads = threading.active_count()
groundup.run(main())
print(threads, threading.active_count())
"""

#: Two loops, each in a thread of its own, of which the second begins when the first runs.
TWO_LOOPS = """\
import asyncio
import threading
import groundup


async def wait(runs):
    runs.set()
    await asyncio.sleep(1000)


for number in range(2):
    runs = threading.Event()
    threading.Thread(target=groundup.run, args=(wait(runs),)).start()
    runs.wait()
print("ready", flush=True)
"""

#: It forks; the copy says whether it has the socket open, and both go on.
FORKING = """\
import asyncio
import os
import socket
import sys
import time
import groundup


def say_ready():
    print("ready", flush=True)


def listening():
    for name in os.listdir("/proc/self/fd"):
        try:
            with socket.socket(fileno=os.dup(int(name))) as found:
                if found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    return True
        except OSError:
            pass
    return False


async def main():
    say_ready()
    await asyncio.to_thread(sys.stdin.readline)
    found = listening()
    copy = os.fork()
    if copy == 0:
        print(found, listening(), flush=True)
        # What the copy does at its end must leave the socket to its parent.
        sys.exit()
    os.waitpid(copy, 0)
    print("forked", flush=True)
    await asyncio.sleep(1000)


groundup.run(main())
"""

#: A copy of it runs a loop of its own after it has run one.
FORKED_LOOP = """\
import asyncio
import os
import groundup


async def wait():
    print("ready" if os.getpid() == parent else os.getpid(), flush=True)
    await asyncio.sleep(1000 if os.getpid() != parent else 0)


parent = os.getpid()
groundup.run(wait())
copy = os.fork()
if copy == 0:
    groundup.run(wait())
os.waitpid(copy, 0)
"""

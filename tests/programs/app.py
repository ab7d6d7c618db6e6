"""The ASGI application that the servers serve in the tests."""

from __future__ import annotations

import asyncio
import json
import os


async def application(scope, receive, send):
    """Answer by path; know how the server was started and ended."""
    if scope["type"] == "lifespan":
        await live(receive, send)
    elif scope["type"] == "websocket":
        await talk(receive, send)
    else:
        await answers[scope["path"]](scope, receive, send)


async def live(receive, send):
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def talk(receive, send):
    """Answer each message with itself in capitals, and "loop" with the loop that runs."""
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        if message.get("text") == "loop":
            await send({"type": "websocket.send", "text": loop()})
        elif message.get("text") is not None:
            await send({"type": "websocket.send", "text": message["text"].upper()})
        else:
            await send({"type": "websocket.send", "bytes": message["bytes"]})


def loop():
    kind = type(asyncio.get_running_loop())
    return f"{kind.__module__}.{kind.__qualname__}"


async def respond(send, body, more=False):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def tell(scope, receive, send):
    """Tell which loop runs, and in which process."""
    facts = {"loop": loop(), "pid": os.getpid(), "client": scope["client"]}
    await respond(send, json.dumps(facts).encode())


async def echo(scope, receive, send):
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    await respond(send, body)


async def halves(scope, receive, send):
    """Answer as soon as the first part of the request is there, and go on with the last."""
    first = await receive()
    await respond(send, b"begun", more=True)
    second = await receive()
    body = first["body"] + second["body"]
    await send({"type": "http.response.body", "body": body})


async def stall(scope, receive, send):
    """Answer nothing; go when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def stream(scope, receive, send):
    await respond(send, b"", more=True)
    for number in range(1000):
        message = {"type": "http.response.body", "body": b"%d\n" % number, "more_body": True}
        await send(message)
        if number % 100 == 0:
            await asyncio.sleep(0)
    await send({"type": "http.response.body", "body": b""})


async def fail(scope, receive, send):
    raise LookupError("application failed")


answers = {
    "/": tell,
    "/echo": echo,
    "/halves": halves,
    "/stall": stall,
    "/stream": stream,
    "/fail": fail,
}

"""A Starlette application on the loop, which its test client runs in a thread."""

from __future__ import annotations

import asyncio
import contextlib
import os
import warnings

import pytest

import groundup

pytest.importorskip("starlette")

from starlette import background, concurrency, responses, routing
from starlette.applications import Starlette
from starlette.websockets import WebSocketDisconnect

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it would rather have another HTTP client
    from starlette.testclient import TestClient

BODY = os.urandom(1 << 20)


async def loop(request):
    return responses.PlainTextResponse(type(asyncio.get_running_loop()).__module__)


async def later(request):
    done = request.app.state.done
    return responses.Response(background=background.BackgroundTask(done.append, "later"))


async def count(request):
    async def numbers():
        for number in range(100):
            yield f"{number}\n"
            await asyncio.sleep(0)

    return responses.StreamingResponse(numbers())


def blocking(request):
    """Starlette runs what is no coroutine function in a thread."""
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()
    return responses.PlainTextResponse("blocked")


async def threaded(request):
    return responses.PlainTextResponse(await concurrency.run_in_threadpool(str.upper, "up"))


async def capitals(websocket):
    await websocket.accept()
    with contextlib.suppress(WebSocketDisconnect):
        async for text in websocket.iter_text():
            await websocket.send_text(text.upper())


@pytest.fixture
def client(tmp_path):
    (tmp_path / "file").write_bytes(BODY)

    async def file(request):
        return responses.FileResponse(tmp_path / "file")

    @contextlib.asynccontextmanager
    async def lifespan(app):
        app.state.done = ["started"]
        yield
        app.state.done.append("ended")

    routes = [routing.Route(f"/{view.__name__}", view) for view in VIEWS]
    routes += [routing.Route("/file", file), routing.WebSocketRoute("/capitals", capitals)]
    options = {"loop_factory": groundup.new_event_loop}
    application = Starlette(routes=routes, lifespan=lifespan)
    return TestClient(application, backend_options=options)


VIEWS = [loop, later, count, blocking, threaded]


def test_requests_are_answered(client):
    with client:
        assert client.get("/loop").text == "groundup.event_loop"
        assert client.get("/count").text.split() == [str(number) for number in range(100)]
        assert [client.get(path).text for path in ("/blocking", "/threaded")] == ["blocked", "UP"]
        assert client.get("/file").content == BODY
        assert client.get("/later").status_code == 200
    assert client.app.state.done == ["started", "later", "ended"]


def test_web_sockets_talk(client):
    with client, client.websocket_connect("/capitals") as socket:
        for number in range(20):
            socket.send_text(f"message {number}")
            assert socket.receive_text() == f"MESSAGE {number}"

"""A Jupyter kernel whose cells run on the loop, and a client of it that does too."""

from __future__ import annotations

import contextlib

import pytest

from .readme import example

manager = pytest.importorskip("jupyter_client.manager")
pytest.importorskip("ipykernel")


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """Run a kernel, as the README has it, while a client talks to it."""
    folder = tmp_path / "kernels" / "groundup"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(example("json", "{"))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))

    @contextlib.asynccontextmanager
    async def kernel():
        started, client = await manager.start_new_async_kernel(kernel_name="groundup")
        try:
            yield started, client
        finally:
            client.stop_channels()
            await started.shutdown_kernel(now=True)

    return kernel


async def run_cell(client, code):
    """Return what the cell prints and evaluates to, in order, and how it ended."""
    said = []

    def hear(message):
        kind, content = message["msg_type"], message["content"]
        if kind == "stream":
            said.append(content["text"])
        elif kind == "execute_result":
            said.append(content["data"]["text/plain"])

    answer = await client.execute_interactive(code, output_hook=hear, timeout=30)
    return "".join(said), answer["content"]


def test_cells_await_on_the_loop(run, kernel):
    cells = [
        (
            "import asyncio\nloop = asyncio.get_running_loop()\ntype(loop).__module__",
            "'groundup.event_loop'",
        ),
        ("await asyncio.sleep(0.01, 6 * 7)", "42"),
        ("task = asyncio.create_task(asyncio.sleep(0.01, 'late'))", ""),
        ("asyncio.get_running_loop() is loop, await task", "(True, 'late')"),
        ("async with asyncio.timeout(10):\n    print(await asyncio.to_thread(sum, [1, 2]))", "3\n"),
        (
            "process = await asyncio.create_subprocess_exec('echo', 'child', stdout=-1)\n"
            "(await process.communicate())[0]",
            "b'child\\n'",
        ),
    ]

    async def main():
        async with kernel() as (_, client):
            for code, expected in cells:
                said, answer = await run_cell(client, code)
                assert (said, answer["status"]) == (expected, "ok")
            _, answer = await run_cell(
                client, "await asyncio.wait_for(asyncio.Event().wait(), 0.01)"
            )
            assert (answer["status"], answer["ename"]) == ("error", "TimeoutError")

    run(main())


def test_an_interrupt_ends_the_cell_and_not_the_kernel(run, kernel):
    async def main():
        async with kernel() as (started, client):
            code = "import asyncio\nprint('on')\nawait asyncio.sleep(60)"
            cell = client.execute(code, stop_on_error=False)
            while (await client.get_iopub_msg(timeout=30))["msg_type"] != "stream":
                pass
            await started.interrupt_kernel()
            reply = await client.get_shell_msg(timeout=30)
            while reply["parent_header"]["msg_id"] != cell:
                reply = await client.get_shell_msg(timeout=30)
            assert reply["content"]["status"] == "error"
            assert reply["content"]["ename"] in ("KeyboardInterrupt", "CancelledError")
            assert (await run_cell(client, "6 * 7"))[0] == "42"

    run(main())

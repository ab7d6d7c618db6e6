"""The garbage collector may come at any time, also while a transport is being made."""

import subprocess
import sys

import pytest

# Collects whenever the interpreter allocates a container, many of which are kept alive, so that it
# has none lying ready.
PROGRAM = """
import asyncio, gc, os, ssl, subprocess, sys
import groundup

async def serve(reader, writer):
    writer.write(await reader.read(1))
    await writer.drain()
    writer.close()

async def talk(**how):
    reader, writer = await asyncio.open_connection("127.0.0.1", **how)
    writer.write(b"x")
    assert await reader.read(1) == b"x"
    writer.close()

async def streams():
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        await talk(port=server.sockets[0].getsockname()[1])

async def tls():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("server.pem")
    client = ssl.create_default_context(cafile="authority.pem")
    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]
        await talk(port=port, ssl=client, server_hostname="localhost")

async def datagrams():
    loop = asyncio.get_running_loop()
    address = ("127.0.0.1", 0)
    transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, address)
    transport.close()

async def pipes():
    loop = asyncio.get_running_loop()
    reader, writer = (os.fdopen(fd, mode) for fd, mode in zip(os.pipe(), ("rb", "wb")))
    (await loop.connect_read_pipe(asyncio.Protocol, reader))[0].close()
    (await loop.connect_write_pipe(asyncio.Protocol, writer))[0].close()

async def processes():
    process = await asyncio.create_subprocess_exec("true", stdout=subprocess.PIPE)
    await process.communicate()

async def selectors():
    asyncio.get_running_loop()._selector.get_map()

async def main():
    kind, count = globals()[sys.argv[1]], int(sys.argv[2])
    await kind()
    gc.freeze()
    gc.set_threshold(1, 1000, 1000)
    kept = [{} for _ in range(100)]
    await asyncio.gather(*(kind() for _ in range(count)))
    gc.set_threshold(700, 10, 10)

groundup.run(main())
"""

COUNTS = {"streams": 60, "tls": 30, "datagrams": 100, "pipes": 60, "processes": 20, "selectors": 1}


@pytest.mark.parametrize("kind", COUNTS)
def test_a_collection_may_begin_while_a_transport_is_made(kind, authority, tmp_path):
    certificate = authority.issue_cert("localhost").private_key_and_cert_chain_pem
    certificate.write_to_path(str(tmp_path / "server.pem"))
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    command = [sys.executable, "-X", "faulthandler", "-c", PROGRAM, kind, str(COUNTS[kind])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")

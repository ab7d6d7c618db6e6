"""asyncssh, server and client, on the loop: commands, files and forwarded ports."""

from __future__ import annotations

import asyncio
import contextlib
import os

import pytest

asyncssh = pytest.importorskip("asyncssh")

BODY = os.urandom(1 << 20)


class Anyone(asyncssh.SSHServer):
    """Lets in who comes, and forwards ports."""

    def begin_auth(self, username):
        return False

    def connection_requested(self, dest_host, dest_port, orig_host, orig_port):
        return True


@contextlib.asynccontextmanager
async def connection(**options):
    """Give a client's connection to a server that runs the commands asked for."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    trusted = asyncssh.import_known_hosts(f"127.0.0.1 {key.export_public_key().decode()}")
    server = await asyncssh.listen(
        "127.0.0.1", 0, server_factory=Anyone, server_host_keys=[key], **options
    )
    settings = {"known_hosts": trusted, "username": "anyone", "client_keys": None, "config": None}
    async with asyncssh.connect("127.0.0.1", server.get_port(), **settings) as client:
        yield client
    server.close()
    await server.wait_closed()


async def run_for_client(process):
    """Run the client's command, on the client's input."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), asyncio.subprocess.PIPE)
    program = await asyncio.create_subprocess_shell(process.command, **pipes)
    output, errors = await program.communicate(await process.stdin.read())
    process.stdout.write(output)
    process.stderr.write(errors)
    process.exit(program.returncode)


def test_commands_are_run(run):
    async def main():
        async with connection(process_factory=run_for_client, encoding=None) as client:
            told = await client.run("echo said; echo warned >&2; exit 3", stdin=asyncssh.DEVNULL)
            assert (told.stdout, told.stderr, told.exit_status) == ("said\n", "warned\n", 3)
            results = await asyncio.gather(
                *(client.run(f"echo {n}", stdin=asyncssh.DEVNULL) for n in range(20))
            )
            assert [result.stdout for result in results] == [f"{n}\n" for n in range(20)]
            echoed = await client.run("cat", input=BODY, encoding=None)
            assert echoed.stdout == BODY

    run(main())


def test_files_are_copied(run, tmp_path):
    (tmp_path / "here").write_bytes(BODY)

    async def main():
        async with connection(sftp_factory=True) as client, client.start_sftp_client() as files:
            await files.put(tmp_path / "here", tmp_path / "there")
            assert await files.getsize(str(tmp_path / "there")) == len(BODY)
            await files.get(tmp_path / "there", tmp_path / "back")
            with pytest.raises(asyncssh.SFTPNoSuchFile):
                await files.get(tmp_path / "nothing", tmp_path / "x")
        assert (tmp_path / "back").read_bytes() == BODY

    run(main())


def test_a_forwarded_port_leads_to_the_other_side(run):
    async def reverse(reader, writer):
        writer.write((await reader.read())[::-1])
        await writer.drain()
        writer.close()

    async def main():
        async with await asyncio.start_server(reverse, "127.0.0.1", 0) as target:
            port = target.sockets[0].getsockname()[1]
            async with connection() as client:
                listener = await client.forward_local_port("127.0.0.1", 0, "127.0.0.1", port)
                reader, writer = await asyncio.open_connection("127.0.0.1", listener.get_port())
                writer.write(BODY)
                writer.write_eof()
                assert await reader.read() == BODY[::-1]
                writer.close()
                await writer.wait_closed()

    run(main())

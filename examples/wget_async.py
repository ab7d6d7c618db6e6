"""Downloads a URL with `async` and `await`: it reads like code that blocks, and does not block."""

import sys

import aiohttp

import groundup


async def wget(url):
    async with aiohttp.ClientSession(raise_for_status=True) as session:
        response = await session.get(url)
        return await response.read()


if __name__ == "__main__":
    sys.stdout.buffer.write(groundup.run(wget(sys.argv[1])))

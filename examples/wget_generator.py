"""Downloads a URL with a generator: `yield from` delegates to what waits for the network."""

import sys

import aiohttp

import groundup


@groundup.coroutine
def wget(url):
    session = aiohttp.ClientSession(raise_for_status=True)
    try:
        response = yield from session.get(url)
        return (yield from response.read())
    finally:
        yield from session.close()


if __name__ == "__main__":
    sys.stdout.buffer.write(groundup.run(wget(sys.argv[1])))

"""The crew: a bounded number of workers that take one URL after another until none is left.

It promises that there are never more downloads, connections or open files than workers, however
many URLs there are, and that a URL that fails does not disturb the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from urllib.request import getproxies

import aiohttp
from yarl import URL

import groundup
from groundup.command.wget import patience
from groundup.command.wget.display import Display
from groundup.command.wget.failures import Failure, of_disk
from groundup.command.wget.manners import Manners
from groundup.command.wget.names import Names, Place
from groundup.command.wget.partial import Partial
from groundup.command.wget.plan import Plan
from groundup.command.wget.transfers import Tally


class Crew:
    """Downloads a plan, keeping count in `tally` and telling `display` what was saved."""

    def __init__(self, manners: Manners, tally: Tally, display: Display) -> None:
        self._manners = manners
        self._tally = tally
        self._display = display
        self._names = Names(manners.folder, paths=manners.paths, go_on=manners.go_on)

    async def download(self, plan: Plan) -> None:
        """Download all URLs of `plan`; every one is saved, kept or among the tally's failures."""
        urls = iter(plan.urls)
        async with _session(self._manners.timeout) as session, asyncio.TaskGroup() as workers:
            for _ in range(min(self._manners.at_once, len(plan.urls))):
                workers.create_task(self._work(session, urls))

    async def _work(self, session: aiohttp.ClientSession, urls: Iterator[str]) -> None:
        for url in urls:
            try:
                await self._fetch(session, URL(url, encoded=True))
            except Failure as failure:
                self._tally.fail(url, failure)

    async def _fetch(self, session: aiohttp.ClientSession, url: URL) -> None:
        place = self._place(url)
        if place.exists:
            self._tally.kept += 1
            self._display.kept(place.path)
            return
        transfer = self._tally.begin(place.path)
        try:
            with Partial(place, str(url)) as partial:
                await patience.download(session, url, partial, transfer, self._manners)
                place = await partial.finish(place, self._names.another)
        finally:
            self._tally.end(transfer)
        self._tally.count_saved(transfer)
        self._display.saved(transfer, place.path)

    def _place(self, url: URL) -> Place:
        try:
            return self._names.place(url)
        except OSError as error:
            raise of_disk(error) from error


def _session(timeout: float) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        # The crew is the limit; a second one would only hide time in a queue. Names are looked up
        # as the system does, also where aiohttp finds a resolver with errors of its own.
        connector=aiohttp.TCPConnector(limit=0, resolver=aiohttp.ThreadedResolver()),
        timeout=aiohttp.ClientTimeout(total=None, connect=timeout, sock_read=timeout),
        # The server's own bytes are saved: ranges and sizes are counted in them.
        headers={"Accept-Encoding": "identity", "User-Agent": f"groundup/{groundup.__version__}"},
        auto_decompress=False,
        # Where no proxy is set: aiohttp would look for one, and into .netrc, for every request.
        trust_env=bool(getproxies()),
    )

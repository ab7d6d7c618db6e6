"""How long to go on trying: repeats attempts after failures that may pass, ever more slowly.

It promises that a failure that would come again is not repeated, that a server's Retry-After is
honoured, and that many downloads do not come back in step. It must not know what an attempt does.
"""

from __future__ import annotations

import asyncio
import random

import aiohttp
from yarl import URL

from groundup.command.wget.attempt import Outdated, attempt
from groundup.command.wget.failures import Failure, of_network
from groundup.command.wget.manners import Manners
from groundup.command.wget.partial import Partial
from groundup.command.wget.transfers import Transfer

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
# A server that asks for more than this will not answer while somebody watches.
LONGEST_WAIT = 120.0
# Whoever gets so many bytes further than ever before gets all retries back.
PROGRESS = 1024 * 1024


async def download(
    session: aiohttp.ClientSession,
    url: URL,
    partial: Partial,
    transfer: Transfer,
    manners: Manners,
) -> None:
    """Try until all bytes of `url` are in `partial`, as often as `manners` allow.

    Raises the last Failure.
    """
    failed, most = 0, partial.size
    while True:
        try:
            return await attempt(session, url, partial, transfer)
        except Outdated:
            partial.start_over(None)
            continue
        except Exception as error:
            failure = of_network(error, manners.timeout)
        if partial.size >= most + PROGRESS:
            failed, most = 0, partial.size
        seconds = pause(failed, failure)
        if seconds is None or failed >= manners.retries:
            raise failure
        failed += 1
        transfer.waiting = f"again in {seconds:.0f} s ({failure.kind})"
        await asyncio.sleep(seconds)
        transfer.waiting = ""


def pause(failed: int, failure: Failure) -> float | None:
    """Seconds to wait after `failure`, which `failed` others came before; None: do not try again.

    Doubles from FIRST_PAUSE to LONGEST_PAUSE, each between half and all of that by chance, but is
    never shorter than the server asked for.
    """
    asked = failure.wait or 0.0
    if not failure.passing or asked > LONGEST_WAIT:
        return None
    longest = min(FIRST_PAUSE * 2.0 ** min(failed, 30), LONGEST_PAUSE)
    return max(asked, longest * random.uniform(0.5, 1.0))

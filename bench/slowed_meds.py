"""examples/meds behind a database that takes its time, for bench/regression.py: gunicorn serves `slowed_meds:app`.

Each request first waits as for a database (log-normal, median 20 ms), then is answered by Meds. With `SLOWED=0.3` it
takes 30 % longer than all that took: a regression of known size that real load runs have to find.
"""

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from main import app as meds

SLOWED = float(os.environ.get("SLOWED", "0"))
MEDIAN_SECONDS, SPREAD = 0.020, 0.5

Message = MutableMapping[str, Any]


async def app(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """The ASGI application."""
    if scope["type"] != "http":
        await meds(scope, receive, send)
        return
    began = time.perf_counter()
    await asyncio.sleep(MEDIAN_SECONDS * random.lognormvariate(0, SPREAD))

    async def late(message: Message) -> None:
        if message["type"] == "http.response.start":
            await asyncio.sleep((time.perf_counter() - began) * SLOWED)
        await send(message)

    await meds(scope, receive, late)

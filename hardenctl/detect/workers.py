"""Runs a function over many arguments in several processes."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, TypeVar

from hardenctl.model.errors import SourceError

T = TypeVar("T")


@contextmanager
def running(function: Callable[..., T], arguments: Sequence[tuple[Any, ...]], jobs: int) -> Iterator[Iterator[T]]:
    """Start at once; gives the results in the order of the arguments, and raises SourceError where a process dies.

    A process is forked where that is safe, which takes 10 ms, and else started anew, which takes half a second.
    """
    forked = sys.platform == "linux" and threading.active_count() == 1
    context = multiprocessing.get_context("fork" if forked else "spawn")
    pool = ProcessPoolExecutor(min(jobs, len(arguments)), mp_context=context, initializer=_serve_parent)
    try:
        waiting = [pool.submit(function, *each) for each in arguments]
        waiting.reverse()
        yield (waiting.pop().result() for _ in arguments)
    except BrokenProcessPool as error:
        raise SourceError(
            "a process that looked at the repository died", help="was it out of memory? try again with `--jobs 1`"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _serve_parent() -> None:
    """The process that started us works meanwhile, and can't be helped: it comes first where processors are few.

    Where it is killed nobody tells us: we would wait for work for ever, and keep open what its reader waits for.
    """
    if hasattr(os, "nice"):
        os.nice(2)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)

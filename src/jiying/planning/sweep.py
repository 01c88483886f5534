"""Many days, in this process or in several.  An outcome depends on the model, the seed, the change and the number of
the day alone, so that any number of processes gives the same figures.

Knows no database and no Django: what is started here begins anew (spawn) and inherits no connection.  A process ends
when the one that began it does, however that ended.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import Connection

from jiying.core.errors import JiyingError
from jiying.planning.changes import Change
from jiying.planning.model import Model
from jiying.planning.outcome import Outcome, Runner

Key = tuple[str, int]
"""A change's digest and the number of a day."""

Progress = Callable[[int, int], None]
"""Called with the days that are done, and how many there are; may raise to stop."""

LOOK_EVERY_S = 0.5
MOST_PROCESSES = 64
NICE = 10


class WorkersGone(JiyingError):
    """A process of a sweep came to an end by itself: killed, or out of memory."""

    status, code, title = 500, "workers_gone", "A process of the sweep ended; run it again with fewer processes"


@dataclass
class _Count:
    """How far it is, told when called."""

    progress: Progress
    done: int
    of: int

    def __call__(self) -> None:
        self.progress(self.done, self.of)


class Sweep:
    """Days of one model and seed.  What was run is kept in `memo` and not run again.

    `processes` 1 and not `apart`: here.  Else so many others, niced.
    """

    def __init__(
        self, model: Model, seed: int, processes: int = 1, *, apart: bool = False,
        memo: MutableMapping[Key, Outcome] | None = None,
    ) -> None:  # fmt: skip
        self.model, self.seed = model, seed
        self.memo: MutableMapping[Key, Outcome] = {} if memo is None else memo
        self._runner = Runner(model, seed) if processes == 1 and not apart else None
        self._processes = processes
        self._pool: ProcessPoolExecutor | None = None
        self._leash: Connection | None = None

    def run(self, changes: Iterable[Change], days: int, progress: Progress = lambda _done, _of: None) -> None:
        """Run the days 0 … `days` − 1 under each change; the outcomes stand in `memo`.

        Raises:
            WorkersGone: a process ended by itself.
        """
        wanted = {(change.digest, number): change for change in changes for number in range(days)}
        missing = [(key, change) for key, change in wanted.items() if key not in self.memo]
        tell = _Count(progress, len(wanted) - len(missing), len(wanted))
        tell()
        for key, outcome in self._outcomes(missing, tell):
            self.memo[key] = outcome
            tell.done += 1
            tell()

    def of(self, change: Change, days: int) -> list[Outcome]:
        """The outcomes of a change that was run, by day."""
        return [self.memo[change.digest, number] for number in range(days)]

    def _outcomes(
        self, tasks: list[tuple[Key, Change]], meanwhile: Callable[[], None]
    ) -> Iterator[tuple[Key, Outcome]]:
        if self._runner is not None:
            for key, change in tasks:
                yield key, self._runner.run(change, key[1])
            return
        if not tasks:
            return
        pool = self._started()
        try:
            waiting: dict[Future[Outcome], Key] = {pool.submit(_run, change, key[1]): key for key, change in tasks}
            while waiting:
                over, _still = wait(waiting, timeout=LOOK_EVERY_S, return_when=FIRST_COMPLETED)
                meanwhile()
                for future in over:
                    yield waiting.pop(future), future.result()
        except BrokenProcessPool as error:
            raise WorkersGone from error

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            held, self._leash = context.Pipe(duplex=False)
            self._pool = ProcessPoolExecutor(
                min(self._processes, MOST_PROCESSES), context, _begin, (self.model, self.seed, held)
            )
        return self._pool

    def close(self) -> None:
        """End the processes; a day under way is dropped."""
        if self._leash is not None:
            self._leash.close()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        self._pool = self._leash = None

    def __enter__(self) -> Sweep:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


_here: Runner | None = None


def _begin(model: Model, seed: int, held: Connection) -> None:
    global _here
    os.nice(NICE)
    # The other end is closed by `close`, and by the system when whoever holds it is killed.
    threading.Thread(target=_end_with, args=(held,), daemon=True).start()
    _here = Runner(model, seed)


def _end_with(held: Connection) -> None:
    with contextlib.suppress(EOFError, OSError):
        held.recv()
    os._exit(0)


def _run(change: Change, number: int) -> Outcome:
    assert _here is not None
    return _here.run(change, number)

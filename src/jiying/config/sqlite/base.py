"""Writers take turns: those of one process first come first served, those of several within a millisecond.

SQLite has one writer at a time.  Who finds it busy sleeps and tries again, up to 100 ms later, and whoever
asks in the right instant wins: a watcher that writes step after step then keeps new reports waiting for
seconds.  Here threads queue before they ask, and whose turn it is asks every millisecond: another process that
writes in many short transactions (an import, a move to another rule pack) leaves gaps of that length, which SQLite's
own growing pauses would sleep through.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from sqlite3 import dbapi2 as Database  # Django looks for it here.
from typing import Any

from django.db.backends.sqlite3 import base
from django.db.utils import OperationalError

__all__ = ["Database", "DatabaseWrapper", "Turns"]


class Turns:
    """A lock handed on in the order of asking; any thread may give it back."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Event] = deque()

    def take(self, timeout_s: float) -> bool:
        """Wait for one's turn; False when it did not come in time."""
        with self._guard:
            if not self._taken:
                self._taken = True
                return True
            mine = threading.Event()
            self._waiting.append(mine)
        if mine.wait(timeout_s):
            return True
        with self._guard:
            if mine.is_set():  # It came between the time-out and here.
                return True
            self._waiting.remove(mine)
            return False

    def give(self) -> None:
        """Hand on to whoever has waited longest."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._taken = False


ASK_EVERY_S = 0.001
"""How often who has the turn asks whether another process has ended its transaction."""


_turns: defaultdict[str, Turns] = defaultdict(Turns)


def _is_busy(error: OperationalError) -> bool:
    """Whether somebody else writes just now."""
    code = getattr(error.__cause__, "sqlite_errorcode", 0)
    return bool(code & 0xFF == Database.SQLITE_BUSY)


class DatabaseWrapper(base.DatabaseWrapper):
    """Takes its turn before BEGIN, gives it back when the transaction has ended."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._turn: Turns | None = None

    def _start_transaction_under_autocommit(self) -> None:
        turns = _turns[str(self.settings_dict["NAME"])]
        if not turns.take(self._patience_s):
            raise OperationalError("database is locked by another thread")
        self._turn = turns
        try:
            self._begin(time.monotonic() + self._patience_s)
        except BaseException:
            self._give()
            raise

    def _begin(self, until: float) -> None:
        """Ask again and again until `until` (monotonic seconds)."""
        # Statements outside of transactions keep SQLite's own waiting.
        self.connection.execute("PRAGMA busy_timeout = 0")
        try:
            while True:
                try:
                    super()._start_transaction_under_autocommit()  # type: ignore[misc]
                    return
                except OperationalError as error:
                    if not _is_busy(error) or time.monotonic() >= until:
                        raise
                time.sleep(ASK_EVERY_S)
        finally:
            self.connection.execute(f"PRAGMA busy_timeout = {int(self._patience_s * 1000)}")

    @property
    def _patience_s(self) -> float:
        return float(self.settings_dict["OPTIONS"].get("timeout", 5))

    def _give(self) -> None:
        turn, self._turn = self._turn, None
        if turn is not None:
            turn.give()

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]
        self._give()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]
        finally:
            self._give()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]
        finally:
            # SQLite rolls back what was open.
            self._give()

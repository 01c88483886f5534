"""Writers of one process take turns, first come first served.

SQLite has one writer at a time.  Who finds it busy sleeps and tries again, up to 100 ms later, and whoever
asks in the right instant wins: a watcher that writes step after step then keeps new reports waiting for
seconds.  Here threads queue before they ask.  Other processes still meet at SQLite's own lock.
"""

from __future__ import annotations

import threading
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


_turns: defaultdict[str, Turns] = defaultdict(Turns)


class DatabaseWrapper(base.DatabaseWrapper):
    """Takes its turn before BEGIN, gives it back when the transaction has ended."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._turn: Turns | None = None

    def _start_transaction_under_autocommit(self) -> None:
        turns = _turns[str(self.settings_dict["NAME"])]
        if not turns.take(self.settings_dict["OPTIONS"].get("timeout", 5)):
            raise OperationalError("database is locked by another thread")
        self._turn = turns
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._give()
            raise

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

"""Systemd's watchdog: an agent whose main loop no longer turns is killed and started anew.

Where systemd did not start the agent, nobody is told anything. What can't be told is logged and tried
again at the next turn: no agent waits or ends because nobody listens.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable

from systemd_watchdog.systemd_watchdog import WatchDog

from agents.wire.values import one_line

PET_EVERY_S = 1.0  # where systemd does not say how long it waits


class Watchdog:
    """What one agent tells systemd. No call blocks or raises.

    Call `pet` at every turn of the main loop, and nowhere else: a thread of its own would go on
    petting while the loop hangs.
    """

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._socket: socket.socket | None = None
        self._systemd: WatchDog | None = None
        self._unheard = False  # the last attempt failed, and that was logged
        self._owes_ready = False
        self._every_s, self._pet_at = PET_EVERY_S, float("-inf")
        if _is_asked():
            self._every_s = self._half_of_patience_s()
            self._connect()

    def ready(self) -> None:
        """The agent has its hardware in hand. Without a broker a door is ready, too: its exit button works."""
        self._owes_ready = not self._tell(WatchDog.ready)

    def pet(self, now_mono: float) -> None:
        """The main loop turns. Tells systemd so twice in the time after which it would kill the agent."""
        if self._owes_ready:
            self.ready()
        if now_mono >= self._pet_at and self._tell(WatchDog.notify):
            self._pet_at = now_mono + self._every_s

    def status(self, text: str) -> None:
        """A line for `systemctl status`."""
        self._tell(lambda systemd: systemd.status(one_line(text)))

    def stopping(self, reason: str) -> None:
        """From here on nothing pets: an end that hangs is cut short like any other hang."""
        self.status(f"stopping: {reason}")

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()

    def _half_of_patience_s(self) -> float:
        text = os.environ.get("WATCHDOG_USEC")
        if text is None:
            return PET_EVERY_S
        try:
            patience_s = float(text) / 1e6
        except ValueError:
            patience_s = 0.0
        if 0 < patience_s < float("inf"):
            return patience_s / 2
        self._log.error("WATCHDOG_USEC=%.40r is no number of microseconds; petting every second", text)
        return PET_EVERY_S

    def _connect(self) -> None:
        try:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._socket.setblocking(False)  # a full one would hang the very loop that is being guarded
            self._systemd = WatchDog(self._socket)
        except (OSError, ValueError, OverflowError) as error:
            self._log.error("systemd's watchdog can't be petted: %s", error)

    def _tell(self, what: Callable[[WatchDog], None]) -> bool:
        """Whether systemd was told, or nobody asked."""
        if self._systemd is None:
            return True
        try:
            what(self._systemd)
        except (OSError, ValueError) as error:
            if not self._unheard:
                self._log.warning("systemd does not listen: %s", error)
            self._unheard = True
        else:
            self._unheard = False
        return not self._unheard


def _is_asked() -> bool:
    """Whether systemd started this process, and not a parent that passed its environment on."""
    return bool(os.environ.get("NOTIFY_SOCKET")) and os.environ.get("WATCHDOG_PID", "") in ("", str(os.getpid()))

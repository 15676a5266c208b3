"""What people tell the scheduler over MQTT: face unlock on or off, away mode, who is let in for once."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

from agents.runtime.clock import Now
from agents.runtime.events import Message
from agents.runtime.session import Session
from agents.scheduler import switches
from agents.scheduler.config import SchedulerSettings
from agents.scheduler.recorder import Recorder
from agents.scheduler.standing import Standing
from agents.scheduler.switches import SwitchesError
from agents.wire.messages import BadMessage, Refusal, Switch
from agents.wire.scheduling import LetInOrder, SwitchOrder
from agents.wire.topics import AWAY, AWAY_SET, ENABLED, ENABLED_SET, LET_IN, LET_IN_SET

TIDY_S = 1.0


class Switchboard:
    """`standing` is what holds now. It is told on MQTT and written to a file at each change, so that
    a restart never switches a door on; and every order is answered with what holds, also a refused one.
    """

    def __init__(
        self, settings: SchedulerSettings, data: Path, session: Session, recorder: Recorder, log: logging.Logger
    ) -> None:
        self._settings, self._data, self._session = settings, data, session
        self._recorder, self._log = recorder, log
        self._zone = ZoneInfo(settings.timezone)
        self._tidy_at = float("-inf")
        self.standing = Standing()
        self.problem: str | None = None

    def start(self) -> None:
        try:
            self.standing = switches.load(self._data)
        except SwitchesError as error:
            self._fail(f"{error}; face unlock is off until it is switched on again")
            self.standing = Standing(enabled=dict.fromkeys(self._settings.doors, False))

    def publish_all(self) -> None:
        for door in self._settings.doors:
            self._publish_enabled(door)
            self._publish_let_in(door)
        self._publish_away()

    def obey(self, message: Message, now: Now) -> None:
        """Raises BadMessage."""
        name = message.names[0]
        try:
            if message.retain:
                raise BadMessage(Refusal.RETAINED, "a retained order would be obeyed again at every start")
            standing, what = self._obeyed(message, now)
            self._keep(standing, {**what, **({} if message.topic is AWAY_SET else {"door": name})}, now)
        finally:
            {ENABLED_SET: self._publish_enabled, LET_IN_SET: self._publish_let_in}.get(
                message.topic, lambda _: self._publish_away()
            )(name)

    def makes_safer(self, message: Message) -> bool:
        """Whether it keeps out somebody who would get in: an order that is obeyed in any flood."""
        try:
            return not message.retain and self._keeps_out(message)
        except BadMessage:
            return False

    def _keeps_out(self, message: Message) -> bool:
        """Raises BadMessage."""
        name = message.names[0]
        if message.topic is LET_IN_SET:
            order = LetInOrder.read(message.payload)
            return order.until is None and order.person in {one.person for one in self.standing.people(name).people}
        if message.topic is ENABLED_SET:
            return self.standing.is_enabled(name) and SwitchOrder.read(message.payload).state is Switch.OFF
        is_away = message.topic is AWAY_SET and not self.standing.away
        return is_away and SwitchOrder.read(message.payload).state is Switch.ON

    def tick(self, now: Now) -> None:
        """Who was let in until now is let in no more."""
        if now.mono < self._tidy_at or not now.utc_is_set:
            return
        self._tidy_at = now.mono + TIDY_S
        before, self.standing = self.standing, self.standing.tidied(now.utc)
        if self.standing is not before:
            self._save()
            for door in self._settings.doors:
                self._publish_let_in(door)

    def _obeyed(self, message: Message, now: Now) -> tuple[Standing, dict[str, object]]:
        if message.topic is LET_IN_SET:
            order = LetInOrder.read(message.payload)
            standing = self.standing.admit(message.names[0], order, now, self._zone)
            until = next(
                (one.until for one in standing.people(message.names[0]).people if one.person == order.person), None
            )
            return standing, {"what": "let_in", "person": order.person, "until": until, "source": order.source}
        wanted = SwitchOrder.read(message.payload)
        on = wanted.state is Switch.ON
        if message.topic is AWAY_SET:
            return self.standing.switch_away(on), {"what": "away", "state": wanted.state, "source": wanted.source}
        standing = self.standing.switch(message.names[0], on)
        return standing, {"what": "enabled", "state": wanted.state, "source": wanted.source}

    def _keep(self, standing: Standing, what: Mapping[str, object], now: Now) -> None:
        """It holds even where it can't be remembered; that is a problem."""
        self.standing = standing
        self._log.info("switched: %s", " ".join(f"{key}={value}" for key, value in what.items() if value is not None))
        self._recorder.switch(now.utc, what)
        self._save()

    def _save(self) -> None:
        try:
            switches.save(self._data, self.standing)
            self.problem = None
        except SwitchesError as error:
            self._fail(str(error))

    def _fail(self, problem: str) -> None:
        self.problem = problem
        self._log.error("%s", problem)

    def _publish_enabled(self, door: str) -> None:
        self._session.publish(ENABLED, door, payload=Switch.of(self.standing.is_enabled(door)))

    def _publish_let_in(self, door: str) -> None:
        self._session.publish(LET_IN, door, payload=self.standing.people(door).encode())

    def _publish_away(self) -> None:
        self._session.publish(AWAY, self._settings.id, payload=Switch.of(self.standing.away))

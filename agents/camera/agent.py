"""The camera agent: a source on one side, MQTT on the other, the core between them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agents.camera import discovery, picture
from agents.camera.config import CameraSettings
from agents.camera.core import Camera
from agents.camera.pace import Pace
from agents.camera.picture import Image, PictureError
from agents.camera.reader import Captured, Failed, Opened, Reader, Skipped
from agents.camera.source import SourceError, label
from agents.discovery.device import Device
from agents.runtime.agent import Agent, open_session, run
from agents.runtime.clock import Clock, Now
from agents.runtime.events import Subscription
from agents.runtime.health import Latencies, Report
from agents.runtime.inbox import Inbox
from agents.runtime.session import Session
from agents.runtime.settings import Site
from agents.sight.motion import Scene, cells
from agents.wire.messages import Availability
from agents.wire.stamp import Stamp
from agents.wire.topics import FRAME

HUNG_S = 60.0
CLOSE_S = 1.0  # the longest an ending agent waits for a read


class CameraAgent(Agent):
    def __init__(
        self, name: str, settings: CameraSettings, folder: Path, session: Session, inbox: Inbox, clock: Clock
    ) -> None:
        super().__init__("camera", name, session, inbox)
        self._settings, self._folder, self._clock = settings, folder, clock
        self._source = label(settings.source)
        self._camera = Camera(settings, self._source)
        self._pace = Pace(settings.rate_fps)
        self._scene = Scene() if self._camera.saves else None
        self._last: Image | None = None
        self._reader: Reader | None = None
        self._ending: Reader | None = None  # given up, but perhaps still in its last read
        self._given_up_at = 0.0
        self._logged: str | None = None
        self._latencies = Latencies()

    def subscriptions(self) -> Sequence[Subscription]:
        return ()

    def devices(self) -> Sequence[Device]:
        return discovery.devices(self.name, self.session.site.home)

    def on_connect(self, now: Now) -> None:
        pass  # a camera retains nothing but what every agent does

    def on_event(self, event: object, now: Now) -> None:
        if not isinstance(event, Captured | Opened | Skipped | Failed) or event.reader is not self._reader:
            return  # the broker went, or the last words of a reader that was given up
        if isinstance(event, Captured):
            self._picture(event)
        elif isinstance(event, Opened):
            self.log.info("%s is open", self._source)
            self._camera.opened(now)
        elif isinstance(event, Skipped):
            self.log.warning("%s", event.text)
            self._camera.counters.skipped += 1
        else:
            self._camera.failed(event.text, now)
            self._give_up(now)

    def on_tick(self, now: Now) -> float:
        if self._camera.stalls(now):
            self._give_up(now)
        if self._camera.should_open(now):
            self._open(now)
        self._log_problem()
        return self._camera.due_s(now)

    def report(self) -> Report:
        counters = dict(vars(self._camera.counters))  # asked for at every turn
        counters["dropped"] += self._pace.surplus + self.inbox.passed_over
        return Report(self._camera.problem, counters, self._latencies)

    def available(self) -> Availability:
        return self._camera.availability

    def close(self) -> None:
        for reader in filter(None, (self._reader, self._ending)):
            reader.close(CLOSE_S)

    def _picture(self, event: Captured) -> None:
        if not self._camera.wants(self._moved(event), event.at):
            return
        image = picture.prepare(event.image, self._settings)
        # of what would be published: a clock the camera paints into a cropped-off corner proves nothing
        stamp = self._camera.stamp(picture.equal(image, self._last), event.at)
        self._last = image
        if stamp is None or not self.session.connected:
            return
        if self.session.behind:  # a frame that waits in a queue is old when it arrives
            self._camera.counters.unsent += 1
        else:
            self._publish(image, stamp, event.at)

    def _moved(self, event: Captured) -> bool:
        seen = picture.crop(event.image, self._settings.crop)
        return self._scene is not None and self._scene.moved(cells(seen), event.at.mono)

    def _publish(self, image: Image, stamp: Stamp, captured: Now) -> None:
        try:
            jpeg = picture.encode(image, self._settings.quality)
        except PictureError as error:
            self._camera.unfit(str(error))
            return
        if self.session.publish(FRAME, self.name, payload=jpeg, properties=stamp.properties()):
            self._camera.published()
            self._latencies.add(self._clock.now().mono - captured.mono)

    def _open(self, now: Now) -> None:
        if self._ending is not None and self._ending.alive:
            self._wait_for_hung_read(now)
        else:
            self._camera.opening(now)
            self._reader = Reader(self._settings, self._folder, self._pace, self.inbox, self._clock)

    def _give_up(self, now: Now) -> None:
        assert self._reader is not None
        self._reader.close(0)
        self._ending, self._reader, self._given_up_at = self._reader, None, now.mono

    def _wait_for_hung_read(self, now: Now) -> None:
        """A second reader beside one that hangs in a driver would hang too; only a new process helps."""
        text = f"{self._source}: a read hangs for {now.mono - self._given_up_at:.0f} s"
        if now.mono - self._given_up_at > HUNG_S:
            raise SourceError(f"{text}: ending, so that a new process can try")
        self._camera.failed(f"stalled: {text}", now)

    def _log_problem(self) -> None:
        if self._camera.problem == self._logged:
            return
        self._logged = self._camera.problem
        if self._logged is None:
            self.log.info("pictures from %s again", self._source)
        else:
            self.log.warning("%s", self._logged)


def main(name: str, settings: CameraSettings, site: Site) -> None:
    """Run the camera `name` until it is told to stop. Raises SourceError when a read hangs for good."""
    picture.use_one_thread()
    session, inbox, clock = open_session(site, "camera", name)
    run(CameraAgent(name, settings, site.folder, session, inbox, clock), clock)

"""The recognizer agent: the newest frame of each camera in, identities out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from agents.discovery.device import Device
from agents.recognizer import discovery, picture
from agents.recognizer.appearances import Appearances
from agents.recognizer.config import RecognizerSettings
from agents.recognizer.core import Arrivals, in_a_word, read_challenge
from agents.recognizer.errors import GalleryError, NoGallery
from agents.recognizer.matcher import NOBODY_ENROLLED, Enrolled, Matcher
from agents.recognizer.people.gallery import Gallery
from agents.recognizer.people.unknowns import FILE, Unknowns
from agents.recognizer.people.watch import Watch
from agents.recognizer.sight import Sight, Sighting
from agents.recognizer.vision.engine import Engine
from agents.runtime.agent import IDLE_S, Agent, open_session, run
from agents.runtime.clock import Clock, Now
from agents.runtime.events import Message, Subscription
from agents.runtime.health import Latencies, Report
from agents.runtime.inbox import Inbox
from agents.runtime.session import Session
from agents.runtime.settings import Site
from agents.wire.feed import Feed
from agents.wire.messages import BadMessage, Refusal
from agents.wire.stamp import Stamp
from agents.wire.topics import CHALLENGE, FRAME, IDENTITY, PERSON, RECOGNITION, SNAPSHOT
from agents.wire.values import NOBODY

WARN_EVERY_S = 60.0
SNAPSHOT_EVERY_S = 1.0
GONE_AFTER_S = 5.0  # a camera that sends no usable frames shows nobody


@dataclass
class _Counters:
    frames: int = 0
    faces: int = 0
    bad_frames: int = 0


class _Camera:
    """What the agent remembers of one camera. Times are monotonic."""

    def __init__(self, feed: Feed, max_age_s: float) -> None:
        self.arrivals = Arrivals(feed, max_age_s)
        self.appearances = Appearances()
        self.person = NOBODY
        self.snapshot: tuple[bytes, Stamp] | None = None
        self.looked_at = self.snapshot_at = self.warned_at = float("-inf")


class RecognizerAgent(Agent):
    """Looks for the enrolled people in the frames of `feeds`, and for what they are asked to do at `doors`."""

    def __init__(
        self,
        settings: RecognizerSettings,
        feeds: Sequence[Feed],
        doors: Sequence[str],
        site: Site,
        session: Session,
        inbox: Inbox,
        clock: Clock,
    ) -> None:
        super().__init__("recognizer", settings.id, session, inbox)
        self._settings, self._site, self._clock = settings, site, clock
        self._feeds, self._doors = feeds, doors
        self._cameras = {feed.camera: _Camera(feed, settings.max_age_s) for feed in feeds}
        self._sight: Sight | None = None
        self._unknowns: Unknowns | None = None
        self._watch = Watch(site.folder / settings.gallery)
        self._matcher = self._matcher_of(NOBODY_ENROLLED)
        self._counters, self._latencies = _Counters(), Latencies()

    def subscriptions(self) -> Sequence[Subscription]:
        frames = [Subscription(FRAME, (feed.camera,), latest=True, at=feed.at) for feed in self._feeds]
        return [*frames, *(Subscription(CHALLENGE, (door,)) for door in self._doors)]

    def start(self) -> None:
        """Load the models and use them once, so that the first visitor does not wait. Raises ModelError."""
        started = self._clock.now()
        engine = Engine(self._settings, self._site.folder, self._site.data)
        engine.warm_up()
        self._unknowns = Unknowns(self._site.data / FILE, self._settings.keep_unknown, engine.encoder, started)
        if not engine.tells_liveness:
            self.log.warning("liveness: no networks, so everybody is asked to move (facelatch models install liveness)")
        self._sight = Sight(engine, self._matcher, self._settings.max_pixels)
        self._forget_crops()
        self._follow_gallery(started)
        took_ms = (self._clock.now().mono - started.mono) * 1000
        self.log.info("ready in %.0f ms, people enrolled: %d", took_ms, len(self._matcher.people))

    def devices(self) -> Sequence[Device]:
        return discovery.devices(self._settings.id, self._feeds, self._settings.snapshot, self.session.site.home)

    def on_connect(self, now: Now) -> None:
        for camera in self._cameras.values():  # what is known of them is as good as before
            camera.arrivals.listen(now)

    def publish_all(self, now: Now) -> None:
        for name, camera in self._cameras.items():
            self.session.publish(PERSON, name, payload=camera.person)
            if camera.snapshot is not None:
                self._send_snapshot(name, *camera.snapshot)

    def on_event(self, event: object, now: Now) -> None:
        if isinstance(event, Message) and event.topic is FRAME:
            self._follow_gallery(now)
            try:
                self._on_frame(event, now)
            except BadMessage as error:
                self._refuse(event.names[0], error, now)
        elif isinstance(event, Message) and event.topic is CHALLENGE:
            self._on_challenge(event, now)

    def on_tick(self, now: Now) -> float:
        self._follow_gallery(now)
        assert self._unknowns is not None
        self._unknowns.tick(now)
        for name, camera in self._cameras.items():
            if now.mono - camera.looked_at > GONE_AFTER_S:
                self._publish_person(name, NOBODY)
        return IDLE_S

    def report(self) -> Report:
        now = self._clock.now()
        arrivals = [camera.arrivals for camera in self._cameras.values()]
        problems = [self._watch.problem, self._unknowns.problem if self._unknowns else None]
        problems += [camera.problem(now) for camera in arrivals]
        counters = asdict(self._counters) | {
            "stale_frames": sum(camera.stale for camera in arrivals),
            "repeated_frames": sum(camera.repeated for camera in arrivals),
            "passed_over": self.inbox.passed_over,
            "waiting": self.inbox.waiting,
            "still_frames": self._sight.skipped if self._sight else 0,
            "people": len(self._matcher.people),
        }
        return Report("; ".join(filter(None, problems)) or None, counters, self._latencies)

    def close(self) -> None:
        self._watch.close()
        if self._unknowns is not None:
            self._unknowns.close()

    def _on_frame(self, frame: Message, now: Now) -> None:
        """Raises BadMessage."""
        name = frame.names[0]
        camera = self._cameras[name]
        if frame.retain:
            camera.arrivals.wrong("retained, and may be of any age: publish them without", now)
            raise BadMessage(Refusal.RETAINED, "frame is retained: it may be of any age")
        stamp = camera.arrivals.stamp(Stamp.of(frame.properties), frame.received_at)
        if not camera.arrivals.news(frame.payload, stamp, now):
            return
        assert self._sight is not None
        sighting = self._sight.see(name, frame.payload, stamp, now)
        self._publish(sighting, now)
        self._keep_unknown(sighting, now)

    def _on_challenge(self, message: Message, now: Now) -> None:
        """What is not obeyed is no evidence, so the door stays shut."""
        assert self._sight is not None
        try:
            challenge = read_challenge(message, now)
        except BadMessage as error:
            self.log.warning("refused a message on %s: %s", CHALLENGE.at("…", *message.names), error)
            return
        there = challenge.camera in self._cameras and self._sight.ask(challenge, now)
        what = f"{challenge.person} is asked: {challenge.action}{'' if there else ', and is gone'}"
        self.log.info("%s: %s", challenge.camera, what)

    def _publish(self, sighting: Sighting, now: Now) -> None:
        """The identity first: a door may be waiting for it."""
        identity = sighting.identity
        name, camera = identity.camera, self._cameras[identity.camera]
        self.session.publish(IDENTITY, name, payload=identity.encode())
        self._latencies.add(self._clock.now().utc - identity.captured_at)
        self._counters.frames += 1
        self._counters.faces += len(identity.faces)
        camera.looked_at = now.mono
        self._publish_person(name, in_a_word(identity))
        for appearance in camera.appearances.see(identity, now.mono):
            self.session.publish(RECOGNITION, name, payload=appearance.encode())
        self._publish_snapshot(sighting, camera, now)

    def _publish_snapshot(self, sighting: Sighting, camera: _Camera, now: Now) -> None:
        identity, image = sighting.identity, sighting.image
        if not self._settings.snapshot or image is None or not identity.faces:
            return
        if now.mono - camera.snapshot_at >= SNAPSHOT_EVERY_S:
            camera.snapshot_at = now.mono
            camera.snapshot = picture.snapshot(image, identity), Stamp(identity.captured_at, identity.seq)
            self._send_snapshot(identity.camera, *camera.snapshot)

    def _send_snapshot(self, name: str, jpeg: bytes, stamp: Stamp) -> None:
        self.session.publish(SNAPSHOT, name, payload=jpeg, properties=stamp.properties())

    def _keep_unknown(self, sighting: Sighting, now: Now) -> None:
        assert self._unknowns is not None
        if sighting.image is None:
            return
        for known in sighting.known:
            if known.match.person is None:
                face = known.seen
                self._unknowns.add(sighting.identity.camera, sighting.image, face.box, face.encoding, now)

    def _publish_person(self, name: str, person: str) -> None:
        camera = self._cameras[name]
        if person != camera.person:
            camera.person = person
            self.log.info("%s: %s", name, person)
            self.session.publish(PERSON, name, payload=person)

    def _refuse(self, name: str, error: BadMessage, now: Now) -> None:
        """Counted each time, said once a minute: a broken camera would fill the log."""
        camera = self._cameras[name]
        self._counters.bad_frames += 1
        if now.mono - camera.warned_at >= WARN_EVERY_S:
            camera.warned_at = now.mono
            topic = camera.arrivals.feed.at or FRAME.path.replace("<camera>", name)
            self.log.warning("%s: refused: %s", topic, error)

    def _follow_gallery(self, now: Now) -> None:
        assert self._sight is not None
        problem, enrolled = self._watch.problem, self._watch.poll(now, self._sight.encoder)
        if enrolled is None:
            return
        self._matcher = self._sight.matcher = self._matcher_of(enrolled)
        if self._watch.problem is None:
            self.log.info("people enrolled: %d", len(self._matcher.people))
        elif self._watch.problem != problem:
            self.log.warning("nobody can be recognized: %s", self._watch.problem)

    def _forget_crops(self) -> None:
        """Pictures of people are kept only for as long as the house wants it."""
        if self._settings.keep_crops:
            return
        try:
            with Gallery(self._site.folder / self._settings.gallery) as gallery:
                gallery.erase_crops()
        except NoGallery:
            pass
        except GalleryError as error:
            self.log.warning("crops of faces can't be erased: %s", error)

    def _matcher_of(self, enrolled: Enrolled) -> Matcher:
        return Matcher(enrolled, self._settings.rule)


def main(settings: RecognizerSettings, feeds: Sequence[Feed], doors: Sequence[str], site: Site) -> None:
    """Recognize people in the frames of `feeds`, at `doors`, until told to stop. Raises ModelError."""
    session, inbox, clock = open_session(site, "recognizer", settings.id)
    run(RecognizerAgent(settings, feeds, doors, site, session, inbox, clock), clock)

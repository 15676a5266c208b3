"""`facelatch enroll NAME --camera CAMERA`: somebody in front of a camera, live, over MQTT."""

from __future__ import annotations

import argparse
import difflib
import hashlib
import shutil
import sys
from dataclasses import dataclass
from typing import TextIO

from agents.cli.common import CommandError, load_house
from agents.cli.desk import Desk
from agents.cli.enroll import in_all
from agents.cli.gallery import place_of
from agents.cli.listen import listening
from agents.house import House
from agents.recognizer import picture
from agents.recognizer.config import RecognizerSettings
from agents.recognizer.core import Arrivals
from agents.recognizer.people.enroll import Portrait, portray
from agents.recognizer.people.gates import Flaw
from agents.recognizer.people.poses import MIN_KEPT, POSITIONS, Guide, Kept, Missed, Shot
from agents.recognizer.people.records import Sample
from agents.recognizer.people.vetting import Verdict
from agents.recognizer.vision.found import Pixels
from agents.runtime.clock import Clock, Now
from agents.runtime.events import Connected, Disconnected, Message, Subscription
from agents.runtime.inbox import Fault, Inbox
from agents.wire.feed import Feed
from agents.wire.messages import BadMessage, Refusal
from agents.wire.stamp import Stamp
from agents.wire.topics import FRAME

TICK_S = 0.2
LINE_EVERY_S = 1.0  # how often a hint gets a line of its own, where there is no terminal


@dataclass(frozen=True)
class Taken:
    """A good face in a frame; `sha256` is the frame's."""

    portrait: Portrait
    sha256: str


def enroll_live(args: argparse.Namespace, name: str, although_like: list[str]) -> int:
    """Raises CommandError, and has then stored nothing, like at an interrupt."""
    house, folder = load_house(args)
    _check_camera(args.camera, house)
    place, progress = place_of(args), Progress(sys.stdout)
    desk = Desk(place, although_like)
    wanted = [Subscription(FRAME, (args.camera,), latest=True, at=house.feeds[args.camera].at)]
    try:
        with listening(house, folder, args.user, wanted, args.timeout) as (_, inbox):
            sitting = Sitting(args.camera, house, desk, progress, args.timeout, args.patience)
            kept = sitting.run(inbox, Clock(place.clock_trusted))
    except KeyboardInterrupt:
        progress.say("nothing was stored")
        raise
    _store(desk, name, kept)
    print(f"{name}: {in_all(place, name)}")
    return 0


def _check_camera(name: str, house: House) -> None:
    if name not in house.cameras:
        near = difflib.get_close_matches(name, house.cameras, 3, 0.5)
        there_is = f"did you mean {' or '.join(near)}?" if near else f"there is {', '.join(house.cameras) or 'none'}"
        raise CommandError(f"there is no camera {name!r}; {there_is}")


def _sample(kept: Kept[Taken], desk: Desk) -> Sample:
    taken = kept.shot.item
    return taken.portrait.sample(desk.engine, taken.sha256, desk.keep_crops)


def _store(desk: Desk, name: str, kept: list[Kept[Taken]]) -> None:
    """Raises CommandError when one of the frames is not this person's: then none can be trusted."""
    samples = [_sample(one, desk) for one in kept]
    verdicts = desk.vet(name, samples)
    for one, vetted in zip(kept, verdicts, strict=True):
        if vetted.verdict is Verdict.REFUSED:
            raise CommandError(f"nothing was stored: the face in position {one.position.name}: {vetted.reason}")
    new = [sample for sample, vetted in zip(samples, verdicts, strict=True) if vetted.verdict is Verdict.GOOD]
    if not new:
        raise CommandError("nothing was stored: nearly the same pictures are enrolled already")
    desk.store(name, new)


class Progress:
    """Lines for good, and a line that changes: where there is no terminal, a line now and then."""

    def __init__(self, out: TextIO) -> None:
        self._out, self._terminal = out, out.isatty()
        self._hint, self._hinted_at = "", float("-inf")

    def say(self, text: str) -> None:
        self._hint = ""
        print(("\r\x1b[K" if self._terminal else "") + text, file=self._out, flush=True)

    def hint(self, text: str, now: Now) -> None:
        if not text or text == self._hint or (not self._terminal and now.mono - self._hinted_at < LINE_EVERY_S):
            return
        self._hint, self._hinted_at = text, now.mono
        if self._terminal:
            width = shutil.get_terminal_size().columns - 1
            print("\r\x1b[K" + f"    {text}"[:width], end="", file=self._out, flush=True)
        else:
            print(f"    {text}", file=self._out, flush=True)


class Fresh:
    """The frames of one camera that show what is there now, told as the recognizer tells them."""

    def __init__(self, feed: Feed, settings: RecognizerSettings) -> None:
        self._arrivals, self._max_pixels = Arrivals(feed, settings.max_age_s), settings.max_pixels
        alive = "is its agent running" if feed.ours else "does it publish"
        self.problem = f"{alive}, and may this user read its frames?"

    def image(self, frame: Message, now: Now) -> Pixels | None:
        """RGB, or None with a `problem`."""
        try:
            return self._image(frame, now)
        except BadMessage as error:
            self.problem = f"its frames are refused: {error}"
            return None

    def _image(self, frame: Message, now: Now) -> Pixels | None:
        """Raises BadMessage."""
        if frame.retain:
            raise BadMessage(Refusal.RETAINED, "frame is retained: it may be of any age")
        stale = self._arrivals.stale
        stamp = self._arrivals.stamp(Stamp.of(frame.properties), frame.received_at)
        if self._arrivals.news(frame.payload, stamp, now):
            return picture.decode_frame(frame.payload, self._max_pixels)
        too_old = self._arrivals.stale > stale
        self.problem = "its frames are too old, or ahead: do the clocks agree?" if too_old else "its picture is frozen"
        return None


class Sitting:
    """One person in front of one camera, once. `timeout_s` is how long there may be no fresh frame,
    `patience_s` how long a position may take.
    """

    def __init__(
        self, camera: str, house: House, desk: Desk, progress: Progress, timeout_s: float, patience_s: float
    ) -> None:
        settings = house.cameras[camera]
        self._camera, self._desk, self._progress, self._timeout_s = camera, desk, progress, timeout_s
        self._fresh = Fresh(house.feeds[camera], house.recognizer)
        self._guide: Guide[Taken] = Guide(settings.flip != "none", patience_s)
        self._missed: list[Missed] = []
        self._asked = 0

    def run(self, inbox: Inbox, clock: Clock) -> list[Kept[Taken]]:
        """The best frame of each position that could be had. Raises CommandError where those are too few."""
        self._progress.say(f"waiting for camera {self._camera}")
        fresh_at = clock.now().mono
        while not self._over:
            event = inbox.get(TICK_S)
            now = clock.now()
            if self._take(event, now):
                fresh_at = now.mono
            elif now.mono - fresh_at >= self._timeout_s:
                text = f"no fresh frame of camera {self._camera} for {self._timeout_s:g} s: {self._fresh.problem}"
                raise CommandError(f"nothing was stored: {text}")
        if not self._guide.enough:
            raise CommandError(self._too_few())
        return self._guide.kept

    @property
    def _over(self) -> bool:
        return self._asked > 0 and self._guide.asked is None

    def _take(self, event: object, now: Now) -> bool:
        """Whether the event was a fresh frame."""
        if isinstance(event, Fault):
            raise event.error
        if isinstance(event, Connected | Disconnected):
            self._progress.say("the broker is " + ("back" if isinstance(event, Connected) else "away; waiting"))
        image = self._fresh.image(event, now) if isinstance(event, Message) else None
        if image is None or not isinstance(event, Message):
            self._tell(self._guide.tick(now), now)
            return False
        if self._asked == 0:
            self._guide.start(now)
            self._ask()
        self._tell(self._guide.see(self._shot(image, event.payload), now), now)
        return True

    def _shot(self, image: Pixels, jpeg: bytes) -> Shot[Taken] | Flaw:
        found = portray(image, self._desk.engine)
        if isinstance(found, Flaw):
            return found
        taken = Taken(found, hashlib.sha256(jpeg).hexdigest())
        return Shot(found.measures.pose, found.measures.sharpness, taken)

    def _tell(self, ended: Kept[Taken] | Missed | None, now: Now) -> None:
        if isinstance(ended, Kept):
            self._progress.say(f"    kept the sharpest of {ended.frames} frames, sharpness {ended.shot.sharpness:.0f}")
        if isinstance(ended, Missed):
            self._missed.append(ended)
            self._progress.say(f"    left out: {ended.why}")
        if ended is not None:
            self._ask()
        self._progress.hint(self._guide.hint, now)

    def _ask(self) -> None:
        if self._guide.asked is not None:
            self._asked += 1
            self._progress.say(f"{self._asked}/{len(POSITIONS)} {self._guide.asked.ask}")

    def _too_few(self) -> str:
        missed = "; ".join(f"{one.position.name}: {one.why}" for one in self._missed)
        got = f"{len(self._guide.kept)} of {len(POSITIONS)} positions, at least {MIN_KEPT} are needed"
        return f"nothing was stored: {got} ({missed})"

"""Where people are enrolled: the models loaded, everybody known who is enrolled already."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agents.cli.common import CommandError
from agents.cli.gallery import Place, nearest_names, open_gallery
from agents.recognizer.errors import NoGallery, PhotoRefused, UnknownPerson
from agents.recognizer.matcher import NOBODY_ENROLLED, Enrolled
from agents.recognizer.people.enroll import take_sample
from agents.recognizer.people.gallery import Gallery
from agents.recognizer.people.photo import read_photo
from agents.recognizer.people.records import PersonRecord, PhotoRecord, Sample, to_blob
from agents.recognizer.people.vetting import Limits, Verdict, Vetted, Vetting
from agents.recognizer.vision.manifest import HOG, merged
from agents.recognizer.vision.models import Models
from agents.runtime.clock import Clock


@dataclass
class Outcome:
    """What became of each photo: of the good ones whether they are enrolled now, or why not again."""

    good: list[tuple[Path, str]] = field(default_factory=list)
    refused: list[tuple[Path, str]] = field(default_factory=list)
    enrolled: int = 0


class Desk:
    """Photos may be like those of the people in `although_like`. Raises RecognizerError, CommandError."""

    def __init__(self, place: Place, although_like: Collection[str] = ()) -> None:
        self._place, self._although_like = place, although_like
        self.engine, self.keep_crops = place.engine(), place.settings.keep_crops
        models = merged(place.settings.models)
        self._limits = Limits.of(models[place.settings.encoder].threshold)
        self._enrolled = self._load()
        if Models(models, place.folder).detector(place.settings.detector) == HOG:
            print("facelatch: dlib's detector can't tell how a head is turned: that is not checked", file=sys.stderr)

    def take(self, name: str, photos: Iterable[Path], ignored: bool = False) -> Outcome:
        """Enroll a person from those of the photos that are good."""
        outcome, known = Outcome(), self._photos_of(name)
        samples = self._read(photos, known, outcome)
        fit = []
        for (path, sample), vetted in zip(samples, self.vet(name, [s for _, s in samples], ignored), strict=True):
            again = sample.photo_sha256 in known
            if vetted.verdict is Verdict.REFUSED:
                outcome.refused.append((path, vetted.reason))
            elif vetted.verdict is Verdict.DUPLICATE and not again:
                outcome.good.append((path, f"skipped, {vetted.reason}"))
            else:
                outcome.good.append((path, "enrolled already; its crop is kept now" if again else "enrolled"))
                outcome.enrolled += not again
                fit.append(sample)
        if fit:
            self.store(name, fit, ignored)
        return outcome

    def vet(self, name: str, samples: Sequence[Sample], ignored: bool = False) -> list[Vetted]:
        """What is to be said of each, in their order."""
        vetting = Vetting(self._enrolled, self._place.settings.rule, self._limits, self._although_like)
        say = vetting.of_ignored if ignored else vetting.of_person
        return say(name, [sample.encoding for sample in samples])

    def store(self, name: str, samples: Sequence[Sample], ignored: bool = False) -> None:
        """All of them, or none. Of photos that are there already only the crop, if it is not."""
        now = Clock().now()
        photos = tuple(
            PhotoRecord(encoding=to_blob(s.encoding), photo_sha256=s.photo_sha256, enrolled_at=now.utc, crop=s.crop)
            for s in samples
        )
        person = PersonRecord(name=name, enrolled_at=now.utc, disabled=False, ignored=ignored, photos=photos)
        with Gallery(self._place.gallery, create=True) as gallery:
            gallery.restore([person], self.engine.encoder, merge=True)
            self._enrolled = gallery.load(self.engine.encoder)

    def _read(self, photos: Iterable[Path], known: Mapping[str, bool], outcome: Outcome) -> list[tuple[Path, Sample]]:
        samples = []
        for path in photos:
            try:
                photo = read_photo(path)
                if photo.sha256 in known and (known[photo.sha256] or not self.keep_crops):
                    outcome.good.append((path, "skipped, enrolled already"))
                else:
                    samples.append((path, take_sample(photo, self.engine, self.keep_crops)))
            except PhotoRefused as error:
                outcome.refused.append((path, str(error)))
        return samples

    def _photos_of(self, name: str) -> dict[str, bool]:
        """The photos that this person is enrolled from: the file's SHA-256, and whether its crop is kept."""
        try:
            with Gallery(self._place.gallery) as gallery:
                return {photo.photo_sha256: photo.crop is not None for photo in gallery.photos(name)}
        except (NoGallery, UnknownPerson):
            return {}

    def _load(self) -> Enrolled:
        try:
            with open_gallery(self._place.gallery) as gallery:
                self._check_names(gallery)
                return gallery.load(self.engine.encoder)
        except NoGallery:
            if self._although_like:
                raise CommandError("nobody is enrolled whom a new person could be like") from None
            return NOBODY_ENROLLED

    def _check_names(self, gallery: Gallery) -> None:
        for name in self._although_like:
            with nearest_names(gallery, name):
                gallery.photos(name)

"""Where people are enrolled: the models loaded, everybody known who is enrolled already."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence

import numpy as np

from agents.cli.common import CommandError
from agents.cli.gallery import Place, nearest_names, open_gallery
from agents.recognizer.errors import NoGallery, UnknownPerson
from agents.recognizer.gallery import Gallery
from agents.recognizer.matcher import NOBODY_ENROLLED, Enrolled, Matcher
from agents.recognizer.records import PersonRecord, PhotoRecord, Sample, to_blob
from agents.recognizer.vetting import Limits, Vetted, Vetting
from agents.recognizer.vision.manifest import HOG, merged
from agents.recognizer.vision.models import Models
from agents.runtime.clock import Clock


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

    def files_of(self, name: str) -> set[str]:
        """The SHA-256 of the photos that this person is enrolled from."""
        try:
            with Gallery(self._place.gallery) as gallery:
                return {photo.photo_sha256 for photo in gallery.photos(name)}
        except (NoGallery, UnknownPerson):
            return set()

    def vet(self, name: str, samples: Sequence[Sample], ignored: bool = False) -> list[Vetted]:
        """What is to be said of each, in their order."""
        vetting = Vetting(self._enrolled, self._matcher, self._limits, self._although_like)
        say = vetting.of_ignored if ignored else vetting.of_person
        return say(name, [sample.encoding for sample in samples])

    def store(self, name: str, samples: Sequence[Sample], ignored: bool = False) -> None:
        """All of them, or none."""
        now = Clock().now()
        photos = tuple(
            PhotoRecord(encoding=to_blob(s.encoding), photo_sha256=s.photo_sha256, enrolled_at=now.utc, crop=s.crop)
            for s in samples
        )
        person = PersonRecord(name=name, enrolled_at=now.utc, disabled=False, ignored=ignored, photos=photos)
        with Gallery(self._place.gallery, create=True) as gallery:
            gallery.restore([person], self.engine.encoder, merge=True)
        before = self._enrolled
        new = np.array([sample.encoding for sample in samples])
        self._enrolled = Enrolled(
            (*before.names, *([name] * len(samples))),
            np.concatenate([before.encodings, new]) if before.names else new,
            before.ignored | ({name} if ignored else set()),
        )

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

    def _matcher(self, enrolled: Enrolled) -> Matcher:
        """As the recognizer decides."""
        return Matcher(enrolled, self._place.settings.threshold, self._place.settings.min_margin)

"""The gallery: a SQLite file of people and their encodings, used by several programs at once.

An encoding is a row of little-endian float64, as many as its encoder gives. The photos are not
kept, only their SHA-256; a crop of the face only where the house says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from agents.recognizer.errors import GalleryError, NoGallery, PeopleThere, PhotoRefused, UnknownPerson
from agents.recognizer.matcher import NOBODY_ENROLLED, Encoding, Enrolled
from agents.recognizer.people.records import Person, PersonRecord, PhotoRecord, Sample, StoredPhoto, matrix, to_blob
from agents.recognizer.people.schema import GALLERY
from agents.recognizer.people.store import Database, Store
from agents.runtime.clock import Now
from agents.wire.messages import first_error
from agents.wire.values import PersonName

MAX_NAMES = 10  # in one line of an error
_NAME: TypeAdapter[str] = TypeAdapter(PersonName)


class Gallery(Store):
    """An open gallery. Every method raises GalleryError."""

    kind, error, missing, schema = "gallery", GalleryError, NoGallery, GALLERY
    missing_text = "there is no gallery; nobody is enrolled yet"

    def add(self, name: str, sample: Sample, now: Now, ignored: bool = False) -> bool:
        """Store one photo of a person, or of an entry of the ignore list.

        False if this person has this photo already. Raises GalleryError where the others were
        encoded by another encoder, or where the name is on the ignore list and the person is not to
        be, and the other way round.
        """
        photo = PhotoRecord(
            encoding=self._blob(name, sample.encoding),
            photo_sha256=sample.photo_sha256,
            enrolled_at=now.utc,
            crop=sample.crop,
        )
        with self._transaction("IMMEDIATE") as db:
            self._refuse_another(db, sample.encoder)
            person = PersonRecord(name=name, enrolled_at=now.utc, disabled=False, ignored=ignored, photos=(photo,))
            return self._put(db, person, sample.encoder) == 1

    def people(self) -> list[Person]:
        """Everybody, by name, the ignore list included."""
        with self._transaction() as db:
            rows = db.execute(
                "SELECT name, count(encodings.id), people.created_at, disabled, ignored"
                " FROM people LEFT JOIN encodings ON person_id = people.id GROUP BY people.id ORDER BY name"
            )
            return [Person(*row[:3], *map(bool, row[3:])) for row in rows]

    def photos(self, name: str) -> list[StoredPhoto]:
        """One person's photos, in the order they came. Raises UnknownPerson."""
        with self._transaction() as db:
            rows = db.execute(
                "SELECT photo_sha256, encoder, created_at, jpeg FROM encodings LEFT JOIN crops"
                " ON encoding_id = encodings.id WHERE person_id = ? ORDER BY encodings.id",
                (self._id(db, name),),
            )
            return [StoredPhoto(*row) for row in rows]

    def rename(self, old: str, new: str) -> None:
        """Raises UnknownPerson, and GalleryError when `new` is taken."""
        with self._transaction("IMMEDIATE") as db:
            person_id = self._id(db, old)
            if db.execute("SELECT 1 FROM people WHERE name = ? AND id != ?", (new, person_id)).fetchone():
                raise GalleryError(f"{self.path}: {new!r} is enrolled already")
            db.execute("UPDATE people SET name = ? WHERE id = ?", (new, person_id))

    def disable(self, name: str, disabled: bool = True) -> None:
        """A disabled person is recognized as nobody; with False as themselves again. Raises UnknownPerson."""
        with self._transaction("IMMEDIATE") as db:
            person_id = self._id(db, name)
            if not db.execute(
                "UPDATE people SET disabled = ? WHERE id = ? AND NOT ignored", (disabled, person_id)
            ).rowcount:
                raise GalleryError(f"{self.path}: {name!r} is on the ignore list, which is never let in")

    def remove(self, name: str) -> None:
        """Take a person out so that nothing of encodings and crops is left in the file. Raises UnknownPerson."""
        with self._transaction("IMMEDIATE") as db:
            db.execute("DELETE FROM people WHERE id = ?", (self._id(db, name),))
        self._wipe()

    def remove_photo(self, name: str, photo_sha256: str) -> None:
        """Take one photo of a person out, as `remove` does. Raises UnknownPerson, and GalleryError for the last one."""
        with self._transaction("IMMEDIATE") as db:
            person = self._id(db, name)
            if db.execute("SELECT count(*) FROM encodings WHERE person_id = ?", (person,)).fetchone()[0] == 1:
                raise GalleryError(f"{self.path}: it is the only photo of {name}; remove the person instead")
            db.execute("DELETE FROM encodings WHERE person_id = ? AND photo_sha256 = ?", (person, photo_sha256))
        self._wipe()

    def erase_crops(self) -> int:
        """Forget what the faces look like; the encodings stay. Returns how many crops there were."""
        with self._transaction("IMMEDIATE") as db:
            erased = db.execute("DELETE FROM crops").rowcount
        if erased:
            self._wipe()
        return erased

    def load(self, encoder: str) -> Enrolled:
        """All names and encodings, each checked. Raises GalleryError where another encoder made one."""
        with self._transaction() as db:
            self._refuse_another(db, encoder)  # first: it is asked again every second, and costs nothing
            self._check(db, "people", "encodings")
            rows = db.execute(
                "SELECT name, encoding, encoder FROM encodings JOIN people ON people.id = person_id ORDER BY name"
            ).fetchall()
            if any(row[2] != encoder for row in rows):
                raise self._other(db, encoder)
            never = db.execute("SELECT name FROM people WHERE disabled OR ignored").fetchall()
        for name in dict.fromkeys(row[0] for row in rows):
            self._check_name(name)
        if not rows:
            return NOBODY_ENROLLED
        encodings = self._matrix([row[:2] for row in rows])
        return Enrolled(tuple(row[0] for row in rows), encodings, frozenset(name for (name,) in never))

    def reencode(self, encode: Callable[[bytes], Encoding], encoder: str) -> int:
        """Replace every encoding of another encoder than `encoder` by what `encode` makes of its crop.

        Returns how many; all in one transaction, or none. Raises GalleryError that names the people
        of whom no crop was kept, or in whose crop `encode` finds no face: then it raises PhotoRefused.
        """
        with self._transaction("IMMEDIATE") as db:
            if _names(db, encoder, with_crops=False):
                raise self._other(db, encoder)
            others = db.execute(
                "SELECT encodings.id, name FROM encodings JOIN people ON people.id = person_id WHERE encoder IS NOT ?",
                (encoder,),
            ).fetchall()
            for photo_id, name in others:
                (jpeg,) = db.execute("SELECT jpeg FROM crops WHERE encoding_id = ?", (photo_id,)).fetchone()
                try:
                    blob = self._blob(name, encode(jpeg))
                except PhotoRefused as error:
                    raise GalleryError(f"{self.path}: nothing was changed: a kept crop of {name}: {error}") from None
                db.execute("UPDATE encodings SET encoding = ?, encoder = ? WHERE id = ?", (blob, encoder, photo_id))
            return len(others)

    def encoder(self) -> str | None:
        """What the first encoding was made with, and so the others; None where nobody is enrolled."""
        with self._transaction() as db:
            row = db.execute("SELECT encoder FROM encodings LIMIT 1").fetchone()
        return None if row is None else str(row[0])

    def records(self) -> Iterator[PersonRecord]:
        """Everybody with everything, by name, each checked."""
        with self._transaction() as db:
            rows = db.execute("SELECT id, name, created_at, disabled, ignored FROM people ORDER BY name").fetchall()
            for row in rows:
                yield self._record(db, *row)

    def restore(self, people: Iterable[PersonRecord], encoder: str, merge: bool = False) -> tuple[int, int]:
        """Put people back, in one transaction: how many were new, and how many photos.

        Raises PeopleThere, and changes nothing, when somebody of that name is there already. With
        `merge` such people get the photos they lack and are else left as they are. Whatever `people`
        raises leaves the gallery as it was too.
        """
        with self._transaction("IMMEDIATE") as db:
            self._refuse_another(db, encoder)
            before = {name for (name,) in db.execute("SELECT name FROM people")}
            conflicts, new, photos = [], 0, 0
            for person in people:
                conflicts += [person.name] if person.name in before and not merge else []
                new += person.name not in before
                photos += self._put(db, person, encoder)
            if conflicts:
                raise PeopleThere(f"{self.path}: nothing was changed; already there: {some(conflicts)}")
            return new, photos

    def _put(self, db: Database, person: PersonRecord, encoder: str) -> int:
        """Adds what is missing; returns how many photos."""
        db.execute(
            "INSERT INTO people (name, created_at, disabled, ignored) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (person.name, person.enrolled_at, person.disabled, person.ignored),
        )
        person_id, ignored = db.execute("SELECT id, ignored FROM people WHERE name = ?", (person.name,)).fetchone()
        if ignored != person.ignored:
            raise GalleryError(
                f"{self.path}: {person.name!r} is " + ("on the ignore list" if ignored else "a person who is enrolled")
            )
        return sum(_put_photo(db, person_id, photo, encoder) for photo in person.photos)

    def _record(self, db: Database, person_id: int, name: Any, at: Any, disabled: int, ignored: int) -> PersonRecord:
        rows = db.execute(
            "SELECT encoding, photo_sha256, created_at, jpeg FROM encodings LEFT JOIN crops"
            " ON encoding_id = encodings.id WHERE person_id = ? ORDER BY encodings.id",
            (person_id,),
        )
        fields = ("encoding", "photo_sha256", "enrolled_at", "crop")
        try:
            photos = tuple(PhotoRecord(**dict(zip(fields, row, strict=True))) for row in rows)
            return PersonRecord(
                name=name, enrolled_at=at, disabled=bool(disabled), ignored=bool(ignored), photos=photos
            )
        except ValidationError as error:
            raise GalleryError(f"{self.path}: is damaged: what is kept of {name!r:.80}: {first_error(error)}") from None

    def _refuse_another(self, db: Database, encoder: str) -> None:
        row = db.execute("SELECT encoder FROM encodings LIMIT 1").fetchone()
        if row is not None and row[0] != encoder:
            raise self._other(db, encoder)

    def _id(self, db: Database, name: str) -> int:
        row = db.execute("SELECT id FROM people WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise UnknownPerson(f"{self.path}: nobody called {name!r} is enrolled")
        return int(row[0])

    def _matrix(self, rows: Sequence[tuple[str, Any]]) -> Encoding:
        try:
            return matrix(rows)
        except ValueError as error:
            raise GalleryError(f"{self.path}: is damaged: {error}") from None

    def _blob(self, name: str, encoding: Encoding) -> bytes:
        try:
            matrix([(name, blob := to_blob(encoding))])
        except ValueError as error:
            raise GalleryError(f"{self.path}: nothing was changed: {error}") from None
        return blob

    def _check_name(self, name: Any) -> None:
        try:
            _NAME.validate_python(name, strict=True)
        except ValidationError:
            raise GalleryError(f"{self.path}: is damaged: {name!r:.80} is no name") from None

    def _other(self, db: Database, encoder: str) -> GalleryError:
        """What is wrong where somebody was encoded by another encoder, and the way out."""
        row = db.execute(
            "SELECT name, encoder FROM encodings JOIN people ON people.id = person_id WHERE encoder IS NOT ? LIMIT 1",
            (encoder,),
        ).fetchone()
        if row is None:
            return GalleryError(f"{self.path}: is damaged: it holds encodings of nobody")
        name, found = row
        kept, lost = (_names(db, encoder, with_crops) for with_crops in (True, False))
        way_out = "run facelatch people reencode"
        if lost:
            then = f", {way_out}, and then enroll them anew" if kept else " and enroll anew"
            way_out = f"no crops were kept; remove{then}: {some(lost)}"
        return GalleryError(f"{self.path}: {name} was encoded by {found!r:.80}, not by {encoder}: {way_out}")


def some(names: Sequence[str]) -> str:
    """As many as fit into a line."""
    shown = ", ".join(names[:MAX_NAMES])
    return shown if len(names) <= MAX_NAMES else f"{shown} and {len(names) - MAX_NAMES} more"


def _put_photo(db: Database, person_id: int, photo: PhotoRecord, encoder: str) -> bool:
    added = db.execute(
        "INSERT INTO encodings (person_id, encoding, encoder, photo_sha256, created_at)"
        " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (person_id, photo.encoding, encoder, photo.photo_sha256, photo.enrolled_at),
    )
    if photo.crop is not None:  # of a photo that was enrolled without, too
        db.execute(
            "INSERT INTO crops (encoding_id, jpeg)"
            " SELECT id, ? FROM encodings WHERE person_id = ? AND photo_sha256 = ? ON CONFLICT DO NOTHING",
            (photo.crop, person_id, photo.photo_sha256),
        )
    return added.rowcount == 1


def _names(db: Database, encoder: str, with_crops: bool) -> list[str]:
    """Of the people with encodings of another encoder than `encoder`, those with or without crops of them."""
    rows = db.execute(
        "SELECT DISTINCT name FROM encodings JOIN people ON people.id = person_id"
        " LEFT JOIN crops ON encoding_id = encodings.id"
        " WHERE encoder IS NOT ? AND (jpeg IS NOT NULL) = ? ORDER BY name",
        (encoder, with_crops),
    )
    return [str(name) for (name,) in rows]

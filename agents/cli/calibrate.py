"""`facelatch calibrate`: what the people who are enrolled tell about the threshold. Changes nothing."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agents.cli.common import CommandError, add_command
from agents.cli.gallery import Actions, Place, at, counted, explained, open_gallery, place_of
from agents.recognizer.errors import NoGallery
from agents.recognizer.vision.manifest import merged, shipped

if TYPE_CHECKING:  # these need numpy, which not every machine of a house has
    from agents.recognizer.people.calibration import Calibration, House, Misfit, Pair, Spread
    from agents.recognizer.people.records import PersonRecord

MAX_PEOPLE = 20  # lines, and names in one line
PATIENCE = 10_000  # photos, which take some ten seconds
NOBODY = "nobody is enrolled yet: facelatch enroll NAME PHOTO…"
NO_FIGURE = f"{'-':>10}  {'-':>6}  {'-':>7}"


@dataclass(frozen=True)
class Report:
    """What was found, and whom it is about: by name, with their photos in the order of `people show`."""

    found: Calibration
    people: dict[str, PersonRecord]
    encoder: str

    def state(self, name: str) -> str:
        person = self.people[name]
        return "on the ignore list" if person.ignored else "disabled" if person.disabled else ""

    def called(self, name: str) -> str:
        state = self.state(name)
        return f"{name} ({state})" if state else name

    def photo(self, name: str, number: int) -> str:
        return f"photo {number} of {at(self.people[name].photos[number - 1].enrolled_at)}"


def register(commands: Actions) -> None:
    summary = "say whether the threshold suits the people who are enrolled, and which photos do not fit"
    example = "facelatch calibrate\nfacelatch calibrate --all\nfacelatch calibrate --json"
    calibrate = add_command(commands, "calibrate", _calibrate, summary, example)
    calibrate.add_argument("--all", action="store_true", help=f"everybody, not the {MAX_PEOPLE} least recognized")
    calibrate.add_argument("--json", action="store_true", help="one JSON object")


def _calibrate(args: argparse.Namespace) -> int:
    """1 where something has to be settled: a photo that does not fit, people taken for each other."""
    place = place_of(args)
    with explained():
        report = _look(place)
    if args.json:
        print(json.dumps(_facts(report), ensure_ascii=False))
    else:
        for paragraph in _paragraphs(report, place, args.config, MAX_PEOPLE if not args.all else len(report.people)):
            print(*paragraph, sep="\n", end="\n\n")
    return 1 if report.found.misfits or report.found.conflicts else 0


def _look(place: Place) -> Report:
    from agents.recognizer.people.calibration import Calibration

    encoder = place.engine().encoder
    try:
        with open_gallery(place.gallery) as gallery:
            gallery.load(encoder)  # refuses what is damaged, or of another encoder
            people = {p.name: p.model_copy(update={"photos": _bare(p)}) for p in gallery.records() if p.photos}
    except NoGallery:
        people = {}
    if not people:
        raise CommandError(NOBODY)
    photos = sum(len(person.photos) for person in people.values())
    if photos > PATIENCE:
        print(f"facelatch: {photos} photos are held against everybody; that takes a while", file=sys.stderr)
    return Report(Calibration(_house(place, people)), people, encoder)


def _bare(person: PersonRecord) -> tuple[Any, ...]:
    """Of many people the crops would take much memory."""
    return tuple(photo.model_copy(update={"crop": None}) for photo in person.photos)


def _house(place: Place, people: dict[str, PersonRecord]) -> House:
    from agents.recognizer.matcher import Enrolled
    from agents.recognizer.people.calibration import House
    from agents.recognizer.people.records import matrix
    from agents.recognizer.people.vetting import Limits
    from agents.recognizer.rule import Rule

    rows = [(person.name, photo.encoding) for person in people.values() for photo in person.photos]
    never = frozenset(name for name, person in people.items() if person.ignored or person.disabled)
    model = merged(place.settings.models)[place.settings.encoder]
    return House(
        Enrolled(tuple(name for name, _ in rows), matrix(rows), never),
        place.settings.rule,
        Limits.of(model.threshold),
        listed=frozenset(name for name, person in people.items() if person.ignored),
        ceiling=Rule.threshold if model.threshold is None else model.threshold,
        measured=model.threshold is None and model.sha256 == shipped()["dlib-resnet"].sha256,
    )


def _facts(report: Report) -> dict[str, Any]:
    found, proposal = report.found, report.found.propose()
    return {
        "encoder": report.encoder,
        "threshold": found.house.rule.threshold,
        "people": [{**asdict(spread), "state": report.state(spread.person) or None} for spread in _worst_first(found)],
        "closest": asdict(found.pairs[0]) if found.pairs else None,
        "conflicts": [asdict(pair) for pair in found.conflicts],
        "misfits": [
            asdict(misfit) | {"photo_sha256": report.people[misfit.person].photos[misfit.number - 1].photo_sha256}
            for misfit in found.misfits
        ],
        "strangers": found.strangers,
        "recognized": found.recognized(found.house.rule.threshold),
        "proposal": {
            "threshold": proposal.threshold,
            "bound": proposal.bound,
            "strangers": None if proposal.threshold is None else found.strangers_at(proposal.threshold),
            "recognized": None if proposal.threshold is None else found.recognized(proposal.threshold),
        },
    }


def _worst_first(found: Calibration) -> list[Spread]:
    """Those of whom nothing can be told last."""

    def key(spread: Spread) -> tuple[float, float]:
        if spread.recognized is None or spread.largest is None:
            return 2.0, 0.0
        return spread.recognized / spread.photos, -spread.largest

    return sorted(found.spreads, key=key)


def _paragraphs(report: Report, place: Place, config: Path, lines: int) -> Iterator[list[str]]:
    yield list(_table(report, lines))
    yield list(_pairs(report))
    if report.found.misfits:
        yield list(_misfits(report))
    yield [_strangers(report.found)]
    yield list(_proposal(report, place, config))


def _table(report: Report, lines: int) -> Iterator[str]:
    found, rule = report.found, report.found.house.rule
    photos = counted(len(found.looks), "photo")
    yield f"{len(report.people)} enrolled, {photos}, encoder {report.encoder}; threshold {rule.threshold:g}"
    spreads = _worst_first(found)
    width = max(len(spread.person) for spread in spreads[:lines])
    yield f"{'':{width}}  photos  recognized  median  largest"
    for spread in spreads[:lines]:
        yield f"{spread.person:{width}}  {spread.photos:6}  {_figures(spread)}  {report.state(spread.person)}".rstrip()
    if len(spreads) > lines:
        yield f"and {len(spreads) - lines} more: --all"
    yield "Scores: of each photo, with itself left out; smaller is nearer."
    single = [report.called(spread.person) for spread in spreads if spread.recognized is None]
    if single:
        yield f"Of a single photo nothing can be told; more would help: {_some(single)}."


def _figures(spread: Spread) -> str:
    if spread.recognized is None:
        return NO_FIGURE
    return f"{f'{spread.recognized} of {spread.photos}':>10}  {spread.median:6.3f}  {spread.largest:7.3f}"


def _some(names: Sequence[str]) -> str:
    rest = len(names) - MAX_PEOPLE
    return ", ".join(names[:MAX_PEOPLE]) + (f" and {rest} more" if rest > 0 else "")


def _pairs(report: Report) -> Iterator[str]:
    found = report.found
    if not found.pairs:
        yield "Closest pair: there are no two people to be taken for each other."
        return
    yield f"Closest pair: {_pair(report, found.pairs[0])}."
    if not found.conflicts:
        yield "Nobody can be taken for somebody else who may come in."
        return
    yield f"Taken for the second at threshold {found.house.rule.threshold:g}, were the first not enrolled:"
    yield from (f"  {_pair(report, pair)}" for pair in found.conflicts[:MAX_PEOPLE])
    yield "More photos of both tell them apart better; a stricter threshold keeps them apart."


def _pair(report: Report, pair: Pair) -> str:
    photo = report.photo(pair.person, pair.number)
    return f"{report.called(pair.person)}, {photo}, and {report.called(pair.other)}: score {pair.score:.3f}"


def _misfits(report: Report) -> Iterator[str]:
    yield "Photos that do not fit:"
    for misfit in report.found.misfits:
        sha256 = report.people[misfit.person].photos[misfit.number - 1].photo_sha256
        yield f"  {report.called(misfit.person)}, {report.photo(misfit.person, misfit.number)}: {_why(report, misfit)}"
        yield f"    SHA-256 {sha256[:16]}"
    yield "Is it somebody else? Then facelatch people remove NAME --photo NUMBER."
    yield "Is it unclear? More and better photos of this person help. people show tells all their photos."


def _why(report: Report, misfit: Misfit) -> str:
    if misfit.other is None:
        limit = report.found.house.limits.unlike
        return f"unlike their others, at distance {misfit.distance:.3f}; genuine ones are within {limit:.3f}"
    other = report.called(misfit.other)
    return f"looks like {other} (distance {misfit.away:.3f}), and less like their other photos ({misfit.distance:.3f})"


def _strangers(found: Calibration) -> str:
    from agents.recognizer.people.calibration import WITHIN

    share = found.strangers
    if share is None:
        return "Strangers: how many this encoder lets in is not known; it was measured for dlib-resnet alone."
    if share == 0:
        return "Strangers: none, as nobody may come in."
    few, many = _one_in(share / WITHIN), _one_in(min(1.0, share * WITHIN))
    known = _in_words(share, found.house.rule.threshold)
    maybe = f"; it may be as many as {many}, or as few as {few}" if known.startswith("about") else ""
    return (
        f"Strangers let in by one photo: {known}{maybe}.\nThat was measured on news photos (Labeled Faces in the Wild),"
        " with 5 photos each of up to 79 people; for more people it is reckoned on from there."
    )


def _in_words(share: float, threshold: float) -> str:
    from agents.recognizer.people.calibration import KNOWN_FROM, KNOWN_TO, WITHIN

    if threshold < KNOWN_FROM:
        return f"fewer than {_one_in(min(1.0, share * WITHIN))}"
    return f"{'more than' if threshold > KNOWN_TO else 'about'} {_one_in(share)}"


def _one_in(share: float) -> str:
    """To two digits: more are not known."""
    return f"1 in {float(f'{1 / share:.2g}'):,.0f}"


def _proposal(report: Report, place: Place, config: Path) -> Iterator[str]:
    found, proposal = report.found, report.found.propose()
    in_force, pair = found.house.rule.threshold, proposal.pair
    if pair is not None and (pair.person, pair.number) in {(bad.person, bad.number) for bad in found.misfits}:
        then = found.without_misfits().propose().threshold
        yield "Settle first what does not fit, and calibrate again: " + (
            "without these photos there is still no threshold to propose." if then is None else f"it would be {then:g}."
        )
    if proposal.threshold is None:
        yield "Proposal: no threshold keeps apart those who are alike: see above."
    elif in_force <= proposal.threshold:
        yield f"Proposal: leave the threshold as it is; {in_force:g}{_cost(found, in_force)}."
        if in_force < proposal.threshold:
            yield f"No looser than {proposal.threshold:g}, which{_cost(found, proposal.threshold)}: {_because(report)}."
    else:
        yield f"Proposal: a threshold of {proposal.threshold:g} instead of {in_force:g}: {_because(report)}."
        yield f"{proposal.threshold:g}{_cost(found, proposal.threshold)}; {in_force:g}{_cost(found, in_force)}."
        yield f"It is for you to put into {config}:"
        yield f"  {_setting(place, proposal.threshold)}"


def _because(report: Report) -> str:
    proposal = report.found.propose()
    if proposal.bound == "pair" and proposal.pair is not None:
        apart = f"{report.called(proposal.pair.person)} and {report.called(proposal.pair.other)}"
        return f"it keeps {apart} apart, with a little to spare"
    if proposal.bound == "strangers":
        return "with so many people a looser one is expected to let in more than 1 in 600 strangers"
    return "it is the loosest that is ever proposed"


def _cost(found: Calibration, threshold: float) -> str:
    """What a threshold does, to be put after it."""
    share, strangers = found.recognized(threshold), found.strangers_at(threshold)
    tells = [] if share is None else [f" recognizes {share:.1%} of the enrolled people's own photos"]
    tells += [] if not strangers else [f" lets in {_in_words(strangers, threshold)} strangers"]
    return " and".join(tells)


def _setting(place: Place, threshold: float) -> str:
    """An encoder with a threshold of its own has it under models."""
    encoder = place.settings.encoder
    if merged(place.settings.models)[encoder].threshold is None:
        return f"recognizer: {{ threshold: {threshold:g} }}"
    return f"recognizer: {{ models: {{ {encoder}: {{ threshold: {threshold:g} }} }} }}"

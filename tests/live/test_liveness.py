"""A telephone with somebody's photograph, and then that person, at a real door: with the networks, and without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.wire.liveness import Verdict
from agents.wire.messages import Outcome
from agents.wire.why import Why
from demo.clips import clips
from demo.follower import Follower, following
from demo.house import HIM, DemoHouse, living_house
from demo.story import denied, known_person, wait_until_ready

SHARED = Path(__file__).parents[3] / "shared/models"
needs_networks = pytest.mark.skipif(not SHARED.exists(), reason="needs the networks of ../shared/models")
House = tuple[DemoHouse, Follower]


@pytest.fixture(params=[pytest.param("networks", marks=needs_networks), "no networks"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    models = SHARED if request.param == "networks" else tmp_path  # where none are
    with living_house(clips(print), print, str(models)) as made, made.running(), following(made, print) as follower:
        try:
            wait_until_ready(made, follower)
            yield made, follower
        finally:
            print(made.log_tail())


def test_a_photograph_on_a_telephone_stays_outside_and_the_man_himself_gets_in(
    house: House, request: pytest.FixtureRequest
) -> None:
    made, follower = house
    with_networks = "no networks" not in request.node.name
    denied(made, follower, "phone", Why.SPOOF if with_networks else Why.CHALLENGE_FAILED)
    known_person(made, follower, "known", HIM)
    (picture, man) = follower.story.decisions
    assert (picture.person, picture.outcome, man.person, man.outcome) == (HIM, Outcome.DENIED, HIM, Outcome.GRANTED)
    assert picture.liveness is not None
    assert man.liveness is not None
    if with_networks:
        assert (picture.liveness.verdict, man.liveness.verdict) == (Verdict.SPOOF, Verdict.LIVE)
        assert follower.story.challenges == []
    else:
        assert follower.story.challenges[-1].person == HIM
    assert len(follower.story.pulses) == 1

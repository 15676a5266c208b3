"""Every mosquitto_pub, mosquitto_sub and mosquitto_rr that our pages print, run by bash exactly as it is printed.

What is not printed (the port of the test's broker) is given where mosquitto's clients look for their
options. A command without a check of what it does fails.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.live import recipe_checks_scheduler, recipe_pages
from tests.live.recipe_checks import CHECKS, TO_DOOR
from tests.live.recipe_stand import Site, Stand

assert recipe_checks_scheduler.TO_SCHEDULER  # its checks are noted when it is imported
RECIPES = recipe_pages.recipes()
WITH_TLS = {key: recipe for key, recipe in RECIPES.items() if "$BROKER" in key}


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    made = Stand(tmp_path_factory.mktemp("recipes"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("recipes-tls"))
    yield made
    made.close()


@pytest.mark.parametrize("key", sorted(RECIPES.keys() - WITH_TLS.keys()))
def test_a_recipe_does_what_the_page_says(stand: Stand, key: str) -> None:
    assert key in CHECKS, f"no check here of what this does: {RECIPES[key]}"
    stand.locked()
    CHECKS[key](stand, RECIPES[key])


def test_the_recipes_with_tls_do_what_the_page_says(site: Site) -> None:
    unlock, follow, write_once = WITH_TLS.values()
    site.unlocks(unlock)
    site.follows(follow, unlock)
    site.run(write_once)
    options = sorted((site.folder / ".config").iterdir())
    assert [(path.name, path.stat().st_mode & 0o777) for path in options] == [
        ("mosquitto_pub", 0o600),
        ("mosquitto_rr", 0o600),
        ("mosquitto_sub", 0o600),
    ]
    site.unlocks(RECIPES[f"{TO_DOOR} -m UNLOCK"])
    site.follows(RECIPES["mosquitto_sub -t facelatch/door/front/event"], f"{TO_DOOR} -m UNLOCK")
    (with_reply,) = (recipe for recipe in RECIPES.values() if recipe.startswith("mosquitto_rr"))
    answer = json.loads(site.run(with_reply.replace("reply/shell/", "reply/ana/")))  # as the page says
    assert answer["event_type"] in ("unlocked", "extended")


def test_no_check_is_left_of_a_recipe_that_is_gone() -> None:
    assert CHECKS.keys() - RECIPES.keys() == set()


def test_a_command_that_is_printed_elsewhere_is_one_of_the_recipes() -> None:
    assert recipe_pages.outside() == [], "put it into a ```sh block"
    assert recipe_pages.in_sentences() - RECIPES.keys() == set()


def test_a_new_recipe_would_be_found() -> None:
    page = "text\n\n```sh\nls\nmosquitto_pub -t a \\\n  -m b   # why\nmosquitto_sub -t c | \\\n  wc\n```\n"
    assert [recipe_pages.key(command) for command in recipe_pages.in_blocks(page)] == [
        "mosquitto_pub -t a -m b",
        "mosquitto_sub -t c | wc",
    ]

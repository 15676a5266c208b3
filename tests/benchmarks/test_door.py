"""What the door's benchmark makes of its measurements, and that it measures at all: figures are no test's business."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.clients import BenchmarkFailed, Sender
from benchmarks.door import WAYS, Times, measure, missed_targets, percentiles, summary, table


def figures(state_s: float = 0.003, echo_s: float = 0.001, echo_qos1_s: float = 0.01) -> dict[str, Any]:
    times = Times(relay=[0.0015] * 3, state=[state_s] * 3, echo=[echo_s] * 3, echo_qos1=[echo_qos1_s] * 3)
    return {"machine": "a machine", "commands": 3, **dict.fromkeys(WAYS, summary(times))}


def test_percentiles_are_in_milliseconds_and_know_the_tail() -> None:
    assert percentiles([0.001] * 98 + [0.5] * 2) == {"p50": 1.0, "p99": 500.0}
    assert percentiles([0.0021234]) == {"p50": 2.12, "p99": 2.12}


def test_what_the_door_takes_is_what_its_state_takes_longer_than_the_echo() -> None:
    found = summary(Times(relay=[0.001], state=[0.004], echo=[0.0015], echo_qos1=[0.002]))
    assert found["above_echo_ms"] == {"p50": 2.5, "p99": 2.5}
    assert found["relay_ms"]["p50"] == 1.0


def test_a_target_that_is_met_is_not_named() -> None:
    assert missed_targets(figures()) == []


def test_a_slow_door_misses_its_targets_and_is_named_for_each_way_to_connect() -> None:
    missed = missed_targets(figures(state_s=0.0121))
    assert missed == [
        line
        for way in ("plain", "tls", "tls_acl")
        for line in (
            f"{way}.above_echo_ms.p50 is 11.1, the target is 2",
            f"{way}.above_echo_ms.p99 is 11.1, the target is 10",
        )
    ]


def test_a_broker_without_tcp_nodelay_is_noticed_though_the_door_is_as_fast_as_the_echo() -> None:
    missed = missed_targets(figures(echo_qos1_s=0.0435))
    assert missed == [f"{way}.echo_qos1_ms.p50 is 43.5, the target is 10" for way in WAYS]


def test_the_table_has_a_line_for_every_figure_of_every_way() -> None:
    lines = table(figures()).splitlines()
    for way in ("plain", "tls", "tls + acl"):
        for name in ("relay", "state", "echo", "above echo", "echo qos1"):
            assert sum(line.startswith(f"{way}: {name}  ") for line in lines) == 1


@pytest.mark.parametrize("way", WAYS)
def test_one_command_to_a_real_door_has_all_its_times(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.door.PROBES", 1)
    times = measure(way, 1)
    (relay,), (state,), (echo,), (echo_qos1,) = times.relay, times.state, times.echo, times.echo_qos1
    assert 0 < relay < state
    assert min(echo, echo_qos1) > 0


def test_a_door_that_does_not_obey_ends_the_benchmark_with_the_doors_own_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def order(sender: Sender, _: int) -> bytes:
        sender.patience_s = 3.0
        return b'{"action":"UNLOCK","session":"stolen"}'

    monkeypatch.setattr(Sender, "order", order)
    monkeypatch.setattr("benchmarks.door.PROBES", 0)
    with pytest.raises(BenchmarkFailed, match=r"(?s)waited in vain for door front to say UNLOCKED.*wrong_session"):
        measure("plain", 1)

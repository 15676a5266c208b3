"""The outbox between a real spool and whatever a connection can do: once each, in order, or counted."""

from __future__ import annotations

import contextlib
import queue
import signal
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from agents.runtime.outbox import Make, Outbox
from agents.runtime.spool import Spool
from tests.live.tools import PATIENCE_S, Broker
from tests.runtime.test_spool import failing_disk

WINDOW, LIMIT, MEMORY = 4, 1000, 6


def event(label: int, wording: str = "") -> Make:
    """Its payload tells its number and which event it is."""
    return lambda seq: f"{seq or 0}:{label}{wording}".encode()


def label_of(payload: bytes) -> int:
    return int(payload.split(b":")[1].rstrip(b"!"))


class Wire:
    """What an MQTT client does, in as many steps: it sends, is answered in order, and after a loss of
    the connection sends again what was not answered; but when, the outbox does not learn."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []  # by a reader
        self.carried: dict[int, bytes] = {}  # by message id, not answered yet
        self.answers: deque[int] = deque()
        self.again: list[int] = []  # still to be sent again
        self.up = self.full = self.admits_loss = False
        self._mid = 0

    def publish(self, payload: bytes) -> int | None:
        if self.full:
            return None
        self._mid += 1
        self.carried[self._mid] = payload
        self._send(self._mid)
        return None if self.admits_loss and not self.up else self._mid

    def lose(self) -> None:
        self.up = False
        self.answers.clear()

    def connect(self) -> None:
        self.up, self.again = True, list(self.carried)

    def resend(self) -> None:
        for mid in self.again:
            self._send(mid)
        self.again.clear()

    def answer(self) -> int:
        mid = self.answers.popleft()
        self.carried.pop(mid, None)
        return mid

    def _send(self, mid: int) -> None:
        if self.up:
            self.heard.append(self.carried[mid])
            self.answers.append(mid)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "door-front.sqlite"


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def outbox(path: Path, wire: Wire) -> Iterator[Outbox]:
    made = Outbox(path, wire.publish, WINDOW, LIMIT, MEMORY)
    yield made
    made.close()


def connect(outbox: Outbox, wire: Wire) -> None:
    wire.connect()
    outbox.connected()
    wire.resend()


def answer_all(outbox: Outbox, wire: Wire) -> None:
    while wire.answers:
        outbox.acknowledged(wire.answer())


def restart(outbox: Outbox, wire: Wire) -> Outbox:
    """The program ends and is started again; the client carries nothing over."""
    outbox.close()
    wire.lose()
    wire.carried.clear()
    return Outbox(outbox._path, wire.publish, WINDOW, LIMIT, MEMORY)


def test_what_is_written_is_published_when_pumped(outbox: Outbox, wire: Wire) -> None:
    connect(outbox, wire)
    assert outbox.write(event(1)) == 1
    assert wire.heard == []
    outbox.pump()
    assert wire.heard == [b"1:1"]


def test_no_more_than_the_window_is_under_way(outbox: Outbox, wire: Wire) -> None:
    connect(outbox, wire)
    for label in range(1, 11):
        outbox.write(event(label))
        outbox.pump()
    assert wire.heard == [b"1:1", b"2:2", b"3:3", b"4:4"]
    outbox.acknowledged(wire.answer())
    assert wire.heard[4:] == [b"5:5"]
    assert outbox.under_way == WINDOW
    answer_all(outbox, wire)
    assert len(wire.heard) == 10
    assert outbox.under_way == 0


def test_nothing_is_handed_to_a_client_without_a_broker(outbox: Outbox, wire: Wire) -> None:
    outbox.write(event(1))
    outbox.pump()
    assert not wire.carried
    connect(outbox, wire)
    answer_all(outbox, wire)
    wire.lose()
    outbox.disconnected()
    outbox.write(event(2))
    outbox.pump()
    assert not wire.carried
    connect(outbox, wire)
    assert wire.heard == [b"1:1", b"2:2"]


def test_what_the_client_does_not_take_is_offered_again_before_the_next(path: Path) -> None:
    offered: list[bytes] = []

    def publish(payload: bytes) -> int | None:
        offered.append(payload)
        return None if len(offered) == 1 else len(offered)

    with contextlib.closing(Outbox(path, publish)) as outbox:
        outbox.connected()
        for label in (1, 2):
            outbox.write(event(label))
        outbox.pump()
        assert offered == [b"1:1"]
        outbox.pump()
        assert offered == [b"1:1", b"1:1", b"2:2"]


def test_nothing_new_overtakes_what_the_client_sends_again(outbox: Outbox, wire: Wire) -> None:
    connect(outbox, wire)
    for label in (1, 2):
        outbox.write(event(label))
    outbox.pump()
    outbox.disconnected()
    wire.lose()
    outbox.write(event(3))
    outbox.pump()
    wire.connect()
    outbox.connected()
    outbox.pump()
    assert wire.heard == [b"1:1", b"2:2"], "the client has not sent again yet, or nobody knows"
    wire.resend()
    answer_all(outbox, wire)
    assert wire.heard == [b"1:1", b"2:2", b"1:1", b"2:2", b"3:3"]


def test_an_answer_to_anything_shows_that_the_client_has_sent_again(outbox: Outbox, wire: Wire) -> None:
    connect(outbox, wire)
    outbox.write(event(1))
    outbox.pump()
    outbox.disconnected()
    wire.lose()
    wire.carried.clear()  # answered, but the outbox was never told
    connect(outbox, wire)
    outbox.write(event(2))
    outbox.acknowledged(65_000)
    assert wire.heard == [b"1:1", b"2:2"]


def test_a_restart_publishes_again_only_what_was_not_answered(outbox: Outbox, wire: Wire) -> None:
    connect(outbox, wire)
    for label in (1, 2, 3):
        outbox.write(event(label))
    outbox.pump()
    outbox.acknowledged(wire.answer())
    again = restart(outbox, wire)
    wire.heard.clear()
    connect(again, wire)
    assert wire.heard == [b"2:2", b"3:3"]
    again.close()


def test_an_answer_that_was_passed_over_does_not_block_the_window_for_ever(outbox: Outbox, wire: Wire) -> None:
    connect(outbox, wire)
    for label in range(1, 9):
        outbox.write(event(label))
        outbox.pump()
        if label % 2:
            wire.answer()
        else:
            answer_all(outbox, wire)
    assert len(wire.heard) == 8
    assert outbox.under_way == 0


def test_an_event_can_be_told_anew_before_anybody_hears_of_it(outbox: Outbox, wire: Wire) -> None:
    connect(outbox, wire)
    seq = outbox.write(event(1))
    assert outbox.rewrite(seq, event(1, "!")) == seq
    outbox.pump()
    assert wire.heard == [b"1:1!"]
    assert outbox.recent(10) == [b"1:1!"]


def test_while_the_disk_fails_events_are_published_from_memory_after_those_on_disk(outbox: Outbox, wire: Wire) -> None:
    outbox.write(event(1))
    with failing_disk():
        assert outbox.write(event(2)) is None
        assert outbox.write(event(3)) is None
        outbox.rewrite(None, event(3, "!"))
        assert outbox.problem == f"{outbox._path}: disk I/O error"
        connect(outbox, wire)
        assert wire.heard == [b"1:1", b"0:2", b"0:3!"]
        answer_all(outbox, wire)
        assert outbox.problem is not None
    outbox.pump()
    assert outbox.problem is None
    assert outbox.write(event(4)) == 2
    assert outbox.recent(10) == [b"2:4", b"1:1"]
    wire.heard.clear()
    again = restart(outbox, wire)
    connect(again, wire)
    assert wire.heard == [b"2:4"], "the disk was told in the end that the first was answered"
    again.close()


def test_what_memory_kept_goes_to_the_disk_when_it_works_again(outbox: Outbox, wire: Wire) -> None:
    with failing_disk():
        outbox.write(event(1))
        outbox.write(event(2))
    outbox.pump()
    assert outbox.problem is None
    assert outbox.recent(10) == [b"2:2", b"1:1"]
    connect(outbox, wire)
    assert wire.heard == [b"1:1", b"2:2"]


def test_an_event_that_the_disk_could_not_tell_anew_is_told_twice(outbox: Outbox, wire: Wire) -> None:
    seq = outbox.write(event(1))
    with failing_disk():
        assert outbox.rewrite(seq, event(1, "!")) is None
    connect(outbox, wire)
    assert wire.heard == [b"1:1", b"2:1!"]


def test_a_number_is_that_of_the_event_and_of_no_earlier_one(outbox: Outbox) -> None:
    with failing_disk():
        outbox.write(event(1))
    with contextlib.ExitStack() as disk:

        def make(seq: int | None) -> bytes:
            disk.enter_context(failing_disk())
            return b"2"

        assert outbox.write(make) is None
    assert outbox.recent(10) == [b"1:1"]


def test_the_window_holds_for_what_only_memory_has(outbox: Outbox, wire: Wire) -> None:
    connect(outbox, wire)
    with failing_disk():
        for label in range(1, 7):
            outbox.write(event(label))
        outbox.pump()
        assert wire.heard == [b"0:1", b"0:2", b"0:3", b"0:4"]
        outbox.acknowledged(wire.answer())
        assert wire.heard[4:] == [b"0:5"]


def test_closing_tells_the_disk_what_it_missed(outbox: Outbox, wire: Wire) -> None:
    connect(outbox, wire)
    outbox.write(event(1))
    outbox.pump()
    with failing_disk():
        answer_all(outbox, wire)
        outbox.write(event(2))
    again = restart(outbox, wire)
    connect(again, wire)
    assert wire.heard == [b"1:1", b"2:2"]
    again.close()


def test_memory_is_bounded_and_what_had_to_go_is_counted(outbox: Outbox, wire: Wire) -> None:
    with failing_disk():
        for label in range(1, MEMORY + 4):
            outbox.write(event(label))
    assert outbox.lost == 3
    outbox.pump()
    assert [label_of(payload) for payload in outbox.recent(100)] == [9, 8, 7, 6, 5, 4]


def test_a_door_comes_up_without_its_disk_and_finds_it_later(path: Path, wire: Wire) -> None:
    with contextlib.closing(Spool(path)) as spool:
        spool.write(event(1))
    with contextlib.closing(Spool(path)):
        outbox = Outbox(path, wire.publish, WINDOW, LIMIT, MEMORY)
        assert outbox.recent(1) == []
        assert outbox.problem == f"{path}: another process holds it"
        assert outbox.write(event(2)) is None
        assert outbox.rewrite(None, event(2, "!")) is None
        assert not outbox.flush()
        assert outbox.lost == 0
    connect(outbox, wire)
    assert wire.heard == [b"1:1", b"2:2!"]
    assert outbox.problem is not None, "nobody has flushed since"
    assert outbox.flush()
    assert outbox.problem is None
    outbox.close()


def test_a_damaged_file_is_said_in_the_log(path: Path, wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    path.write_bytes(b"damaged" * 1000)
    Outbox(path, wire.publish).close()
    assert [record.message for record in caplog.records] == [
        f"{path}: is no SQLite file; it is kept as {path}.damaged-1, and a new one was begun"
    ]


def test_a_lasting_problem_is_logged_once(outbox: Outbox, caplog: pytest.LogCaptureFixture) -> None:
    with failing_disk():
        for label in range(5):
            outbox.write(event(label))
            outbox.pump()
    assert len(caplog.records) == 1


def test_closing_and_what_comes_after_it_raise_nothing(outbox: Outbox) -> None:
    with failing_disk():
        outbox.close()
    outbox.close()
    assert outbox.write(event(1)) is None
    outbox.pump()
    outbox.flush()


class AnyInterleaving(RuleBasedStateMachine):
    """Whatever comes in whatever order: what a reader hears, without repeats, is in order and whole."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.wire = Wire()
        self.fails = False
        self.written = 0  # labels count from one
        self.answered: set[int] = set()  # labels
        self.gone: set[int] = set()  # only memory had them when the program ended
        self.lost = 0

    @initialize(limit=st.sampled_from([5, LIMIT]))
    def begin(self, limit: int) -> None:
        self.limit = limit
        self.open()

    def open(self) -> None:
        self.outbox = Outbox(Path(self.folder.name) / "x.sqlite", self.publish, WINDOW, self.limit, MEMORY)

    def publish(self, payload: bytes) -> int | None:
        assert label_of(payload) not in self.answered, "the broker has it"
        return self.wire.publish(payload)

    def do(self, action: Callable[[], object]) -> None:
        with failing_disk() if self.fails else contextlib.nullcontext():
            action()

    @rule(n=st.integers(1, 7), pump=st.booleans(), retell=st.booleans())
    def write(self, n: int, pump: bool, retell: bool) -> None:
        for _ in range(n):
            self.written += 1
            label = self.written
            self.do(lambda label=label: self._write(label, retell))  # type: ignore[misc]
        if pump:
            self.do(self.outbox.pump)

    def _write(self, label: int, retell: bool) -> None:
        seq = self.outbox.write(event(label))
        if retell:
            self.outbox.rewrite(seq, event(label, "!"))

    @rule()
    def pump(self) -> None:
        self.do(self.outbox.pump)

    @precondition(lambda self: self.wire.answers)
    @rule(n=st.integers(1, 5))
    def answer(self, n: int) -> None:
        for _ in range(min(n, len(self.wire.answers))):
            label = label_of(self.wire.carried.get(self.wire.answers[0], b"0:0"))
            mid = self.wire.answer()
            self.do(lambda mid=mid: self.outbox.acknowledged(mid))  # type: ignore[misc]
            if not self.fails:
                self.answered.add(label)

    @precondition(lambda self: len(self.wire.answers) > 1)
    @rule()
    def an_answer_gets_lost_on_its_way_to_the_outbox(self) -> None:
        self.wire.answer()

    @precondition(lambda self: self.wire.up and not self.wire.again)
    @rule()
    def something_else_is_answered(self) -> None:
        self.do(lambda: self.outbox.acknowledged(1_000_000))

    @precondition(lambda self: self.wire.up)
    @rule(pumps_before_told=st.integers(0, 2), admits_loss=st.booleans())
    def lose_broker(self, pumps_before_told: int, admits_loss: bool) -> None:
        self.wire.lose()
        self.wire.admits_loss = admits_loss
        for _ in range(pumps_before_told):
            self.do(self.outbox.pump)
        self.outbox.disconnected()

    @precondition(lambda self: not self.wire.up)
    @rule(resent_first=st.booleans())
    def find_broker(self, resent_first: bool) -> None:
        self.wire.connect()
        if resent_first:
            self.wire.resend()
        self.do(self.outbox.connected)

    @precondition(lambda self: self.wire.up and self.wire.again)
    @rule()
    def client_sends_again(self) -> None:
        self.wire.resend()

    @rule(full=st.booleans())
    def client_takes_no_more(self, full: bool) -> None:
        self.wire.full = full

    @rule(fails=st.booleans())
    def disk(self, fails: bool) -> None:
        self.fails = fails

    @precondition(lambda self: not self.fails)
    @rule(in_good_order=st.booleans())
    def restart(self, in_good_order: bool) -> None:
        unsaved = [label_of(make(None)) for make in self.outbox._unsaved]
        carried = [label_of(payload) for payload in self.wire.carried.values() if payload.startswith(b"0:")]
        self.gone.update(carried if in_good_order else [*unsaved, *carried])
        spool = self.outbox._spool
        if in_good_order:
            self.outbox.close()
        elif spool is not None:
            spool._db.close()
        self.lost += self.outbox.lost
        self.wire.lose()
        self.wire.carried.clear()
        self.open()

    @invariant()
    def the_reader_hears_in_order(self) -> None:
        first = list(dict.fromkeys(label_of(payload) for payload in self.wire.heard))
        assert first == sorted(first)

    @invariant()
    def everything_is_bounded(self) -> None:
        if self.written:
            assert len(self.outbox._unsaved) <= MEMORY
            assert self.outbox.under_way <= WINDOW
            assert len(self.outbox.recent(self.limit + 1)) <= self.limit

    def teardown(self) -> None:
        try:
            if hasattr(self, "outbox"):
                self.settle()
                self.outbox.close()
        finally:
            self.folder.cleanup()

    def settle(self) -> None:
        """When all works again, everything arrives but what was counted as lost."""
        self.fails = self.wire.full = False
        if not self.wire.up:
            self.find_broker(resent_first=True)
        self.wire.resend()
        self.something_else_is_answered()
        self.write(1, pump=True, retell=False)
        while self.wire.answers:
            self.answer(1)
        missing = set(range(1, self.written + 1)) - {label_of(payload) for payload in self.wire.heard} - self.gone
        assert len(missing) <= self.lost + self.outbox.lost
        assert self.outbox.under_way == 0
        assert self.outbox.problem is None
        self.the_reader_hears_in_order()


AnyInterleaving.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestAnyInterleaving = AnyInterleaving.TestCase


class Program:
    """A real client around an outbox, as an agent has it: the network thread only enqueues."""

    def __init__(self, path: Path, port: int, may_connect: threading.Event) -> None:
        self.news: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.outbox = Outbox(path, self._publish)
        self.client = Client(CallbackAPIVersion.VERSION2, "door", protocol=MQTTProtocolVersion.MQTTv5)
        self.client.on_pre_connect = lambda *_: self._wait(may_connect)
        self.client.on_connect = lambda *_: self.news.put(self.outbox.connected)
        self.client.on_disconnect = lambda *_: self.news.put(self.outbox.disconnected)
        self.client.on_publish = lambda _client, _data, mid, *_: self.news.put(lambda: self.outbox.acknowledged(mid))
        self.client.reconnect_delay_set(1, 1)
        self.client.connect_async("127.0.0.1", port, clean_start=True)
        self.client.loop_start()

    def _publish(self, payload: bytes) -> int | None:
        info = self.client.publish("facelatch/door/front/event", payload, qos=1)
        return info.mid if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS else None

    @staticmethod
    def _wait(may_connect: threading.Event) -> None:
        may_connect.wait(PATIENCE_S)

    def turn(self, wait_s: float) -> None:
        with contextlib.suppress(queue.Empty):
            self.news.get(timeout=wait_s)()
        self.outbox.pump()

    def end(self) -> None:
        """Abruptly: what the network thread has to say is not heard any more."""
        self.client.disconnect()
        self.client.loop_stop()
        self.outbox.close()


class Subscriber:
    """Subscribed at QoS 0: the broker keeps nothing back for it that would die with the broker."""

    def __init__(self, port: int) -> None:
        self.heard: list[bytes] = []
        self.ready = threading.Event()
        self.client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self.client.on_connect = lambda client, *_: client.subscribe("facelatch/door/front/event")
        self.client.on_subscribe = lambda *_: self.ready.set()
        self.client.on_message = lambda _client, _data, message: self.heard.append(bytes(message.payload))
        self.client.reconnect_delay_set(1, 1)
        self.client.connect_async("127.0.0.1", port)
        self.client.loop_start()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    made = Broker(tmp_path)
    made.start()
    yield made
    made.stop(signal.SIGKILL)


def test_a_broker_killed_again_and_again_and_a_restart_lose_nothing(tmp_path: Path, broker: Broker) -> None:
    subscriber = Subscriber(broker.port)
    program = Program(tmp_path / "spool.sqlite", broker.port, subscriber.ready)
    labels, kills = iter(range(1, 501)), deque([60, 150, 250, 350])
    until, under_way = time.monotonic() + PATIENCE_S, []
    while b"500:500" not in subscriber.heard[-100:] or program.outbox.under_way:
        assert time.monotonic() < until, f"heard {len(subscriber.heard)}, under way {program.outbox.under_way}"
        for label in islice(labels, 1):
            program.outbox.write(event(label))
        program.turn(wait_s=0.001)
        if kills and len(subscriber.heard) >= kills[0]:
            under_way.append(program.outbox.under_way)
            subscriber.ready.clear()
            broker.stop(signal.SIGKILL)
            broker.start()
            if kills.popleft() == 250:
                program.end()
                program = Program(tmp_path / "spool.sqlite", broker.port, subscriber.ready)
    program.end()
    subscriber.client.disconnect()
    subscriber.client.loop_stop()
    assert list(dict.fromkeys(subscriber.heard)) == [b"%d:%d" % (label, label) for label in range(1, 501)]
    assert all(under_way), "each time something was under way"
    with contextlib.closing(Spool(tmp_path / "spool.sqlite")) as spool:
        assert spool.waiting(0, 1) == []
        assert len(spool.recent(1000)) == 500

"""What the recognizer tells once for each appearance of somebody, for people."""

from __future__ import annotations

from enum import StrEnum

from agents.wire.messages import Payload
from agents.wire.values import CorrelationId, Name, PersonName, UtcSeconds


class RecognitionType(StrEnum):
    RECOGNISED = "recognised"
    UNKNOWN = "unknown"
    SPOOF = "spoof"


class Recognition(Payload):
    """Somebody appeared before a camera. `id` and `captured_at` are those of the frame that settled it.

    Of a spoof, `person` is who is in the picture that was held up.
    """

    event_type: RecognitionType
    id: CorrelationId
    camera: Name
    person: PersonName | None
    captured_at: UtcSeconds

"""Whether a network of kind minifas computes what the measured one does: another export of it, not another network."""

from __future__ import annotations

import numpy as np

from agents.recognizer.errors import ModelError
from agents.recognizer.vision.manifest import Model
from agents.recognizer.vision.minifas import INPUT_PX
from agents.recognizer.vision.onnx_network import OnnxNetwork

TOLERANCE = 0.01  # of each logit; two exports of one network differ in the fifth digit


def probe(network: bytes, model: Model) -> None:
    """Raises ModelError for what is no network, or answers otherwise. Without `probe` any three numbers are good."""
    answer = OnnxNetwork(network).run(_pattern())
    if answer.shape != (1, 3):
        raise ModelError(f"gives numbers of shape {answer.shape}, and not the three that are expected")
    expected = answer[0] if model.probe is None else model.probe
    if not np.isfinite(answer).all() or not np.allclose(answer[0], expected, rtol=TOLERANCE, atol=TOLERANCE):
        raise ModelError(f"does not compute what the measured network does: {answer[0].tolist()}")


def _pattern() -> np.typing.NDArray[np.float32]:
    """A picture of 80×80 px that nobody has to keep."""
    channel, row, column = np.meshgrid(np.arange(3), np.arange(INPUT_PX), np.arange(INPUT_PX), indexing="ij")
    return ((37 * row + 59 * column + 83 * channel) % 256).astype(np.float32)[None]

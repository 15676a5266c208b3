"""Whether a network of kind minifas computes what the measured one does: another export of it, not another network."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from agents.recognizer.errors import ModelError
from agents.recognizer.vision.manifest import Model
from agents.recognizer.vision.minifas import INPUT_PX
from agents.recognizer.vision.onnx_network import OnnxNetwork

TOLERANCE = 0.01  # of each logit; two exports of one network differ in the fifth digit


def probe(path: Path, model: Model) -> None:
    """Raises ModelError for a file that is no network, or answers otherwise. Without `probe` all that run are good."""
    answer = OnnxNetwork(path).run(_pattern())
    if answer.shape != (1, 3):
        raise ModelError(f"{path}: gives {answer.shape} numbers, and not the three that are expected")
    if model.probe is not None and not np.allclose(answer[0], model.probe, rtol=TOLERANCE, atol=TOLERANCE):
        raise ModelError(f"{path}: does not compute what the measured network does: {answer[0].tolist()}")


def _pattern() -> np.typing.NDArray[np.float32]:
    """A picture of 80×80 px that nobody has to keep."""
    channel, row, column = np.meshgrid(np.arange(3), np.arange(INPUT_PX), np.arange(INPUT_PX), indexing="ij")
    return ((37 * row + 59 * column + 83 * channel) % 256).astype(np.float32)[None]

"""From YuNet's faces to the boxes that dlib's landmarks were trained on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from agents.wire.messages import Box


def hog_box(box: Box, points: npt.NDArray[np.float64]) -> Box:
    eyes = points[:2].mean(axis=0)
    size = 2.4 * float(np.linalg.norm(points[:2].mean(axis=0) - points[3:].mean(axis=0)))
    left, top = eyes[0] - size / 2, eyes[1] - 0.32 * size
    return Box(left=round(left), top=round(top), width=round(size), height=round(size))

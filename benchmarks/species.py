"""The attacks that are tried: what is held up, how large, and how it is moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from benchmarks.motions import Motion


@dataclass(frozen=True)
class Species:
    """A presentation attack instrument species (ISO/IEC 30107-3), as attackers have it at hand.

    `sizes_m` are width and height of what is shown, one of which is chosen, `share` the face's part of the width,
    `face_px` how wide the face is seen, and `plays` whether the clip moves in it.
    """

    surface: Literal["print", "phone", "tablet", "monitor"]
    sizes_m: tuple[tuple[float, float], ...]
    share: tuple[float, float]
    face_px: tuple[float, float]
    motions: tuple[Motion, ...]
    plays: bool = False
    cut: Literal["none", "eyes", "outline"] = "none"
    fills_view: bool = False


A4, A5 = (0.210, 0.297), (0.148, 0.210)
PHONE, TABLET, MONITOR = (0.0646, 0.1398), (0.203, 0.152), (0.531, 0.299)
NEAR = (75.0, 190.0)

SPECIES = {
    "print_still": Species("print", (A4, A5), (0.55, 0.75), NEAR, ("fixed", "held")),
    "print_moved": Species("print", (A4, A5), (0.55, 0.75), (85.0, 165.0), ("moved",)),
    "print_bent": Species("print", (A4, A5), (0.55, 0.75), NEAR, ("bent",)),
    "print_tilted": Species("print", (A4, A5), (0.55, 0.75), NEAR, ("tilted",)),
    "print_eye_holes": Species("print", (A4,), (0.70, 0.80), NEAR, ("held", "tilted", "moved"), cut="eyes"),
    "print_cut_out": Species("print", (A4,), (0.70, 0.75), NEAR, ("held", "tilted", "moved"), cut="outline"),
    "phone_photo": Species("phone", (PHONE,), (0.50, 0.80), (70.0, 150.0), ("held", "moved", "tilted")),
    "phone_replay": Species("phone", (PHONE,), (0.50, 0.80), (70.0, 150.0), ("held", "fixed", "moved"), plays=True),
    "tablet_replay": Species("tablet", (TABLET,), (0.30, 0.50), (75.0, 180.0), ("held", "fixed", "moved"), plays=True),
    "monitor_replay": Species("monitor", (MONITOR,), (0.22, 0.36), (72.0, 130.0), ("fixed",), plays=True),
    "monitor_full": Species("monitor", (MONITOR,), (0.18, 0.30), NEAR, ("fixed",), plays=True, fills_view=True),
}

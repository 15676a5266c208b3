"""The computer that an agent runs on."""

from __future__ import annotations

from pathlib import Path

ZONES = Path("/sys/class/thermal")
CPU = ("cpu-thermal", "soc-thermal")  # a Raspberry Pi's, and other boards'; a PC's sensors say other things


class Thermometer:
    """Of the CPU, where this computer has one that is known to be it."""

    def __init__(self, zones: Path = ZONES) -> None:
        self._file = next((zone / "temp" for zone in sorted(zones.glob("thermal_zone*")) if _is_cpu(zone)), None)

    @property
    def present(self) -> bool:
        return self._file is not None

    def read_c(self) -> float | None:
        """Degrees Celsius; None where it can't be read."""
        try:
            return None if self._file is None else round(int(self._file.read_text(encoding="ascii")) / 1000, 1)
        except (OSError, ValueError):
            return None


def _is_cpu(zone: Path) -> bool:
    try:
        return (zone / "type").read_text(encoding="ascii").strip().replace("_", "-") in CPU
    except (OSError, ValueError):
        return False

"""Labeled Faces in the Wild's own protocol: is it one person on both photos?

Its file `pairs.txt` has ten folds of 300 pairs of one person and 300 of two. For each fold the threshold
is the one that is right most often on the other nine (G. B. Huang et al., "Labeled Faces in the Wild",
2007; image-restricted). True accepts are told at the threshold that takes one in a thousand of the pairs
of two people for one. A pair in which a face is not found counts as two people.

Target (--check): accuracy_percent >= 99.38, what dlib publishes for its network, on the 6,000 official
pairs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from agents.recognizer.matcher import unit
from benchmarks.encoded import Encoded

TARGET_PERCENT = 99.38
FALSE_ACCEPTS = 0.001
FARTHEST = 3.0  # farther than any two encodings of length 1


@dataclass(frozen=True)
class Pair:
    one: Path
    other: Path
    same: bool


def read(path: Path, images: Path) -> list[list[Pair]]:
    """The folds. Raises SystemExit, naming the line."""
    lines = path.read_text(encoding="utf-8").splitlines() or [""]
    try:
        *folds, each = (int(number) for number in lines[0].split())
        (count,) = folds or [1]  # the file of one fold tells only how many pairs
    except ValueError:
        raise SystemExit(f"{path}, line 1: is not the number of folds and of pairs") from None
    if len(lines) < 1 + 2 * count * each:
        raise SystemExit(f"{path}: has {len(lines) - 1} pairs, not 2 times {count} times {each}")
    pairs = [_pair(path, number, lines[number], images) for number in range(1, 1 + 2 * count * each)]
    return [pairs[i : i + 2 * each] for i in range(0, len(pairs), 2 * each)]


def _pair(path: Path, number: int, line: str, images: Path) -> Pair:
    match line.split("\t") if "\t" in line else line.split():
        case [name, one, other] if one.isdigit() and other.isdigit():
            return Pair(_image(images, name, one), _image(images, name, other), True)
        case [name, one, second, other] if one.isdigit() and other.isdigit():
            return Pair(_image(images, name, one), _image(images, second, other), False)
    raise SystemExit(f"{path}, line {number + 1}: is no pair: {line[:80]!r}")


def _image(images: Path, name: str, number: str) -> Path:
    return images / name / f"{name}_{int(number):04}.jpg"


def measure(path: Path, images: Path, encode: Callable[[Path], Encoded]) -> dict[str, Any]:
    folds = read(path, images)
    distances = np.array([[distance(encode(p.one), encode(p.other)) for p in fold] for fold in folds])
    same = np.array([[p.same for p in fold] for fold in folds])
    return {"pairs": int(same.size), "folds": len(folds), **figures(distances, same)}


def distance(one: Encoded, other: Encoded) -> float:
    if not (one.found and other.found):
        return FARTHEST
    a, b = unit(np.array([one.mirrored, other.mirrored]))
    return float(np.linalg.norm(a - b))


def figures(distances: npt.NDArray[np.float64], same: npt.NDArray[np.bool_]) -> dict[str, float]:
    """Of distances (folds, pairs) and whether each is one person."""
    accuracies = []
    for fold in range(len(distances)):
        others = np.arange(len(distances)) != fold if len(distances) > 1 else np.array([True])
        threshold = best_threshold(distances[others].ravel(), same[others].ravel())
        accuracies.append(float(np.mean((distances[fold] <= threshold) == same[fold])) * 100)
    two = np.sort(distances[~same])
    strict = np.nextafter(two[int(FALSE_ACCEPTS * len(two))], -np.inf)
    return {
        "accuracy_percent": round(float(np.mean(accuracies)), 2),
        "standard_error": round(float(np.std(accuracies) / np.sqrt(len(accuracies))), 2),
        "true_accepts_percent": round(float(np.mean(distances[same] <= strict)) * 100, 2),
        "at_threshold": round(float(strict), 4),
    }


def best_threshold(distances: npt.NDArray[np.float64], same: npt.NDArray[np.bool_]) -> float:
    """The distance that tells most pairs rightly, when those up to it are one person."""
    order = np.argsort(distances)
    right = np.cumsum(np.where(same[order], 1, -1))
    best = int(right.argmax())
    above = distances[order][min(best + 1, len(order) - 1)]
    return float((distances[order][best] + above) / 2)


def table(f: dict[str, Any]) -> str:
    return (
        f"{f['pairs']} pairs in {f['folds']} folds: {f['accuracy_percent']:.2f} % ± {f['standard_error']:.2f} right; "
        f"true accepts {f['true_accepts_percent']:.2f} % at 0.1 % false accepts (distance {f['at_threshold']:.3f})"
    )


def missed_targets(f: dict[str, Any]) -> list[str]:
    if f["accuracy_percent"] >= TARGET_PERCENT:
        return []
    return [f"accuracy_percent is {f['accuracy_percent']}, the target is {TARGET_PERCENT}"]

"""What can go wrong in recognizing people. Importing this loads neither OpenCV nor dlib."""

from __future__ import annotations

from agents.runtime.agent import HardwareError


class RecognizerError(Exception):
    """Its text is for people."""


class ModelError(RecognizerError, HardwareError):
    """A model file can't be used; the text names it."""


class PhotoRefused(RecognizerError):
    """A photo is not good enough to enroll somebody from, or is none; the text says why."""


class StoreError(RecognizerError):
    """A file of faces can't be used as asked; the text names it and says why."""


class GalleryError(StoreError):
    """The same of the gallery."""


class PeopleThere(GalleryError):
    """People are to be added of whom some are there already; the text names them."""


class BackupError(RecognizerError):
    """A backup of the gallery can't be read or written; the text names the file and says why."""


class NoGallery(GalleryError):
    """There is no such file: nobody was ever enrolled."""


class UnknownPerson(GalleryError):
    """Nobody of this name is enrolled."""

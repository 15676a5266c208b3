"""The gallery's tables, and how an older file becomes one of today. A version, once released, is never edited."""

from __future__ import annotations

VERSION_1 = (
    """CREATE TABLE people (
         id INTEGER PRIMARY KEY,
         name TEXT NOT NULL UNIQUE,
         created_at REAL NOT NULL
       )""",
    """CREATE TABLE encodings (
         id INTEGER PRIMARY KEY,
         person_id INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
         encoding BLOB NOT NULL,
         encoder TEXT NOT NULL,
         photo_sha256 TEXT NOT NULL,
         created_at REAL NOT NULL,
         UNIQUE (person_id, photo_sha256)
       )""",
)
# Crops have a table of their own, so that a recognizer that loads the encodings does not read past them.
VERSION_2 = (
    "ALTER TABLE people ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1))",
    "ALTER TABLE people ADD COLUMN ignored INTEGER NOT NULL DEFAULT 0 CHECK (ignored IN (0, 1))",
    """CREATE TABLE crops (
         encoding_id INTEGER PRIMARY KEY REFERENCES encodings (id) ON DELETE CASCADE,
         jpeg BLOB NOT NULL
       )""",
)
GALLERY = (VERSION_1, VERSION_2)

"""Models: their files, detectors, encoders, and the engine that puts them together."""

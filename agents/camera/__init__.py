"""The camera: publishes JPEG frames of one source."""

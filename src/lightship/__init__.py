"""Lightship."""

"""Detectors, calibration, and the one loop from frames to decisions that guard and watch share."""

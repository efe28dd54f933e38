"""Conformance checks for others: prove your detector, index or store with the tests that ours pass."""

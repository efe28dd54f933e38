"""Media in and out: sources, sinks, sampling, hold-back. Bytes touch no disk on the way."""

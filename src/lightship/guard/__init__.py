"""On the device: frames, signals, decision, disrupt. Opens no socket of its own."""

"""One file a step, numbered, never rewritten."""

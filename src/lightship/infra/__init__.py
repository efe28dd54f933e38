"""What a deployment brings: stores, files, keys."""

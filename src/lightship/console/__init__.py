"""Every HTTP surface: what they share, and the matcher service."""

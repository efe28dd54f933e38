"""The demonstration: chapters that play themselves, check themselves and always end."""

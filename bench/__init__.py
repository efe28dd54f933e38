"""Each claim on speed, runnable: `python -m bench`."""

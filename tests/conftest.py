"""What holds for all tests."""

import gc
import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell that starts tests in the background has them ignore Ctrl-C, and so would every process that they start and stop.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# What is imported and collected stays to the end: to go through it for garbage again and again took a tenth of the tests' time.
gc.disable()


def pytest_collection_finish(session):
    gc.collect()
    gc.freeze()
    gc.enable()

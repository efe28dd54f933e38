"""What holds for all tests."""

import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell that starts tests in the background has them ignore Ctrl-C, and so would every process that they start and stop.
    signal.signal(signal.SIGINT, signal.default_int_handler)

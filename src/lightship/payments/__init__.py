"""Payments: transactions to features, indicators, weights of evidence, alerts and drafts of reports.

The flow, left to right::

    exchange (files, messages) ─► dataset ─► prepare ─► features ─► weigh ─► alerts ─► bundles and drafts
                                                          │           │
                                              the same, a payment at a time (live)

`lightship.core.payments` holds the tables and values that it takes and gives.
"""

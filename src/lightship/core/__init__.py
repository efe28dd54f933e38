"""The vocabulary: values, weight of evidence, watchkeepers, policies, the ledger. No I/O, no clock."""

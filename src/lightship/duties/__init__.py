"""What the law is owed: reports, retention, records, notices."""

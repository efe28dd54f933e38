"""What the law is owed and when: to whom, how urgent, how long kept, who answers for it, what was missed."""

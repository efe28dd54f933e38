"""The platform's watch: every live stream under one compute budget, stopped, reviewed and recorded."""

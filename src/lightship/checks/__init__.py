"""The conformance kit: what an adapter must do, as checks that anybody can run against their own."""

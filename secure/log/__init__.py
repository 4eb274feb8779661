"""The record: one append-only log per host, in the formats of C2SP."""

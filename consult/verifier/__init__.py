"""The offline verifier: what a ministry runs on its own machine. Needs Python and `cryptography`; no settings, no database, no Django."""

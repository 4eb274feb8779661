"""The doors and the wiring of Consult. Imported by nobody below."""

__version__ = "0.1.0"

"""The administrative half: settings, and who may do what."""

"""A strict fake of Google's Compute Engine, whose machines are real sshds."""

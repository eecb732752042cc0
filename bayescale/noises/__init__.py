"""What scatters about the law."""

"""Named public data: `datasets.load("chinchilla")`."""

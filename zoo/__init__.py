"""The architectures, a file for each data set, in one registry."""

"""Does the work that the API promises."""

"""What the log cannot show, and whether the map has aged."""

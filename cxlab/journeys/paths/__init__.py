"""Paths: from place to place, in circles, to the outcome, and the credit of each place."""

"""How sure are we: intervals, differences and resampling from sufficient statistics."""

"""The journey map, the time that journeys take, and the plan that people made of them."""

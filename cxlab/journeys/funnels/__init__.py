"""Funnels: who set out, who got how far, how soon, and what changed."""

"""cxlab: a notebook-based research and reporting workbench for customer experience."""

"""What do customers feel, and where do they feel it?"""

__all__: list[str] = []

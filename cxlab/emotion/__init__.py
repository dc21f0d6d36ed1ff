"""What do customers feel, and where do they feel it?"""
